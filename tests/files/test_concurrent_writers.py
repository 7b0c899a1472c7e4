"""Many writers at once lose nothing, and readers never see a bad file."""

import subprocess
import sys
import time
from pathlib import Path

import pytest

from extreg.registry.model import Registry

pytestmark = pytest.mark.slow

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
