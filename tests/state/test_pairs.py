"""Real releases: what really breaks between two of them, and what lint says of it, by `benchmarks/state`."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "benchmarks" / "state"
FEW = "packaging 25.0,packaging 26.0,packaging 26.1,bidict 0.23.1,sortedcontainers 2.1.0"

pytestmark = [
    pytest.mark.slow,
    pytest.mark.once,
    pytest.mark.skipif(not SCRIPT.is_dir(), reason="a source distribution has the tests, and not the benchmarks"),
    pytest.mark.skipif(os.name != "posix", reason="a step that takes too long is stopped by SIGALRM"),
]


def wheels_can_be_had(cache):
    """Ask pip for one of them, so that a machine without an index is told from a failure."""
    command = [sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", str(cache), "packaging==25.0"]
    return subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0


@pytest.fixture(scope="module")
def pairs(tmp_path_factory):
    folder = tmp_path_factory.mktemp("state")
    if not wheels_can_be_had(folder / "wheels"):
        pytest.skip("pip cannot download packaging 25.0: no package index, or no pip")
    file = folder / "report.json"
    command = [sys.executable, str(SCRIPT), "--pairs", FEW, "--cache", str(folder / "cache"), "--json", str(file)]
    done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    read = json.loads(file.read_text(encoding="utf-8"))
    assert read["version"] == 1
    return {(pair["library"], pair["old"]): pair for pair in read["pairs"]}


def outcome(pair, side, label):
    (load,) = [load for load in pair[side] if load["label"] == label]
    return load["outcome"], load["what"]


def rules(pair, side, target):
    return {found["rule"] for found in pair[side]["confirmed"] if found["target"] == target}


def test_packaging_26_gained_slots_and_loads_no_version_of_25(pairs):
    pair = pairs["packaging", "25.0"]
    failed = outcome(pair, "forward", 'specifiers.Specifier(">=1.0")')
    assert failed == ("fails", "AttributeError: 'Specifier' object has no attribute '__dict__'")
    assert rules(pair, "lint", "packaging.specifiers:Specifier") == {"slots-gained"}
    assert rules(pair, "lint", "packaging.version:Version") == {"slots-gained"}


def test_packaging_26_1_gained_fields(pairs):
    pair = pairs["packaging", "26.0"]
    broken, what = outcome(pair, "forward", 'specifiers.SpecifierSet(">=1.0,<2,!=1.5")')
    assert broken == "breaks"
    assert "'SpecifierSet' object has no attribute '_canonicalized'" in what
    assert "field-gained" in rules(pair, "lint", "packaging.specifiers:SpecifierSet")


def test_bidict_0_24_takes_other_arguments(pairs):
    pair = pairs["bidict", "0.23.1"]
    broken, what = outcome(pair, "forward", 'bidict.bidict({"a": 1})')
    assert broken == "fails"
    assert what.startswith("TypeError: BidictBase._from_other() takes 2 positional arguments")
    assert "arguments-changed" in {found["rule"] for found in pair["lint"]["confirmed"]}


@pytest.mark.parametrize("name", [("packaging", "26.1"), ("sortedcontainers", "2.1.0")])
def test_where_nothing_breaks_lint_is_silent(pairs, name):
    pair = pairs[name]
    assert len(pair["forward"]) > 5
    assert {load["outcome"] for load in pair["forward"]} == {"ok"}
    assert [pair["lint"][kind] for kind in ("confirmed", "refuted", "unseen")] == [[], [], []]


def test_no_finding_is_refuted(pairs):
    assert [pair["lint"]["refuted"] for pair in pairs.values()] == [[]] * len(FEW.split(","))
