"""`extreg suggest`: what it proposes, what it never does, and that what it promises is what comes out."""

import json
import pickle
import shutil
import subprocess
import sys
from collections import Counter, OrderedDict
from datetime import date
from fractions import Fraction

import pytest

from extreg.linter.candidates import objection
from extreg.registry.model import Registry

from .conftest import KINDS, by_name, ok

pytestmark = pytest.mark.slow

# Dumps the objects of a folder of pickles again, with what is registered, and prints the bytes that takes.
AGAIN = """
import copyreg, pathlib, pickle, sys
import extreg
extreg.install(sys.argv[1])
print(sum(len(pickle.dumps(pickle.loads(path.read_bytes()), 4)) for path in pathlib.Path(sys.argv[2]).iterdir()))
"""


def suggested(run_extreg, *arguments, code=0):
    return json.loads(ok(run_extreg("suggest", "--format", "json", *arguments), code).stdout)


def targets(result):
    return [item["target"] for item in result["proposals"]]


@pytest.fixture
def messages(data, registry_file):
    for number in range(20):
        (data / f"{number}").write_bytes(pickle.dumps([OrderedDict(a=number), date(2000, 1, 1)], 4))
    (data / "many").write_bytes(pickle.dumps([Fraction(n, 7) for n in range(500)], 4))
    return data


def test_it_saves_what_it_says(run_extreg, messages, registry_file):
    result = suggested(run_extreg, "--apply", str(messages))
    assert targets(result) == ["collections:OrderedDict", "datetime:date", "fractions:Fraction"]
    assert all(item["opcode"] == "EXT1" for item in result["proposals"])
    assert list(Registry.load(registry_file).codes.values()) == targets(result)
    assert list(Registry.load(registry_file).codes) == [240, 241, 242]
    after = subprocess.run(
        [sys.executable, "-c", AGAIN, str(registry_file), str(messages)], capture_output=True, text=True, check=True
    )
    # A frame is left out of a pickle below four bytes, and of none here.
    assert result["bytes"] - result["saved"] == int(after.stdout)
    assert suggested(run_extreg, "--apply", str(messages))["proposals"] == []


def test_a_class_that_recurs_in_a_pickle_is_priced_as_such(run_extreg, messages, registry_file):
    registry_file.write_text('format = 1\n[codes]\n255 = "shop:Last"\n')
    live = suggested(run_extreg, str(messages))
    scoped = suggested(run_extreg, "--use", "scoped", str(messages))
    assert "fractions:Fraction" not in targets(live)
    assert "fractions:Fraction" in targets(scoped)


def test_what_a_live_code_costs_in_time_is_said(run_extreg, data, registry_file):
    for number in range(30):
        (data / f"{number}").write_bytes(pickle.dumps([OrderedDict(a=n) for n in range(5)], 4))
    done = ok(run_extreg("suggest", str(data)))
    assert "costs" in done.stdout
    assert "costs CPU time" in done.stderr
    assert suggested(run_extreg, str(data))["proposals"][0]["costs_cpu"] is True
    done = ok(run_extreg("suggest", "--use", "scoped", str(data)))
    assert "CPU time" not in done.stderr


def test_nothing_is_proposed_that_has_or_had_a_code(run_extreg, messages, registry_file):
    registry_file.write_text(
        'format = 1\n[codes]\n5000 = "shop:A"\n[load-only]\n300 = "datetime:date"\n'
        '[moved]\n5000 = ["collections:OrderedDict"]\n'
    )
    assert targets(suggested(run_extreg, str(messages))) == ["fractions:Fraction"]


def test_nothing_is_proposed_that_saves_too_little(run_extreg, messages):
    everything = suggested(run_extreg, str(messages))
    least = min(item["saved"] for item in everything["proposals"])
    some = suggested(run_extreg, "--min-saved", str(least + 1), str(messages))
    assert 0 < len(some["proposals"]) < len(everything["proposals"])
    assert all(item["saved"] > least for item in some["proposals"])


def test_one_byte_codes_go_where_they_pay_most_while_they_last(run_extreg, messages, registry_file):
    registry_file.write_text('format = 1\n[codes]\n254 = "shop:Last"\n')
    result = suggested(run_extreg, "--apply", str(messages))
    assert result["one_byte_codes_left"] == 1
    widths = {item["target"]: item["opcode"] for item in result["proposals"]}
    # With two bytes for each of its 500 references it does not lose; with three it would.
    assert widths == {"collections:OrderedDict": "EXT2", "datetime:date": "EXT2", "fractions:Fraction": "EXT1"}
    assert Registry.load(registry_file).codes[255] == "fractions:Fraction"


def test_a_module_with_a_range_of_its_own_gets_no_one_byte_code(run_extreg, messages, registry_file):
    registry_file.write_text('format = 1\n[ranges.days]\nfirst = 400\nlast = 499\nmodules = ["datetime"]\n[codes]\n')
    result = suggested(run_extreg, "--apply", str(messages))
    added = {item["target"]: (item["opcode"], item["added"]) for item in result["proposals"]}
    assert added["datetime:date"][0] == "EXT2"
    assert 400 <= added["datetime:date"][1] <= 499


def test_no_code_of_an_included_package_is_given_out_again(run_extreg, messages, registry_file, tmp_path):
    (tmp_path / "paylib").mkdir()
    (tmp_path / "paylib" / "__init__.py").write_text("raise SystemExit('imported')")
    (tmp_path / "paylib" / "registry.toml").write_text('format = 1\n[codes]\n250 = "datetime:date"\n')
    registry_file.write_text('format = 1\ninclude = ["paylib"]\n\n[codes]\n')
    result = suggested(run_extreg, "--apply", str(messages))
    assert result["one_byte_codes_left"] == 5
    assert Registry.load(registry_file).codes == {251: "collections:OrderedDict", 252: "fractions:Fraction"}


def test_what_would_be_refused_is_passed_over_and_named(run_extreg, data, registry_file):
    (data / "p").write_bytes(b"\x80\x02c__main__\nOrder\n." + b"\x80\x04\x8c\x04shop\x8c\x0cf.<locals>.C\x93." * 3)
    result = suggested(run_extreg, "--apply", str(data))
    assert targets(result) == []
    assert result["passed"] == {"__main__:Order": "main-module", "shop:f.<locals>.C": "local-name"}
    assert "not proposed: __main__:Order" in ok(run_extreg("suggest", str(data))).stderr


def test_what_a_rule_objects_to_is_not_proposed():
    assert objection("shop.models:Order") is None
    assert objection("shop:f.<locals>.C") == "local-name"
    assert objection("__main__:Order") == "main-module"


@pytest.mark.parametrize("use", ["live", "scoped"])
def test_every_kind_of_file_counts_and_broken_ones_are_listed(use, run_extreg, every_kind, registry_file):
    (every_kind / "tail").write_bytes(by_name() + b"\xff")
    (every_kind / "torn").write_bytes(by_name()[:-2])
    result = suggested(run_extreg, "--use", use, str(every_kind))
    assert result["pickles"] == len(KINDS) + 1
    assert [item["path"][-4:] for item in result["unreadable"]] == ["tail", "torn"]
    suggested(run_extreg, str(every_kind / "torn"), code=2)


def test_no_registry_is_needed_but_to_add(run_extreg, data):
    (data / "p").write_bytes(pickle.dumps(Counter(a=1), 4))
    assert targets(suggested(run_extreg, str(data))) == ["collections:Counter"]
    assert "no registry.toml" in ok(run_extreg("suggest", "--apply", str(data)), 2).stderr


def test_scoped_prices_are_what_rewriting_saves(run_extreg, messages, registry_file):
    result = suggested(run_extreg, "--use", "scoped", "--apply", str(messages))
    before = sum(path.stat().st_size for path in messages.iterdir())
    copy = messages.with_name("copy")
    shutil.copytree(messages, copy)
    ok(run_extreg("rewrite", "--to", "codes", str(copy)))
    after = sum(path.stat().st_size for path in copy.iterdir())
    # Rewriting also drops frames and memo entries that nothing needs any more.
    assert result["saved"] <= before - after


def test_what_is_dead_or_dangerous_is_not_proposed():
    pytest.importorskip("extreg.linter.facts.known_targets")
    assert objection("builtins:getattr") == "dangerous-target"
    assert objection("pathlib:Path") == "dead-target"
