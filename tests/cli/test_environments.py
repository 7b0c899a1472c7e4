"""The commands in odd surroundings: no traceback, documented exit codes, nothing half written."""

import ctypes
import os
import pickle
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from extreg.registry.model import Registry

pytestmark = [
    pytest.mark.slow,
    pytest.mark.once,
    pytest.mark.skipif(sys.platform == "win32", reason="limits and modes are POSIX's"),
]

REGISTRY = 'format = 1\n\n[codes]\n300 = "shop:Order"\n'
LINES: dict[str, set[int]] = {
    "--version": {0},
    "--help": {0},
    "list": {0},
    "show 300": {0},
    "lint": {0},
    "lint --import": {0},
    "add --no-import shop:Basket": {0},
    "add shop:Basket": {0},
    "init --registry new.toml": {0},
    "compile": {0},
    "scan data": {0},
    "rewrite --to codes data": {0},
    "list --registry missing.toml": {2},
}


@dataclass(frozen=True)
class Surroundings:
    """What is odd: variables that are set (None: taken away), how Python is called, and what else is done first."""

    variables: dict[str, str | None] = field(default_factory=dict)
    options: tuple[str, ...] = ()
    before: Callable[[Path], object] | None = None  # in the folder, before the command
    within: Callable[[], object] | None = None  # in the process, before the command
    streams: dict[str, Any] = field(default_factory=dict)
    alone: bool = False  # no variable at all
    may_fail: bool = False  # with 1 or 2 and a word, though the command would do elsewhere


def no_files() -> None:
    resource.setrlimit(resource.RLIMIT_NOFILE, (12, 12))


def little_memory() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (300 << 20, 300 << 20))


def no_file_sizes() -> None:
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))


def obey_modes() -> None:
    """Let root be told by modes and owners what it may do, as everybody is: prctl(PR_CAPBSET_DROP, CAP_DAC_...)."""
    if os.geteuid() == 0:
        for capability in (1, 2):
            ctypes.CDLL(None).prctl(24, capability, 0, 0, 0)


def foreign(folder: Path) -> None:
    """Give the folder, and all in it, to somebody else, as far as we may."""
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            os.chown(path, 54321, 54321)


def read_only(folder: Path) -> None:
    for path in (folder, folder / "data"):
        path.chmod(0o555)


SURROUNDINGS = {
    "no variables": Surroundings(alone=True),
    "no home": Surroundings({"HOME": None}),
    "a home that is not there": Surroundings({"HOME": "/nowhere"}),
    "the C locale": Surroundings({"LC_ALL": "C", "LANG": None}),
    "a locale that is not there": Surroundings({"LC_ALL": "xx_XX.UTF-99"}),
    "no UTF-8 mode, ASCII streams": Surroundings({"PYTHONUTF8": "0", "PYTHONIOENCODING": "ascii", "LC_ALL": "POSIX"}),
    "Latin-1 streams": Surroundings({"PYTHONIOENCODING": "latin-1:strict"}),
    "UTF-16 streams": Surroundings({"PYTHONIOENCODING": "utf-16"}),
    "without asserts and docstrings": Surroundings({"PYTHONOPTIMIZE": "2"}),
    "isolated": Surroundings(options=("-I",)),
    "a safe path": Surroundings({"PYTHONSAFEPATH": "1"}),
    "warnings are errors": Surroundings({"PYTHONWARNINGS": "error"}),
    "development mode": Surroundings({"PYTHONDEVMODE": "1"}),
    "caches nowhere": Surroundings({"PYTHONPYCACHEPREFIX": "/proc/nowhere"}, may_fail=True),
    "a dumb terminal, one column": Surroundings({"TERM": "dumb", "COLUMNS": "1", "LINES": "0"}),
    "no place for temporary files": Surroundings({"TMPDIR": "/nowhere", "TMP": "/nowhere", "TEMP": "/nowhere"}),
    "no git": Surroundings({"PATH": "/nowhere"}),
    "git is led astray": Surroundings({"GIT_DIR": "/nowhere", "GIT_WORK_TREE": "/nowhere"}, may_fail=True),
    "a full disk for what is said": Surroundings(streams={"stdout": "/dev/full"}, may_fail=True),
    "a full disk for errors": Surroundings(streams={"stderr": "/dev/full"}, may_fail=True),
    "a full disk for all that is said": Surroundings(
        streams={"stdout": "/dev/full", "stderr": "/dev/full"}, may_fail=True
    ),
    "no room for files": Surroundings(within=no_file_sizes, may_fail=True),
    "few open files": Surroundings(within=no_files, may_fail=True),
    "little memory": Surroundings(within=little_memory, may_fail=True),
    "a umask of 0": Surroundings(within=lambda: os.umask(0)),
    "a umask of 777": Surroundings(within=lambda: os.umask(0o777), may_fail=True),
    "a folder to read only": Surroundings(before=read_only, within=obey_modes, may_fail=True),
    "a folder of somebody else": Surroundings(before=foreign, within=obey_modes, may_fail=True),
    "the folder is gone": Surroundings(before=shutil.rmtree, may_fail=True),
}


def project(folder: Path) -> Path:
    (folder / "data").mkdir(parents=True)
    (folder / "registry.toml").write_text(REGISTRY)
    (folder / "shop.py").write_text("class Order: pass\nclass Basket: pass\n")
    (folder / "data" / "a.pkl").write_bytes(pickle.dumps([{"a": 1}] * 50))
    return folder


@pytest.mark.skipif(sys.platform != "linux", reason="capabilities are Linux's")
@pytest.mark.parametrize("name", ["a folder to read only", "a folder of somebody else"])
def test_modes_count_for_root_too(name: str, tmp_path: Path) -> None:
    """Else these surroundings would show nothing where the tests run as root."""
    done = run(SURROUNDINGS[name], "add --no-import shop:Basket", project(tmp_path / "project"))
    assert done.returncode == 2
    assert "Permission denied" in done.stderr


def test_there_are_enough() -> None:
    assert len(SURROUNDINGS) >= 22


@pytest.mark.parametrize("name", SURROUNDINGS)
def test_no_surroundings_upset_a_command(name: str, tmp_path: Path) -> None:
    odd = SURROUNDINGS[name]
    for number, (line, codes) in enumerate(LINES.items()):
        folder = project(tmp_path / str(number))
        done = run(odd, line, folder)
        said = f"{name}: extreg {line}: {done.returncode}\n{done.stdout}\n{done.stderr}"
        assert "Traceback" not in said, said
        assert done.returncode in (codes | {1, 2} if odd.may_fail else codes), said
        if done.returncode not in codes and "stderr" not in odd.streams:
            assert done.stderr.strip(), said
        if folder.exists():
            folder.chmod(0o755)
            assert half_written(folder) == [], said


def run(odd: Surroundings, line: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    variables = {} if odd.alone else {**os.environ, **odd.variables}
    start = "import os, sys; os.chdir(sys.argv.pop(1)); sys.argv[0] = 'extreg'; from extreg.cli.main import run; run()"
    command = [sys.executable, *odd.options, "-m", "extreg", *line.split()]
    if odd.before is shutil.rmtree:  # a process cannot be started in a folder that is not there
        remove = "import os, sys, shutil; shutil.rmtree(os.getcwd()); os.execv(sys.executable, sys.argv[1:])"
        command = [sys.executable, "-c", remove, *command]
    elif odd.before is not None:
        odd.before(folder)
    if "-I" in odd.options:  # where the working directory is not on the path, and an editable install is
        command = [sys.executable, "-I", "-c", start, str(folder), *line.split()]
    out, err = (odd.streams.get(name, os.devnull) for name in ("stdout", "stderr"))
    with open(out, "w") as stream, open(err, "w") as errors:
        done = subprocess.run(
            command,
            cwd=folder,
            env={key: value for key, value in variables.items() if value is not None},
            stdout=stream if "stdout" in odd.streams else subprocess.PIPE,
            stderr=errors if "stderr" in odd.streams else subprocess.PIPE,
            preexec_fn=odd.within,
            check=False,
            timeout=120,
        )
    return subprocess.CompletedProcess(
        done.args,
        done.returncode,
        (done.stdout or b"").decode("utf-8", "replace"),
        (done.stderr or b"").replace(b"\0", b"").decode("utf-8", "replace"),
    )


def half_written(folder: Path) -> list[str]:
    wrong = [path.name for path in folder.rglob("*extreg-new*")]
    for path in folder.glob("*.toml"):
        path.chmod(0o644)
        try:
            Registry.load(path)
        except Exception as error:
            wrong.append(f"{path.name}: {error}")
    if pickle.loads((folder / "data" / "a.pkl").read_bytes()) != [{"a": 1}] * 50:
        wrong.append("a.pkl")
    return wrong
