"""The pages speak of files that there are, and the page on the house of every room."""

import re
from pathlib import Path

import pytest

from ..test_layers import LAYERS

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "CONTRIBUTING.md", ROOT / "SECURITY.md", ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
PATH = re.compile(r"`((?:extreg|tests|docs|examples|benchmarks|\.ci|\.github)/[\w./-]*)`")
LINK = re.compile(r"\]\((?!https?:|#)([^)#\s]+)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_a_page_names_is_there(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    named = {ROOT / path for path in PATH.findall(text)} | {page.parent / path for path in LINK.findall(text)}
    assert sorted(str(path) for path in named if not path.exists()) == []


def test_every_file_on_the_page_of_the_house_is_there() -> None:
    """In the journeys files are named from their room, or by their last name."""
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    known = {path.relative_to(ROOT).as_posix() for path in (ROOT / "extreg").rglob("*")}
    named = set(re.findall(r"`([\w/]+\.(?:py|json))`", text))
    assert len(named) > 40
    lost = [name for name in named if not any(f"/{path}".endswith(f"/{name}") for path in known)]
    assert [name for name in lost if not (ROOT / name).exists()] == []


def test_every_room_is_on_the_page_of_the_house() -> None:
    text = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    for member in (member for layer in LAYERS for member in layer):
        name = member.rstrip(".").split(".")[-1]
        assert f"{name}/`" in text or f"{name}.py`" in text or name == "extreg", member
