"""Whoever appends to a file, or replaces it, while `rewrite` works on it loses nothing without being told."""

import io
import os
import pickle
import subprocess
import sys
import time
from collections import OrderedDict
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from extreg.pickles import to_names
from extreg.registry.model import Registry

Run = Callable[..., "subprocess.CompletedProcess[str]"]
REGISTRY = 'format = 1\n\n[codes]\n240 = "collections:OrderedDict"\n'
pytestmark = [pytest.mark.slow, pytest.mark.once]
POSIX_ONLY = pytest.mark.skipif(sys.platform == "win32", reason="nobody replaces an open file there")

# Opens, appends and closes, until its standard input ends; says how many records it wrote.
APPENDER = """
import pickle, random, select, sys, time
from collections import OrderedDict

path, pause, number = sys.argv[1], float(sys.argv[2]), 0
print("ready", flush=True)
while not select.select([sys.stdin], [], [], 0)[0]:
    with open(path, "ab") as file:
        file.write(pickle.dumps(OrderedDict(number=number), 4))
    number += 1
    time.sleep(random.random() * pause)
print(number, flush=True)
"""

# Runs the command without what only some systems have.
POORER = """
import ctypes, fcntl, os, sys
from extreg.stores import replacing
if "leases" in sys.argv[1]:
    vars(fcntl).pop("F_SETLEASE", None)
if "exchange" in sys.argv[1]:
    replacing.exchange = lambda one, other: False
if "nameless" in sys.argv[1]:
    vars(os).pop("O_TMPFILE", None)
from extreg.cli.main import main
sys.exit(main(sys.argv[2:]))
"""


class Account(NamedTuple):
    """What became of some runs: how many, of how many records; how many left the file alone; how many were lost."""

    runs: int = 0
    records: int = 0
    alone: int = 0
    lost: int = 0


def records(path: Path, registry: Registry) -> list[int]:
    """Return the numbers of the records in a file of pickles, whichever were rewritten."""
    data = to_names(path.read_bytes(), registry)
    stream = io.BytesIO(data)
    found = []
    while stream.tell() < len(data):
        found.append(pickle.load(stream)["number"])
    return found


def run_against_appender(folder: Path, missing: str, to: str) -> Account:
    """Let one appender and one `rewrite` meet; check that what is not there was not there without a word."""
    path, registry = folder / "log", folder / "registry.toml"
    registry.write_text(REGISTRY)
    path.write_bytes(b"")
    writing = [sys.executable, "-c", APPENDER, str(path), "0.04"]
    command = ["rewrite", "--registry", str(registry), "--to", to, str(path)]
    with subprocess.Popen(writing, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as appender:
        assert appender.stdout is not None
        assert appender.stdout.readline() == "ready\n"
        while path.stat().st_size == 0:
            time.sleep(0.001)
        done = subprocess.run([sys.executable, "-c", POORER, missing, *command], capture_output=True, text=True)
        written = int(appender.communicate("stop\n")[0])
    assert "Traceback" not in done.stderr
    alone = done.returncode == 2
    assert alone == ("left as it is" in done.stderr), done.stderr
    assert alone or done.stdout.startswith("changed "), done.stdout
    there = records(path, Registry.parse(REGISTRY))
    assert len(there) == len(set(there))
    assert sorted(os.listdir(folder)) == ["log", "registry.toml"]
    return Account(1, written, alone, written - len(there))


@POSIX_ONLY
@pytest.mark.parametrize("missing", ["nothing", "leases", "leases, exchange, nameless"])
@pytest.mark.parametrize("count", [8, pytest.param(100, marks=pytest.mark.soak)])
def test_every_record_of_an_appender_is_there(count: int, missing: str, tmp_path: Path) -> None:
    accounts = []
    for number in range(count):
        (folder := tmp_path / str(number)).mkdir()
        accounts.append(run_against_appender(folder, missing, "codes"))
    total = Account(*map(sum, zip(*accounts, strict=True)))
    print(f"without {missing}: {total}")
    assert total.lost == 0
    assert total.alone < count, "it never came to the test"


# Replaces the file by another version, as editors and careful programs do, until its standard input ends.
REPLACER = """
import os, pickle, random, select, sys, time
from collections import OrderedDict

path, pause, number = sys.argv[1], float(sys.argv[2]), 0
print("ready", flush=True)
while not select.select([sys.stdin], [], [], 0)[0]:
    with open(path + ".mine", "wb") as file:
        file.write(pickle.dumps(OrderedDict(number=number), 4) * 50)
    os.replace(path + ".mine", path)
    number += 1
    time.sleep(random.random() * pause)
print(number, flush=True)
"""


@POSIX_ONLY
@pytest.mark.parametrize("missing", ["nothing", "leases"])
@pytest.mark.parametrize("count", [5, pytest.param(100, marks=pytest.mark.soak)])
def test_a_version_that_another_program_puts_there_stays(count: int, missing: str, tmp_path: Path) -> None:
    path, registry = tmp_path / "state", tmp_path / "registry.toml"
    registry.write_text(REGISTRY)
    command = ["rewrite", "--registry", str(registry), "--to", "codes", str(path)]
    for _ in range(count):
        path.write_bytes(b"")
        replacing = [sys.executable, "-c", REPLACER, str(path), "0.02"]
        with subprocess.Popen(replacing, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as replacer:
            assert replacer.stdout is not None
            assert replacer.stdout.readline() == "ready\n"
            while path.stat().st_size == 0:
                time.sleep(0.001)
            done = subprocess.run([sys.executable, "-c", POORER, missing, *command], capture_output=True, text=True)
            last = int(replacer.communicate("stop\n")[0]) - 1
        assert done.returncode == 0 or "left as it is" in done.stderr, done.stderr
        assert records(path, Registry.parse(REGISTRY)) == [last] * 50
        assert sorted(os.listdir(tmp_path)) == ["registry.toml", "state"]


@POSIX_ONLY
@pytest.mark.parametrize("missing", ["nothing", "nameless", "leases, exchange, nameless"])
def test_several_at_once_do_what_one_does(missing: str, tmp_path: Path) -> None:
    """None reports anything, no file is torn: they wait for each other, with temporary files of their own."""
    registry, data = tmp_path / "registry.toml", tmp_path / "data"
    registry.write_text(REGISTRY)
    data.mkdir()
    old = b"".join(pickle.dumps(OrderedDict(number=number), 4) for number in range(300))
    files = [data / f"{number:02}" for number in range(12)]
    command = ["rewrite", "--registry", str(registry), "--to", "codes", str(data)]
    for _ in range(3):
        for path in files:
            path.write_bytes(old)
        line = [sys.executable, "-c", POORER, missing, *command]
        together = [subprocess.Popen(line, stdout=-1, stderr=-1, text=True) for _ in range(4)]
        said = [process.communicate() for process in together]
        assert [process.returncode for process in together] == [0] * 4, said
        assert sum(out.count("changed ") for out, _ in said) == len(files)
        assert {len(path.read_bytes()) for path in files} == {files[0].stat().st_size} != {len(old)}
        assert records(files[-1], Registry.parse(REGISTRY)) == list(range(300))
        assert sorted(os.listdir(data)) == [path.name for path in files]


@POSIX_ONLY
def test_a_file_that_is_open_for_writing_is_left_alone(tmp_path: Path, run_extreg: Run) -> None:
    """A program that goes on writing to the old file would write for nobody."""
    path, registry = tmp_path / "log", tmp_path / "registry.toml"
    registry.write_text(REGISTRY)
    path.write_bytes(old := pickle.dumps(OrderedDict(number=1), 4) * 20)
    with path.open("ab"):
        done = run_extreg("rewrite", "--to", "codes", str(path))
        if sys.platform == "linux":
            assert done.returncode == 2
            assert f"{path}: another program has it open for writing; it is left as it is" in done.stderr
            assert path.read_bytes() == old
    assert run_extreg("rewrite", "--to", "codes", str(path)).returncode == 0
