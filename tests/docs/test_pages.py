"""Every page of docs/ runs: its ``python`` blocks, top to bottom, in one fresh process, each warning an error."""

import subprocess
import sys
from pathlib import Path

import pytest

DOCS = Path(__file__).parents[2] / "docs"
PAGES = sorted(DOCS.glob("**/*.md"))

RUN = """
import sys, types
page = types.ModuleType("page")
sys.modules["page"] = page
exec(compile(open(sys.argv[1], encoding="utf-8").read(), sys.argv[2], "exec"), vars(page))
"""


def code_of(text):
    """Return `text` with all but the insides of its ```python blocks blanked, so that line numbers stay true."""
    lines, inside = [], False
    for line in text.splitlines():
        if line.startswith("```"):
            inside = not inside and line.removeprefix("```").strip() == "python"
            lines.append("")
        else:
            lines.append(line if inside else "")
    return "\n".join(lines) + "\n"


def test_there_are_pages():
    assert PAGES


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.relative_to(DOCS).as_posix())
def test_the_page_runs(page, tmp_path):
    code = code_of(page.read_text(encoding="utf-8"))
    if not code.strip():
        pytest.skip("no code on this page")
    script = tmp_path / "page_code"
    script.write_text(code, encoding="utf-8")
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", RUN, str(script), str(page)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


def test_only_python_blocks_are_run_and_lines_stay_in_place():
    text = "text\n```toml\na = 1\n```\n```python\nx = 1\n```\n```\nplain\n```\n```python\ny = x\n```\n"
    assert code_of(text) == "\n" * 5 + "x = 1\n" + "\n" * 5 + "y = x\n\n"
