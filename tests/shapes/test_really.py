"""What a finding says is what Python does: each case is dumped under the old source and loaded under the new one."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from extreg.linter.check import BY_NAME
from extreg.linter.context import StateChange
from tests.shapes.changes import CASES, Case
from tests.shapes.conftest import compare_folders, write

REALLY = Path(__file__).with_name("really.py")
pytestmark = pytest.mark.slow
PYPY = sys.implementation.name == "pypy"


def run(what: str, folder: Path, jobs: "list[dict[str, Any]]") -> "list[str]":
    done = subprocess.run(
        [sys.executable, str(REALLY), what, str(folder)],
        input=json.dumps(jobs),
        capture_output=True,
        text=True,
        check=True,
    )
    return json.loads(done.stdout)  # type: ignore[no-any-return]


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> "dict[str, Path]":
    top = tmp_path_factory.mktemp("revisions")
    return {
        side: write(top / side, {f"case_{case.name}.py": getattr(case, side) for case in CASES})
        for side in ("old", "new", "cured")
    }


@pytest.fixture(scope="module")
def outcomes(folders: "dict[str, Path]") -> "dict[str, dict[str, str]]":
    """What comes of loading the old pickles, by case: under the new source, and under the cured one."""
    jobs = [{"module": f"case_{case.name}", **case._asdict()} for case in CASES]
    for job, data in zip(jobs, run("dump", folders["old"], jobs), strict=True):
        job["data"] = data
    names = [case.name for case in CASES]
    return {side: dict(zip(names, run("load", folders[side], jobs), strict=True)) for side in ("new", "cured")}


@pytest.fixture(scope="module")
def told(folders: "dict[str, Path]") -> "dict[str, list[StateChange]]":
    found = {}
    for case in CASES:
        comparison = compare_folders(folders["old"], folders["new"], [f"case_{case.name}:C"])
        found[case.name] = [state for state in comparison.changes if state.change.rule != "pickling-changed"]
    return found


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_rule_finds_it(case: Case, told: "dict[str, list[StateChange]]") -> None:
    assert [state.change.rule for state in told[case.name]] == [case.rule]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_it_happens(case: Case, outcomes: "dict[str, dict[str, str]]") -> None:
    if PYPY and case.rule == "slots-gained" and "__dict__" in case.raises:
        pytest.skip("PyPy loads it without its attributes")
    assert case.raises in outcomes["new"][case.name]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_what_is_told_is_what_happens(
    case: Case, told: "dict[str, list[StateChange]]", outcomes: "dict[str, dict[str, str]]"
) -> None:
    """Where something is raised, its kind and its text are in the message; where it is not, nothing is raised."""
    if PYPY and case.rule == "slots-gained":
        pytest.skip("PyPy loads it without its attributes")
    change, happened = told[case.name][0].change, outcomes["new"][case.name]
    kind, _, text = change.effect.partition(": ")
    if change.when == "silent":
        assert not happened.partition(":")[0].endswith("Error")
    elif kind.endswith("Error"):
        assert happened.startswith(kind)
        assert text in happened
    else:
        assert happened.partition(":")[0].endswith("Error")
        assert kind == "an error"


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_edit_cures_it(case: Case, outcomes: "dict[str, dict[str, str]]") -> None:
    assert outcomes["cured"][case.name] == case.gives


MIGRATED = [
    case for case in CASES if "lambda state" in case.cured and not case.rule.startswith(("missing", "arguments"))
]


@pytest.mark.parametrize("case", MIGRATED, ids=lambda case: case.name)
def test_the_migration_that_cures_is_one_that_is_offered(case: Case, told: "dict[str, list[StateChange]]") -> None:
    line = next(line for line in case.cured.splitlines() if line.startswith("@versioned("))
    assert line in told[case.name][0].change.edits


def test_every_rule_is_tried() -> None:
    rules = {name for name, rule in BY_NAME.items() if rule.__module__.endswith(".state")}
    # What versioned(write=...) says to whom is tried in tests/reduce/test_rollout.py.
    assert {case.rule for case in CASES} == rules - {"pickling-changed", "unstaged-version"}
