"""docs/state-story.md is true: its files are written and its commands run, in their order, in one repository."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.once]

PAGE = Path(__file__).parents[2] / "docs" / "state-story.md"
BLOCK = re.compile(r"^```(py|console)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
SETTINGS = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_AUTHOR_NAME": "Test",
    "GIT_AUTHOR_EMAIL": "test@example.org",
    "GIT_COMMITTER_NAME": "Test",
    "GIT_COMMITTER_EMAIL": "test@example.org",
}


@pytest.mark.skipif(sys.platform == "win32", reason="the transcript is for a POSIX shell")
def test_the_story_is_what_really_happens(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(("GIT_", "EXTREG_"))]:
        monkeypatch.delenv(name)
    for name, value in SETTINGS.items():
        monkeypatch.setenv(name, value)
    programs = tmp_path / "bin"
    programs.mkdir()
    for name, arguments in (("python", ""), ("extreg", "-m extreg ")):
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments}"$@"\n')
        (programs / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")  # files change faster than their times show
    folder = tmp_path / "shop"
    (folder / "shop").mkdir(parents=True)
    (folder / "shop" / "__init__.py").touch()
    run("git init -q -b main && extreg init", folder)
    commands = 0
    for kind, text in BLOCK.findall(PAGE.read_text(encoding="utf-8")):
        if kind == "py":
            path, _, source = text.removeprefix("# ").partition("\n")
            (folder / path).write_text(source)
        else:
            for line, expected in entries(text):
                commands += 1
                found = run(line, folder)
                assert found.split() == expected.split(), f"$ {line}\n{found}"  # lines are wrapped on the page
    assert commands >= 30


def entries(block: str) -> Iterator[tuple[str, str]]:
    """Yield each command of a console block with the output below it."""
    for entry in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        line, _, output = entry.partition("\n")
        yield line, output


def run(line: str, folder: Path) -> str:
    """Run a line as in a terminal, and return what is seen."""
    done = subprocess.run(line, shell=True, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    assert "Traceback" not in done.stdout, done.stdout
    code = f"[exit code {done.returncode}]\n" if done.returncode else ""
    return done.stdout + code
