"""docs/stored.md is true: its console blocks are run, in order, in one folder, after its first block of Python."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

PAGE = Path(__file__).parents[2] / "docs" / "stored.md"
BLOCK = re.compile(r"^```console\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PYTHON = re.compile(r"^```python\n(.*?)^```$", re.MULTILINE | re.DOTALL)


@pytest.mark.skipif(sys.platform == "win32", reason="the transcript is for a POSIX shell")
def test_the_transcripts_in_the_documentation_are_what_really_happens(tmp_path):
    page = PAGE.read_text(encoding="utf-8")
    subprocess.run([sys.executable, "-c", PYTHON.search(page)[1]], cwd=tmp_path, check=True)
    blocks = BLOCK.findall(page)
    assert len(blocks) >= 5
    for block in blocks:
        for entry in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            line, _, expected = entry.partition("\n")
            found = run(line, tmp_path)
            assert found == expected, f"$ {line}\n{found}"


def run(line: str, folder: Path) -> str:
    """Run a line as in a terminal."""
    command = line.replace("extreg ", f"{sys.executable} -m extreg ", 1)
    done = subprocess.run(command, shell=True, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    code = f"[exit code {done.returncode}]\n" if done.returncode else ""
    return "".join(line.rstrip() + "\n" for line in done.stdout.splitlines()) + code
