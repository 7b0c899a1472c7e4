"""An interrupt at any moment, and closed streams: no traceback, documented exit codes, nothing half written."""

import itertools
import os
import pickle
import random
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from extreg.cli.commands import COMMANDS
from extreg.registry.model import Registry

pytestmark = [
    pytest.mark.skipif(sys.platform == "win32", reason="signals and descriptors are POSIX's"),
    pytest.mark.once,
]

REGISTRY = """\
format = 1

[codes]
300 = "collections:OrderedDict"
301 = "shop:Order"

[load-only]
310 = "shop:Basket"
"""
LINES = [
    ["--help"],
    ["init", "--registry", "new.toml"],
    ["add", "fractions:Fraction"],
    ["add", "--no-import", *(f"m:C{number}" for number in range(500))],
    ["promote", "310"],
    ["demote", "300"],
    ["retire", "--now", "300"],
    ["move", "301", "shop:Other"],
    ["move", "--no-import", "--module", "shop", "store"],
    ["alias", "301", "shop:Another"],
    ["list"],
    ["show", "300"],
    ["lint"],
    ["lint", "--import"],
    ["lint", "--fix"],
    ["rule", "nested-name"],
    ["schema"],
    ["compile"],
    ["diff", "other.toml"],
    ["merge-driver", "--", "registry.toml", "ours.toml", "registry.toml", "registry.toml"],
    ["resolve"],
    ["git-setup", "--check"],
    ["scan", "data"],
    ["scan", "--jobs", "2", "data"],
    ["dis", "data/1.pkl"],
    ["suggest", "data"],
    ["rewrite", "--to", "codes", "data"],
    ["jar", "add", "--no-redact", "data/1.pkl"],
    ["jar", "list"],
    ["scan", "data", "--journal", "census.json"],
    ["census", "merge", "whole.json"],
    ["doctor"],
    ["autoload", "status"],
    ["run", "--", sys.executable, "-c", "pass"],
    ["completion", "bash"],
    ["demo"],
]
DATA = [pickle.dumps([{"a": number}] * 50, 4) for number in range(30)]


def project(folder: Path) -> Path:
    folder.mkdir()
    subprocess.run(["git", "init", "--quiet", str(folder)], check=True)
    (folder / "registry.toml").write_text(REGISTRY)
    (folder / "ours.toml").write_text(REGISTRY + '311 = "shop:Mine"\n')
    (folder / "other.toml").write_text(REGISTRY + '312 = "shop:Theirs"\n')
    (folder / "shop.py").write_text("class Order: pass\nclass Basket: pass\nclass Other: pass\n")
    (folder / "data").mkdir()
    for number, data in enumerate(DATA):
        (folder / "data" / f"{number}.pkl").write_bytes(data)
    return folder


needs_git = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")


def command(line: list[str]) -> list[str]:
    return [sys.executable, "-m", "extreg", *line]


def started(folder: Path, line: list[str]) -> "subprocess.Popen[str]":
    # What runs the tests in the background may have told them to ignore it, and children inherit that.
    return subprocess.Popen(
        command(line),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1"},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def seconds(arguments: list[str], folder: Path) -> float:
    start = time.monotonic()
    subprocess.run(arguments, cwd=folder, capture_output=True, stdin=subprocess.DEVNULL)
    return time.monotonic() - start


def half_written(folder: Path) -> list[str]:
    """Return what a reader could not read, and what was left lying about."""
    wrong = [path.name for path in folder.rglob("*extreg-new*")]
    for path in folder.glob("*.toml"):
        if path.name == "ours.toml" and "<<<<<<<" in path.read_text():
            # What a driver that is killed leaves: both sides whole, so that git sees a conflict.
            wrong += [side for side in ("shop:Mine", "=======", ">>>>>>>") if side not in path.read_text()]
            continue
        try:
            Registry.load(path)
        except Exception as error:
            wrong.append(f"{path.name}: {error}")
    for number, data in enumerate(DATA):
        if pickle.loads((folder / "data" / f"{number}.pkl").read_bytes()) != pickle.loads(data):
            wrong.append(f"{number}.pkl")
    return wrong


def interrupt_at_random(tmp_path: Path, number: signal.Signals, seed: int, times: int) -> None:
    dice = random.Random(seed)
    whole = {}
    bare = min(seconds([sys.executable, "-c", "pass"], tmp_path) for _ in range(5))
    for turn in range(times):
        line = LINES[turn % len(LINES)]
        folder = project(tmp_path / str(turn))
        key = " ".join(line[:2])
        if key not in whole:
            whole[key] = seconds(command(line), project(tmp_path / f"whole{turn}"))
        # Before that there is an interpreter, and nothing of ours.
        wait = bare + dice.random() * max(whole[key] - bare, 0.01)
        with started(folder, line) as process:
            time.sleep(wait)
            process.send_signal(number)
            _, said = process.communicate(timeout=60)
        # Before the package is found, it is the interpreter that is interrupted.
        assert "Traceback" not in said or re.search(r'File ".*extreg.*\.py"', said) is None, (line, wait, said)
        done = {0, 1, 130, -signal.SIGINT} if number == signal.SIGINT else {0, 1, -signal.SIGTERM}
        assert process.returncode in done, (line, wait, process.returncode, said)
        if number == signal.SIGINT:
            assert half_written(folder) == [], (line, wait)
        else:
            # A temporary file may lie there, and the next writer takes it away.
            assert [wrong for wrong in half_written(folder) if "extreg-new" not in wrong] == [], (line, wait)


@needs_git
@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_any_moment(tmp_path: Path, number: signal.Signals) -> None:
    interrupt_at_random(tmp_path, number, seed=1, times=len(LINES))


@needs_git
@pytest.mark.soak
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_at_any_moment_soak(tmp_path: Path, number: signal.Signals) -> None:
    interrupt_at_random(tmp_path, number, seed=2, times=208)


def test_every_command_is_interrupted() -> None:
    assert {entry.name for entry in COMMANDS} <= {line[0] for line in LINES}


CLOSED = [closed for count in range(1, 4) for closed in itertools.combinations((0, 1, 2), count)]


@needs_git
@pytest.mark.slow
@pytest.mark.parametrize("closed", CLOSED, ids=str)
@pytest.mark.parametrize(
    ("line", "code"),
    [
        (["list"], 0),
        (["--version"], 0),
        (["--help"], 0),
        (["add", "fractions:Fraction"], 0),
        (["add", "fractions:Fracture"], 1),
        (["lint", "--registry", "other.toml"], 1),
        (["list", "--registry", "missing.toml"], 2),
        (["scan", "data"], 0),
        (["lint", "--import"], 1),
        (["lost"], 2),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, list) else str(part),
)
def test_closed_streams_change_nothing_but_what_is_seen(tmp_path: Path, line: list[str], code: int, closed) -> None:
    folder = project(tmp_path / "project")
    (folder / "shop.py").unlink()
    before = {path.name: path.read_bytes() for path in folder.glob("*.toml")}

    def close() -> None:
        for descriptor in closed:
            os.close(descriptor)

    done = subprocess.run(
        command(line),
        cwd=folder,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        preexec_fn=close,
    )
    assert done.returncode == code
    assert "Traceback" not in done.stderr
    after = {path.name: path.read_bytes() for path in folder.glob("*.toml")}
    changed = {name for name in after if before[name] != after[name]}
    assert changed == ({"registry.toml"} if line == ["add", "fractions:Fraction"] else set())
    assert "fractions:Fraction" in after["registry.toml"].decode() if changed else True
