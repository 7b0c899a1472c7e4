"""The data behind the rules, held against the interpreter that runs the tests."""

import importlib
import pickle
import sys

import pytest

from extreg.linter.context import KNOWN_PYTHONS
from extreg.linter.facts.drifting import DRIFTING
from extreg.linter.facts.known_targets import DEAD
from extreg.linter.versions import allowed


def own(target: str) -> str | None:
    module, _, name = target.partition(":")
    try:
        found = getattr(importlib.import_module(module), name)
    except (ImportError, AttributeError):
        return None
    return f"{found.__module__}:{found.__qualname__}"


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("target", DRIFTING)
def test_drifting_targets_are_called_so_by_this_python(target: str) -> None:
    version = sys.version_info[:2]
    key = [key.target for key in DRIFTING[target] if key.first <= version]
    if version > (3, 13) and not target.startswith("pathlib"):
        pytest.skip("not measured")
    if sys.platform == "win32" and "posix" in target:
        pytest.skip("of another platform")
    if key:
        assert own(target) == key[-1]


@pytest.mark.parametrize("target", [target for target in DEAD if target.startswith("types:")])
def test_dead_types_cannot_be_pickled(target: str) -> None:
    with pytest.raises(pickle.PicklingError):
        pickle.dumps(getattr(importlib.import_module("types"), target.partition(":")[2]))


@pytest.mark.parametrize("row", DEAD.values())
def test_every_row_has_its_source(row) -> None:
    assert row.why
    assert row.source


@pytest.mark.parametrize(
    ("specifiers", "expected"),
    [
        ("", "10 11 12 13 14 15"),
        (">=3.10", "10 11 12 13 14 15"),
        (">=3.11.2,<3.14", "11 12 13"),
        (">3.10", "11 12 13 14 15"),
        (">3.10.1", "10 11 12 13 14 15"),
        ("<=3.12", "10 11 12"),
        ("<3.12.1", "10 11 12"),
        ("==3.12.*", "12"),
        ("==3.12", "12"),
        ("~=3.12", "12 13 14 15"),
        ("~=3.12.1", "12"),
        (">=3.10,!=3.11.*", "10 12 13 14 15"),
        (">=3.10,!=3.11.4", "10 11 12 13 14 15"),
        (">=3", "10 11 12 13 14 15"),
        ("<4", "10 11 12 13 14 15"),
        ("nonsense, <3.11", "10"),
    ],
)
def test_requires_python(specifiers: str, expected: str) -> None:
    assert allowed(specifiers, KNOWN_PYTHONS) == tuple((3, int(minor)) for minor in expected.split())
