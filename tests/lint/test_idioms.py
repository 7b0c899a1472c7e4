"""Whatever brings names into modules and names objects: lint never says of one what an import refutes."""

import re
import sys
from pathlib import Path

import pytest

from extreg.targets.child import import_answers
from extreg.targets.trees import Sources

IDIOMS = Path(__file__).with_name("idioms.txt").read_text()
# Kind and title, the target, and its files.
CASES = [
    (title, target, dict(re.findall(r"^-- (\S+)\n((?:(?!-- ).*\n)*)", files, re.MULTILINE)))
    for title, target, files in re.findall(r"^== (.*): (\S+)\n((?:(?!==|#).*\n)*)", IDIOMS, re.MULTILINE)
]


def write(folder: Path, files: dict[str, str]) -> Sources:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return Sources([folder])


def test_the_cases_are_read() -> None:
    assert len(CASES) == IDIOMS.count("\n== ") > 50
    assert all(files for _, _, files in CASES)


@pytest.mark.parametrize(("title", "target", "files"), CASES, ids=[title for title, _, _ in CASES])
def test_what_the_sources_cannot_tell_is_not_reported(
    title: str, target: str, files: dict[str, str], tmp_path: Path
) -> None:
    if any("global_enum" in text for text in files.values()) and sys.version_info < (3, 11):
        pytest.skip("new in 3.11")
    said = write(tmp_path, files).answers([target])[target]
    true = import_answers([target], [str(tmp_path), *sys.path])[target]
    if title.startswith("found"):
        assert said.kind in ("found", "unknown"), said
        assert true.kind in ("found", "unpicklable"), true
    else:
        assert said.kind == "unknown", said
        assert true.kind in ("missing", "unimportable", "unpicklable"), true


def test_a_misspelt_name_is_found_beside_all_sorts_of_harmless_things(tmp_path: Path) -> None:
    """What is said must stay worth something: none of this brings a name into `p.a`."""
    (tmp_path / "p").mkdir()
    (tmp_path / "p" / "__init__.py").write_text("from p import a, b\n__all__ = ['a', 'b']\n")
    (tmp_path / "p" / "b.py").write_text(
        "import sys\nfrom p import a\n\n\ndef reads(name):\n    return getattr(a, name), sys.modules.get(name)\n\n\n"
        "class Holder:\n    def __init__(self, **named):\n        self.__dict__.update(named)\n"
        "        for name, a in named.items():\n            setattr(self, name, a)\n"
    )
    (tmp_path / "p" / "a.py").write_text(
        "import dataclasses, enum, functools, logging, sys\nfrom collections import namedtuple\n\n"
        "log = logging.getLogger(__name__)\nPair = namedtuple('Pair', 'a b')\n"
        "known = 'x' in globals()\n\n\n"
        "@dataclasses.dataclass\nclass Order:\n    lines: list = dataclasses.field(default_factory=list)\n\n\n"
        "class Kind(enum.Enum):\n    A = 1\n\n\n"
        "@functools.lru_cache\ndef find(name):\n    return globals().get(name)\n\n\n"
        "if __name__ == '__main__':\n    find('x')\n"
    )
    found = Sources([tmp_path]).answers(["p.a:Oder", "p.a:Order", "p.aa:Order", "p.a:Order.Line", "p:Order"])
    assert [answer.kind for answer in found.values()] == ["missing", "found", "missing", "missing", "missing"]


def test_an_import_that_must_succeed_is_a_re_export(tmp_path: Path) -> None:
    text = "try:\n    from q import X\nexcept ImportError as e:\n    raise RuntimeError from e\n"
    found = write(tmp_path, {"p.py": text, "q.py": "class X: pass\n"}).answers(["p:X"])["p:X"]
    assert (found.kind, found.target) == ("reexported", "q:X")


def test_a_module_with_a_getattr_of_its_own_still_shows_what_it_imports(tmp_path: Path) -> None:
    text = "from q import X\n\n\ndef __getattr__(name):\n    raise AttributeError(f'{__name__} has no {name}')\n"
    found = write(tmp_path, {"p.py": text, "q.py": "class X: pass\n"}).answers(["p:X", "p:Y"])
    assert [answer.kind for answer in found.values()] == ["reexported", "unknown"]
