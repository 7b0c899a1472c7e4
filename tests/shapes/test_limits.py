"""What reading costs, where it ends, and sources that nobody should write."""

from pathlib import Path

import pytest

from extreg.shapes import parsed
from extreg.shapes.earlier import Earlier, FolderFiles, Today, blob_id
from extreg.shapes.lineage import CEILING
from extreg.targets.trees import Sources
from tests.shapes.conftest import Compare, compare_folders, write

CLASS = "class C:\n    def __init__(self):\n        self.a = 1\n"
MORE = "class C:\n    def __init__(self):\n        self.a = self.b = 1\n"


@pytest.fixture
def parses(monkeypatch: pytest.MonkeyPatch) -> "list[str]":
    """The texts that are parsed for shapes."""
    texts: list[str] = []
    parse = parsed.parse

    def counting(text: str) -> object:
        texts.append(text)
        return parse(text)

    monkeypatch.setattr(parsed, "parse", counting)
    return texts


@pytest.mark.parametrize("changed", [0, 5, 500])
def test_two_revisions_of_500_classes_cost_at_most_twice_one(tmp_path: Path, parses: "list[str]", changed: int) -> None:
    """What is the same on both sides is parsed once; what is not, once for each."""
    names = [f"m{number}" for number in range(500)]
    old = write(tmp_path / "old", {f"{name}.py": CLASS for name in names})
    new = write(tmp_path / "new", {f"{name}.py": MORE if at < changed else CLASS for at, name in enumerate(names)})
    found = compare_folders(old, new, [f"{name}:C" for name in names])
    assert len(found.changes) == changed
    assert len(parses) == 500 + changed <= 2 * 500


def test_what_several_classes_inherit_is_read_once(tmp_path: Path, parses: "list[str]") -> None:
    files = {
        "base.py": CLASS,
        **{f"m{number}.py": f"import base\nclass C(base.C):\n    x = {number}\n" for number in range(50)},
    }
    old = write(tmp_path / "old", files)
    new = write(tmp_path / "new", {**files, "base.py": MORE})
    found = compare_folders(old, new, [f"m{number}:C" for number in range(50)])
    assert len(found.changes) == 50
    assert len(parses) == 52


def test_bases_in_too_many_modules_cannot_be_told(compare: Compare) -> None:
    def chain(first: str) -> "dict[str, str]":
        files = {"m0.py": first}
        for number in range(1, CEILING + 5):
            files[f"m{number}.py"] = f"from m{number - 1} import C as B\nclass C(B): pass\n"
        return files

    subject = f"from m{CEILING + 4} import C as B\nclass C(B): pass\n"
    found = compare(subject, subject, old_files=chain(CLASS), new_files=chain(MORE))
    assert found.changes == []
    assert list(found.unknown) == ["subject:C"]
    subject = "from m20 import C as B\nclass C(B): pass\n"
    assert len(compare(subject, subject).changes) == 1


NESTED = "x = " + "(" * 90 + "1" + ")" * 90 + "\n"
HOSTILE = {
    "deep expression": "x = " + "-" * 100_000 + "1\n" + MORE,
    "deep sum": "x = " + "+".join(["1"] * 50_000) + "\n" + MORE,
    "too large": "# " + "x" * 10_000_000 + "\n" + MORE,
    "newer syntax": "match for 1:\n    ever\n" + MORE,
    "null byte": "\0" + MORE,
    "circle of bases": "class A(C): pass\nclass C(A): pass\n",
    "circle of names": "C = D\nD = C\n",
    "circle of imports": "from subject import *\nfrom subject import C\n",
    "no order": "class X: pass\nclass Y(X): pass\nclass C(X, Y): pass\n",
}


@pytest.mark.parametrize("source", HOSTILE.values(), ids=HOSTILE)
def test_hostile_sources_are_no_trouble(compare: Compare, source: str) -> None:
    for sides in ((CLASS, source), (source, MORE)):
        # Python 3.10 parses sums of any length; what it tells then is true.
        assert {state.change.wrote for state in compare(*sides).changes} <= {"no 'b'"}


def test_long_chains_of_branches_are_no_trouble(compare: Compare) -> None:
    branches = "".join(f"        elif a == {number}:\n            self.b = 1\n" for number in range(400))
    new = f"class C:\n    def __init__(self, a):\n        if a:\n            self.b = 1\n{branches}        self.c = 1\n"
    found = compare("class C:\n    def __init__(self, a):\n        self.a = 1\n", new)
    assert [state.change.reads for state in found.changes] in ([], ["'c' in every new instance"])


def test_methods_that_call_each_other_end(compare: Compare) -> None:
    new = "class C:\n    def __init__(self):\n        self.f()\n        self.b = 1\n"
    new += "    def f(self):\n        self.__init__()\n"
    assert [state.change.reads for state in compare(CLASS, new).changes] == ["'b' in every new instance"]


def test_blobs_are_named_as_git_names_them() -> None:
    """``printf 'hello\\n' | git hash-object --stdin``, with SHA-1 and with SHA-256."""
    assert blob_id(b"hello\n", "0" * 40) == "ce013625030ba8dba906f756967f9e9ca394464a"
    assert blob_id(b"hello\n", "0" * 64) == "2cf8d83d9ee29543b34a87727421fdecb7e3f3a183d337639025de576db9ebb4"


def test_folders_without_an_init_are_packages(tmp_path: Path) -> None:
    old = write(tmp_path / "old", {"space/part.py": CLASS})
    today = Today(Sources([write(tmp_path / "new", {"space/part.py": MORE})]))
    earlier = Earlier(FolderFiles(old), [""], today)
    assert isinstance(earlier.load("space"), parsed.Parsed)
    assert isinstance(earlier.load("space.part"), parsed.Parsed)
    assert earlier.load("space.other") is None
    assert earlier.parsed == 1
