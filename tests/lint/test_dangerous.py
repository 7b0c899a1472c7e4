"""Which targets must not have a code: what scanners of pickles warn of, and no mere value."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from extreg.registry import dangerous
from extreg.registry.dangerous import danger, danger_in

pytestmark = pytest.mark.slow

Run = Callable[..., "CompletedProcess[str]"]

KNOWN_BAD, KNOWN_GOOD = (
    [line for line in Path(__file__).with_name(name).read_text(encoding="utf-8").splitlines() if line[0] != "#"]
    for name in ("known_bad.txt", "known_good.txt")
)

# Every exception, enumeration and tuple with names in the standard library, by the name that pickle has for it.
MERE_VALUES = """
import enum, importlib, json, pkgutil, sys, warnings
warnings.simplefilter("ignore")
found = set()
games = {"antigravity", "this", "idlelib", "turtle", "turtledemo", "test", "tkinter"}
for name in sorted(sys.stdlib_module_names - games):
    try:
        module = importlib.import_module(name)
        below = [name + "." + info.name for info in pkgutil.iter_modules(getattr(module, "__path__", ()))]
    except BaseException:
        continue
    for child in below:
        if not child.rpartition(".")[2].startswith("__"):
            try:
                importlib.import_module(child)
            except BaseException:
                continue
for module in list(sys.modules.values()):
    for value in list(vars(module).values()):
        if isinstance(value, type) and (
            issubclass(value, (BaseException, enum.Enum))
            or (issubclass(value, tuple) and (hasattr(value, "_fields") or hasattr(value, "n_fields")))
        ):
            found.add(f"{value.__module__}:{value.__qualname__}")
print(json.dumps(sorted(found)))
"""
# Of packages that are refused as a whole because they are programs, and private helpers of the modules around them.
PROGRAMS = re.compile(r"(ensurepip|pip|setuptools|distutils|lib2to3|_pyrepl|test|venv)\b|[\w.]*:_")


def test_the_list_is_long_enough() -> None:
    assert len(KNOWN_BAD) >= 378


def test_what_scanners_know_is_known() -> None:
    """At least 95 of 100; the rest are functions that only make values, in modules that are listed as a whole."""
    missed = [target for target in KNOWN_BAD if danger(target) is None]
    assert len(missed) <= 0.05 * len(KNOWN_BAD)
    assert set(missed) <= {"uuid:uuid3", "uuid:uuid4", "uuid:uuid5"}


@pytest.mark.parametrize("target", KNOWN_GOOD)
def test_a_value_is_harmless(target: str) -> None:
    assert danger(target) is None


def test_no_exception_enumeration_or_tuple_of_the_library_is_flagged() -> None:
    run = subprocess.run([sys.executable, "-c", MERE_VALUES], capture_output=True, text=True, check=True)
    found = json.loads(run.stdout.splitlines()[-1])
    assert len(found) > 200
    assert [target for target in found if danger(target) is not None and not PROGRAMS.match(target)] == []


@pytest.mark.parametrize("target", ["os:system", "pdb:Pdb.run", "ctypes.util:find_library", "functools:partial"])
def test_its_module_is_known_to_have_dangers(target: str) -> None:
    assert danger_in(target.partition(":")[0])


def test_a_module_below_one_is_another() -> None:
    assert danger("os.path:join") is None
    assert not danger_in("shop.os")
    assert danger("pip._internal.cli.main:main") is not None


@pytest.mark.parametrize("row", [*dangerous._NAMES.values(), *(row.danger for row in dangerous._MODULES.values())])
def test_every_row_has_its_reason_and_source(row: dangerous.Danger) -> None:
    assert row.why
    assert row.source


@pytest.mark.parametrize("target", ["os:system", "functools:partial", "pip._internal:main"])
@pytest.mark.parametrize("options", [[], ["--no-import"], ["--load-only"]], ids=lambda options: " ".join(options))
def test_add_refuses_a_dangerous_target(run_extreg: Run, tmp_path: Path, target: str, options: list[str]) -> None:
    run_extreg("init")
    before = (tmp_path / "registry.toml").read_bytes()
    done = run_extreg("add", target, *options)
    assert (done.returncode, done.stdout) == (1, "")
    assert "must not have one" in done.stderr
    assert "added" not in done.stderr
    assert (tmp_path / "registry.toml").read_bytes() == before


def test_add_and_move_do_it_when_they_are_forced(run_extreg: Run) -> None:
    run_extreg("init")
    assert run_extreg("add", "--force", "--code", "300", "functools:partial").returncode == 0
    done = run_extreg("lint", "--no-source")
    assert (done.returncode, "functools:partial" in done.stdout) == (1, True)
    run_extreg("add", "--code", "301", "collections:OrderedDict")
    assert run_extreg("move", "301", "operator:attrgetter").returncode == 1
    assert run_extreg("move", "--force", "301", "operator:attrgetter").returncode == 0


def test_no_message_offers_to_add_one(run_extreg: Run, tmp_path: Path) -> None:
    run_extreg("init")
    (tmp_path / "calls.py").write_text("from copyreg import add_extension\nadd_extension('os', 'system', 300)\n")
    registry = tmp_path / "registry.toml"
    registry.write_text(registry.read_text() + '\n[retired]\n400 = "os:system"\n')
    for command in (
        ["lint"],
        ["show", "os:system"],
        ["promote", "os:system"],
        ["promote", "400"],
        ["show", "os:popen"],
    ):
        done = run_extreg(*command)
        assert ":popen" in done.stdout + done.stderr or "os:system" in done.stdout + done.stderr, command
        assert "extreg add os:system" not in done.stdout + done.stderr


def test_what_is_called_like_a_target_is_meant(run_extreg: Run) -> None:
    run_extreg("init")
    run_extreg("add", "--no-import", "shop.models:Order")
    assert "did you mean shop.models:Order?" in run_extreg("show", "Order").stderr
    assert "extreg add" not in run_extreg("show", "Basket").stderr
