"""Many writers at once lose nothing, and readers never see a bad file."""

import random
import subprocess
import sys
import time
from pathlib import Path

import pytest

from extreg.registry.file import update
from extreg.registry.life import add
from extreg.registry.model import Registry

pytestmark = [pytest.mark.slow, pytest.mark.once]

PROCESSES = 16
ADDS = 50

WRITER = f"""
import sys
from extreg.cli.main import main

number = sys.argv[1]
for count in range({ADDS}):
    assert main(["add", "--no-import", "--registry", sys.argv[2], f"package{{number}}.module:Class{{count}}"]) == 0
"""


def test_concurrent_adds_lose_nothing(registry_file: Path) -> None:
    """16 processes of 50 `extreg add` each: 800 distinct codes, and the file is sound whenever it is looked at."""
    writers = [
        subprocess.Popen([sys.executable, "-c", WRITER, str(number), str(registry_file)], stdout=subprocess.DEVNULL)
        for number in range(PROCESSES)
    ]
    looks = 0
    seen: dict[int, str] = {}
    while any(writer.poll() is None for writer in writers):
        now = Registry.load(registry_file).codes
        assert seen.items() <= now.items(), "a code that was there is gone or means something else"
        seen = dict(now)
        looks += 1
        time.sleep(0.002)
    assert [writer.returncode for writer in writers] == [0] * PROCESSES
    assert looks > PROCESSES
    codes = Registry.load(registry_file).codes
    wanted = {f"package{number}.module:Class{count}" for number in range(PROCESSES) for count in range(ADDS)}
    assert set(codes.values()) == wanted
    assert len(codes) == PROCESSES * ADDS
    assert list(registry_file.parent.iterdir()) == [registry_file]


# Adds one target after another and notes each, with its code, once the edit is done.
NOTING = """
import os, sys
from pathlib import Path
from extreg.registry.file import update
from extreg.registry.life import add

path, notes, number, count = Path(sys.argv[1]), sys.argv[2], sys.argv[3], 0
written = os.open(notes, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
while True:
    given = []
    def change(registry):
        registry, code = add(registry, f"package{number}.module:Class{count}")
        given[:] = [code]
        return registry
    update(path, change)
    os.write(written, f"{given[0]} package{number}.module:Class{count}\\n".encode())
    count += 1
"""


@pytest.mark.skipif(sys.platform == "win32", reason="no SIGKILL")
@pytest.mark.parametrize("edits", [240, pytest.param(10_000, marks=pytest.mark.soak)])
def test_edits_by_writers_that_are_killed(edits: int, registry_file: Path, tmp_path: Path) -> None:
    """16 writers; one is killed every now and then, and another takes its place: no edit that was done is lost."""
    chance, notes = random.Random(3), tmp_path / "notes"
    notes.touch()

    def start() -> "subprocess.Popen[bytes]":
        starts.append(None)
        return subprocess.Popen([sys.executable, "-c", NOTING, str(registry_file), str(notes), str(len(starts))])

    starts: list[None] = []
    writers = [start() for _ in range(PROCESSES)]
    try:
        while (done := notes.read_bytes().count(b"\n")) < edits:
            time.sleep(chance.uniform(0.0, 1.0))
            victim = chance.randrange(PROCESSES)
            writers[victim].kill()
            assert writers[victim].wait() == -9
            writers[victim] = start()
            assert len(Registry.load(registry_file).codes) >= done
    finally:
        for writer in writers:
            writer.kill()
            writer.wait()
    codes = Registry.load(registry_file).codes
    noted = [line.split(" ") for line in notes.read_text().splitlines()]
    kills = len(starts)
    print(f"{len(noted)} edits noted, {len(codes)} in the file, {kills} kills")
    assert [line for line in noted if codes.get(int(line[0])) != line[1]] == []
    # Who is killed may have made one edit that it did not note.
    assert len(noted) <= len(codes) <= len(noted) + kills
    assert len(set(codes.values())) == len(codes)
    update(registry_file, lambda registry: add(registry, "package.module:Last")[0])
    assert sorted(registry_file.parent.iterdir()) == [notes, registry_file]
