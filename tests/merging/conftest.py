"""Real git repositories that know nothing of the user's configuration."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from extreg.registry.document import Document
from extreg.registry.model import Registry
from extreg.registry.toml.edit import edit

SETTINGS = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Test",
    "GIT_AUTHOR_EMAIL": "test@example.org",
    "GIT_COMMITTER_NAME": "Test",
    "GIT_COMMITTER_EMAIL": "test@example.org",
    "GIT_EDITOR": "true",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",
}


class Repository:
    """A repository with a registry.toml on branch main, merged by the driver of the extreg under test."""

    def __init__(self, folder: Path, text: str, *, driver: bool = True) -> None:
        self.folder = folder
        self.path = folder / "registry.toml"
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "-q", "-b", "main", "--template=")
        self.git("config", "maintenance.auto", "false")
        self.path.write_bytes(text.encode())
        if driver:
            self.set_up()
        self.commit("start")

    def set_up(self) -> None:
        # Isolated, for git runs the driver in the work tree; the settings are those that git-setup makes.
        command = f"'{Path(sys.executable).as_posix()}' -I -m extreg"
        self.extreg("git-setup", "--command", command)

    @classmethod
    def copy(cls, original: "Repository", folder: Path) -> "Repository":
        """Return a copy, which costs less than making the same again."""
        shutil.copytree(original.folder, folder)
        made = cls.__new__(cls)
        made.folder, made.path = folder, folder / "registry.toml"
        return made

    def git(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        done = subprocess.run(["git", *arguments], cwd=self.folder, capture_output=True, text=True)
        assert "Traceback" not in done.stderr, done.stderr
        if check:
            assert done.returncode == 0, f"git {' '.join(arguments)}: {done.stdout}{done.stderr}"
        return done

    def extreg(self, *arguments: str, check: bool = True) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-I", "-m", "extreg", *arguments]
        done = subprocess.run(command, cwd=self.folder, capture_output=True, text=True)
        assert "Traceback" not in done.stderr, done.stderr
        if check:
            assert done.returncode == 0, done.stdout + done.stderr
        return done

    @property
    def text(self) -> str:
        return self.path.read_bytes().decode()

    @property
    def registry(self) -> Registry:
        return Registry.parse(self.text)

    def at(self, reference: str) -> Registry:
        return Registry.parse(self.git("show", f"{reference}:registry.toml").stdout)

    def write(self, text: str) -> None:
        self.path.write_bytes(text.encode())

    def change(self, old: str, new: str) -> None:
        """Replace `old`, which stands in the file exactly once, by `new`."""
        assert self.text.count(old) == 1, (old, self.text)
        self.write(self.text.replace(old, new))

    def edit(self, registry: Registry) -> None:
        self.write(edit(Document.read(self.text), registry))

    def add(self, *rows: str, table: str = "codes") -> None:
        """Put rows into a table, in their order, as a text editor would."""
        for line in rows:
            lines = self.text.splitlines(keepends=True)
            first = lines.index(f"[{table}]\n") + 1
            place = first
            code = int(line.split(" = ")[0].rpartition("\n")[2])
            while place < len(lines) and lines[place].strip() and not lines[place].startswith("["):
                if lines[place][0].isdigit() and int(lines[place].split(" = ")[0]) > code:
                    break
                place += 1
            lines.insert(place, line + "\n")
            self.write("".join(lines))

    def commit(self, message: str) -> None:
        self.git("add", "-A")
        self.git("commit", "-q", "--allow-empty", "-m", message)

    def commit_change(self, message: str) -> None:
        """Commit a change of the registry alone, in one command."""
        self.git("commit", "-q", "--allow-empty", "-a", "-m", message)

    def branch(self, name: str, start: str = "main") -> None:
        self.git("switch", "-q", "-c", name, start)

    def switch(self, name: str) -> None:
        self.git("switch", "-q", name)


@pytest.fixture(autouse=True)
def no_user_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.startswith(("GIT_", "EXTREG_")):
            monkeypatch.delenv(name)
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("CI", raising=False)  # lint says less there


@pytest.fixture
def make_repository(tmp_path: Path):
    """A function that makes a repository from the text of its first registry."""

    def make(text: str, *, driver: bool = True, name: str = "repository") -> Repository:
        return Repository(tmp_path / name, text, driver=driver)

    return make


BASE = """\
# The shop's codes.
format = 1

[codes]
300 = "shop:Money"   # since 1.0
4711 = "shop:Order"

[load-only]
9000 = "shop:Basket"

[retired]
9120 = "shop:Cart"
"""


@pytest.fixture
def repository(make_repository) -> Repository:
    return make_repository(BASE)


# A driver whose interpreter is started once for thousands of merges: git runs the client, a few lines of shell, which
# hands its arguments to a server that calls the very function that the command line calls.
CLIENT = """\
#!/bin/sh
printf '%s\\n' "$PWD" "$@" > "{folder}/requests"
{{ read -r code; while IFS= read -r line; do printf '%s\\n' "$line" >&2; done; }} < "{folder}/replies"
exit "$code"
"""
SERVER = """\
import contextlib, io, os, sys, traceback
from extreg.cli.main import main
while True:
    with open(sys.argv[1]) as requests:
        lines = requests.read().splitlines()
    if lines == ["stop"]:
        break
    folder, *arguments = lines
    os.chdir(folder)
    said = io.StringIO()
    with contextlib.redirect_stdout(said), contextlib.redirect_stderr(said):
        try:
            code = main(arguments)
        except Exception:
            traceback.print_exc()
            code = 1
    with open(sys.argv[2], "w") as out:
        out.write(f"{code}\\n{said.getvalue()}")
"""


@pytest.fixture
def warm_driver(tmp_path: Path):
    """The command of a driver that needs no interpreter of its own."""
    folder = tmp_path / "driver"
    folder.mkdir()
    pipes = [folder / "requests", folder / "replies"]
    for pipe in pipes:
        os.mkfifo(pipe)
    client = folder / "client"
    client.write_text(CLIENT.format(folder=folder))
    client.chmod(0o755)
    server = subprocess.Popen([sys.executable, "-I", "-c", SERVER, *map(str, pipes)])
    yield str(client)
    with open(pipes[0], "w") as requests:
        requests.write("stop\n")
    assert server.wait(60) == 0
