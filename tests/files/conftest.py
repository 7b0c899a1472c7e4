"""What the tests with several users share: a folder for all of them, and the command run as another user."""

import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest


@pytest.fixture
def anywhere() -> Iterator[Path]:
    """Pytest's own temporary folders are for one user."""
    folder = Path(tempfile.mkdtemp(prefix="extreg-tests-", dir="/tmp"))
    folder.chmod(0o777)
    yield folder
    shutil.rmtree(folder)


# Everything is imported before the change of user, who may not read where this Python is.
AS_USER = """
import contextlib, io, os, sys, tempfile
from extreg.cli.main import main

user, group, prelude, *line = sys.argv[1:]
with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
    path = os.path.join(folder, "registry.toml")
    for command in (["init"], ["add", "--no-import", "m:C"], ["add", "--no-import", "no target"]):
        with contextlib.redirect_stdout(io.StringIO()):
            main([command[0], "--registry", path, *command[1:]])
exec(prelude)
os.setgroups([])
os.setgid(int(group))
os.setuid(int(user))
sys.exit(main(line))
"""

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def start_as() -> Start:
    """Start the command as a user, a number, who is in no group but one; `prelude` is Python to run before."""

    def start(user: int, *line: str, group: int = 2345, prelude: str = "") -> "subprocess.Popen[str]":
        command = [sys.executable, "-c", AS_USER, str(user), str(group), prelude, *line]
        return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

    return start
