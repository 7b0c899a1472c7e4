"""The codes that `extreg add` gives depend on nothing but the file and the targets."""

from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import pytest

from extreg.registry.allocation import home
from extreg.registry.model import Registry
from extreg.registry.ranges import BUILT_IN

Run = Callable[..., "CompletedProcess[str]"]

TARGETS = [f"shop.part{number}:Class{number}" for number in range(12)]


def colliding() -> tuple[str, str]:
    """Return two targets with the same home."""
    seen: dict[int, str] = {}
    for number in range(10_000):
        target = f"m:C{number}"
        other = seen.setdefault(home(target, BUILT_IN["default"]), target)
        if other != target:
            return other, target
    raise AssertionError("no two of 10,000 targets share one of 65,280 codes")


@pytest.mark.parametrize("seed", ["0", "1", "4242", "random"])
def test_order_and_hash_seed_do_not_matter(seed: str, run_extreg: Run, registry_file: Path) -> None:
    """All at once or one by one, forward or backward, whatever PYTHONHASHSEED is."""
    env = {"PYTHONHASHSEED": seed}
    orders = {"0": TARGETS, "1": TARGETS[::-1], "4242": TARGETS[6:] + TARGETS[:6], "random": sorted(TARGETS, key=str)}
    done = run_extreg("add", "--no-import", *orders[seed], env=env)
    assert (done.returncode, done.stderr) == (0, "")
    codes = {home(target, BUILT_IN["default"]): target for target in TARGETS}
    assert len(codes) == len(TARGETS)
    rows = "".join(f'{code} = "{codes[code]}"\n' for code in sorted(codes))
    assert registry_file.read_text() == f"format = 1\n\n[codes]\n{rows}"


def test_a_collision_is_said(run_extreg: Run, registry_file: Path) -> None:
    """Then, and only then, the order matters: whoever comes first gets the code."""
    one, two = colliding()
    place = home(one, BUILT_IN["default"])
    for first, second in ((one, two), (two, one)):
        registry_file.write_text("format = 1\n[codes]\n")
        assert run_extreg("add", "--no-import", first).stderr == ""
        done = run_extreg("add", "--no-import", second)
        assert done.stdout == f'{place + 1} = "{second}"\n'
        assert done.stderr == f"note: {second} hashes to code {place}, which {first} has; it gets {place + 1}\n"
        assert Registry.load(registry_file).codes == {place: first, place + 1: second}


def test_a_collision_with_a_retired_code_is_said(run_extreg: Run, registry_file: Path) -> None:
    """A target that was retired can be added again, under another code."""
    assert run_extreg("add", "--no-import", "m:C").returncode == 0
    assert run_extreg("retire", "--now", "m:C").returncode == 0
    place = home("m:C", BUILT_IN["default"])
    done = run_extreg("add", "--no-import", "m:C")
    assert done.stdout == f'{place + 1} = "m:C"\n'
    assert done.stderr == f"note: m:C hashes to code {place}, which m:C had; it gets {place + 1}\n"
