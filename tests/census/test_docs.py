"""docs/census.md is true: its console blocks are run, in order, in one folder, after its first block of Python."""

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.once]

PAGE = Path(__file__).parents[2] / "docs" / "census.md"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)
TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ")


@pytest.mark.skipif(sys.platform == "win32", reason="the transcript is for a POSIX shell")
def test_the_transcripts_in_the_documentation_are_what_really_happens(tmp_path):
    page = PAGE.read_text(encoding="utf-8")
    subprocess.run([sys.executable, "-c", PYTHON.search(page)[1]], cwd=tmp_path, check=True)
    blocks = BLOCK.findall(page)
    assert len(blocks) == 2
    for block in blocks:
        for entry in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, expected = entry.partition("\n")
            found = run(line, tmp_path)
            assert TIME.sub("TIME", found) == TIME.sub("TIME", expected), f"$ {line}\n{found}"


def run(line: str, folder: Path) -> str:
    """Run a line as in a terminal."""
    script = f'extreg() {{ {shlex.quote(sys.executable)} -m extreg "$@"; }}\n{line}\n'
    names = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_AUTHOR_NAME": "n", "GIT_AUTHOR_EMAIL": "e@x"}
    names |= {"GIT_COMMITTER_NAME": "n", "GIT_COMMITTER_EMAIL": "e@x"}
    done = subprocess.run(
        ["bash", "-c", script],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**os.environ, **names},
        check=False,
    )
    code = f"[exit code {done.returncode}]\n" if done.returncode else ""
    return "".join(line.rstrip() + "\n" for line in done.stdout.splitlines()) + code
