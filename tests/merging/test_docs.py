"""docs/merging.md is true: its console blocks are run, in order, in one repository."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs" / "merging.md"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
QUIET = ("git switch", "git add", "git commit", "extreg git-setup", "extreg init")


@pytest.mark.skipif(sys.platform == "win32", reason="the transcript is for a POSIX shell")
def test_the_transcripts_in_the_documentation_are_what_really_happens(tmp_path, monkeypatch):
    folder = tmp_path / "shop"
    folder.mkdir()
    programs = tmp_path / "bin"
    programs.mkdir()
    script = programs / "extreg"
    script.write_text(f'#!/bin/sh\nexec "{sys.executable}" -I -m extreg "$@"\n')
    script.chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}{os.pathsep}{os.environ['PATH']}")
    command = f"{script}"
    run("git init -q -b main && extreg init && git add -A && git commit -q -m Start", folder)
    blocks = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    assert len(blocks) >= 5
    for block in blocks:
        for line, expected in entries(block):
            found = run(line.replace("extreg git-setup", f"extreg git-setup --command {command}"), folder)
            if not line.startswith(QUIET):
                assert found == expected, f"$ {line}\n{found}"


def entries(block: str):
    """Yield each command of a console block with the output below it."""
    for entry in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
        line, _, output = entry.partition("\n")
        yield line, output


def run(line: str, folder: Path) -> str:
    """Run a line as in a terminal; `extreg`'s notes that tell the reader what to do next are left out."""
    done = subprocess.run(line, shell=True, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    lines = [text for text in done.stdout.splitlines() if not text.startswith(("Auto-merging", "Automatic merge"))]
    if done.returncode:
        lines.append(f"[exit code {done.returncode}]")
    return "".join(text + "\n" for text in lines)
