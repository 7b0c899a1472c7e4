"""A writer that is killed leaves the old file or the new one, whole, and nothing beside it."""

import json
import os
import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from extreg.disk import atomic as write
from extreg.registry.file import update
from extreg.registry.life import add
from extreg.registry.model import Registry

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")]

# Each version of the file is known from its predecessor alone: row n is there if and only if rows 0 to n-1 are.
WRITER = """
import sys
from pathlib import Path
from extreg.registry.file import update
from extreg.registry.life import add

path = Path(sys.argv[1])
number = int(sys.argv[2])
print("ready", flush=True)
while True:
    update(path, lambda registry: add(registry, f"package.module:Class{number}")[0])
    number += 1
"""

# Writes the file again and again, each time in a child that kills itself one call into C later than the one before,
# until a child comes through. Prints, per child, whether the new text was there and what else was in the folder.
EVERY_STEP = """
import json, os, signal, sys
from pathlib import Path
from extreg.disk import atomic as write

path, named = Path(sys.argv[1]), sys.argv[2] == "named"
if named:
    del os.O_TMPFILE
OLD, NEW = b"old" * 5000, b"new" * 5000

def child(last):
    seen = 0
    def count(frame, event, argument):
        nonlocal seen
        if event in ("c_call", "c_return"):
            seen += 1
            if seen == last:
                os.kill(os.getpid(), signal.SIGKILL)
    sys.setprofile(count)
    write.write(path, NEW, was=OLD)
    sys.setprofile(None)
    os._exit(0)

steps = []
status = 1
while status != 0:
    path.write_bytes(OLD)
    pid = os.fork()
    if pid == 0:
        child(len(steps) + 1)
    _, status = os.waitpid(pid, 0)
    assert path.read_bytes() in (OLD, NEW), f"torn after {len(steps)} calls"
    others = sorted(set(os.listdir(path.parent)) - {path.name})
    steps.append([path.read_bytes() == NEW, others])
json.dump(steps, sys.stdout)
"""


def kill_one(path: Path, number: int, delay: float) -> int:
    """Start a writer at row `number`, kill it `delay` seconds into its writing, return the next row's number."""
    with subprocess.Popen([sys.executable, "-c", WRITER, str(path), str(number)], stdout=subprocess.PIPE) as writer:
        assert writer.stdout is not None
        assert writer.stdout.readline() == b"ready\n"
        try:
            writer.wait(delay)
        except subprocess.TimeoutExpired:
            writer.kill()
    assert writer.returncode == -9
    rows = set(Registry.load(path).codes.values())
    assert rows == {f"package.module:Class{count}" for count in range(len(rows))}
    assert len(rows) >= number, "a row that had been written is gone"
    return len(rows)


def kills(path: Path, count: int) -> tuple[int, int]:
    """Kill `count` writers; return how many rows they wrote and how often one left a file behind."""
    delays = random.Random(2)  # the same instants in every run, as far as a scheduler lets them be
    leftovers = 0
    path.write_text("format = 1\n" + "# padding\n" * 2_000 + "\n[codes]\n", encoding="utf-8")
    started = time.perf_counter()
    update(path, lambda registry: add(registry, "package.module:Class0")[0])
    window = 4 * (time.perf_counter() - started)  # a few writes long, on this machine as it is now
    number = 1
    for _ in range(count):
        number = kill_one(path, number, delays.uniform(0.0, window))
        leftovers += [path] != list(path.parent.iterdir())
    update(path, lambda registry: add(registry, "package.module:Last")[0])
    assert list(path.parent.iterdir()) == [path], "the next write removes what a killed one left"
    return number, leftovers


@pytest.mark.parametrize("count", [30, pytest.param(300, marks=pytest.mark.soak)])
def test_a_writer_killed_at_any_time_leaves_a_whole_file(count: int, tmp_path: Path) -> None:
    written, leftovers = kills(tmp_path / "registry.toml", count)
    print(f"{count} kills, {written} rows written, {leftovers} leftovers")
    assert written > 1, "the writers were killed before they wrote anything"
    if hasattr(os, "O_TMPFILE"):
        assert leftovers <= count // 10


@pytest.mark.skipif(not hasattr(os, "O_TMPFILE"), reason="files without a name are Linux's")
@pytest.mark.parametrize("kind", ["nameless", "named"])
def test_a_writer_killed_at_each_step_leaves_a_whole_file(kind: str, tmp_path: Path) -> None:
    """Before and after every single call into C: first the old file, from one step on the new one."""
    path = tmp_path / "registry.toml"
    line = [sys.executable, "-c", EVERY_STEP, str(path), kind]
    done = subprocess.run(line, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr
    steps = json.loads(done.stdout)
    new = [is_new for is_new, _ in steps]
    assert new == sorted(new)
    assert False in new
    left = [number for number, (_, others) in enumerate(steps) if others]
    assert all(len(others) <= 1 for _, others in steps)
    assert all(write.TEMPORARY.fullmatch(name) for _, others in steps for name in others)
    print(f"{kind}: {len(steps)} steps, something beside the file after {len(left)} of them")
    # Without a name there is something to see only between the link and the rename.
    assert 0 < len(left) <= (12 if kind == "nameless" else len(steps) // 2 + 20)
    assert steps[-1] == [True, []]
