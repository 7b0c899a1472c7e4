"""Edits of registries formatted by hand: the diff is the one in expected.json, and nothing but the edit's own lines.

tests/cases/registries/expected.json holds, per file and edit, the diff without context, or the refusal.  After a
change that is meant to change it: ``EXTREG_WRITE_EXPECTED=1 pytest tests/text/test_edit_corpus.py``, and read the diff.
"""

import json
import os
import re
from collections.abc import Callable, Iterator
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from extreg.errors import ExtregError
from extreg.linter.context import Context
from extreg.linter.rules.file import unsorted
from extreg.registry import life
from extreg.registry.document import Document
from extreg.registry.file import update
from extreg.registry.model import Registry
from extreg.registry.other_names import alias, move_module

CASES = Path(__file__).parent.parent / "cases" / "registries"
FILES = sorted(CASES.glob("*.toml"))
EXPECTED = CASES / "expected.json"

Edit = Callable[[Registry], Registry]


def moves(code: int, *targets: str) -> Edit:
    def change(registry: Registry) -> Registry:
        for target in targets:
            registry = life.move(registry, code, target)
        return registry

    return change


def edits(registry: Registry) -> Iterator[tuple[str, Edit]]:
    """Yield the edits that `registry` has the rows for, by name."""
    yield "add", lambda now: life.add(now, "package.module:New")[0]
    yield "add --code 241", lambda now: life.add(now, "package.module:New", code=241)[0]
    yield "add --code 65535", lambda now: life.add(now, "package.module:New", code=65535)[0]
    yield "add --load-only", lambda now: life.add(now, "package.module:New", load_only=True)[0]
    for code in registry.codes:
        yield f"demote {code}", lambda now, code=code: life.demote(now, code)
        yield f"retire --now {code}", lambda now, code=code: life.retire(now, code, now=True)
    for code in registry.load_only:
        yield f"promote {code}", lambda now, code=code: life.promote(now, code)
        yield f"retire {code}", lambda now, code=code: life.retire(now, code)
    for code in (*registry.codes, *registry.load_only):
        yield f"move {code}", moves(code, "package.new:Home")
        yield f"move {code} twice", moves(code, "package.new:Home", "package.newer:Home")
        yield f"alias {code}", lambda now, code=code: alias(now, code, ["package.c:Name"])
        for former in registry.moved.get(code, ()):
            yield f"move {code} back to {former}", moves(code, former)

    yield "move --module package", lambda now: move_module(now, "package", "parcel")
    if "package.util" in registry.renamed:
        yield "move --module package.tools", lambda now: move_module(now, "package.tools", "package.util")
    for name in registry.aliases.get(240, ()):
        yield f"move 240 to {name}", moves(240, name)


def lines(raw: bytes) -> list[str]:
    return re.findall(r"[^\n]*\n|[^\n]+", raw.decode())


def diff(before: bytes, after: bytes) -> list[str]:
    """Return where lines went (-) and came (+), as the line before (@), and those lines, line ends included."""
    one, two = lines(before), lines(after)
    found = []
    for kind, start, end, to_start, to_end in SequenceMatcher(None, one, two, autojunk=False).get_opcodes():
        if kind != "equal":
            found.append(f"@{start}")
            found += [f"-{line}" for line in one[start:end]] + [f"+{line}" for line in two[to_start:to_end]]
    return found


def edited(path: Path, edit: Edit) -> dict[str, list[str] | str]:
    """Apply `edit` to the file at `path` and return what came of it: a diff or a refusal."""
    before = path.read_bytes()
    wanted = edit(Registry.load(path))
    try:
        update(path, edit)
    except ExtregError as error:
        assert path.read_bytes() == before
        return {"refused": str(error).replace(str(path), path.name)}
    assert Registry.load(path) == wanted
    return {"diff": diff(before, path.read_bytes())}


CORPUS = [(file.stem, name) for file in FILES for name, _ in edits(Registry.load(file))]


def expected() -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = json.loads(EXPECTED.read_text(encoding="utf-8"))
    return found


def copy(name: str, folder: Path) -> Path:
    path = folder / "registry.toml"
    path.write_bytes((CASES / f"{name}.toml").read_bytes())
    return path


@pytest.mark.skipif("EXTREG_WRITE_EXPECTED" not in os.environ, reason="only to write the expectations anew")
def test_write_expectations(tmp_path: Path) -> None:
    found: dict[str, dict[str, object]] = {}
    for file, name in CORPUS:
        path = copy(file, tmp_path)
        found.setdefault(file, {})[name] = edited(path, dict(edits(Registry.load(path)))[name])
    EXPECTED.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def test_the_corpus_is_there() -> None:
    assert len(FILES) >= 20
    assert {(file, name) for file, names in expected().items() for name in names} == set(CORPUS)


@pytest.mark.parametrize(("file", "name"), CORPUS, ids=lambda part: part)
def test_edit(file: str, name: str, tmp_path: Path) -> None:
    path = copy(file, tmp_path)
    before = path.read_bytes()
    found = edited(path, dict(edits(Registry.load(path)))[name])
    assert found == expected()[file][name]
    if "refused" in found:
        assert file.startswith("inline-")
        return
    after = path.read_bytes()
    check_comments(before, after)
    check_line_ends(before, after)
    check_rest(before, after)
    if is_sorted(Document.read(before.decode())):
        assert is_sorted(Document.read(after.decode()))


def is_sorted(document: Document) -> bool:
    return not list(unsorted(Context(document=document)))


def check_comments(before: bytes, after: bytes) -> None:
    """No edit loses, invents or changes a comment."""

    def comments(raw: bytes) -> list[str]:
        without_strings = re.sub(r"\"\"\".*?\"\"\"|'''.*?'''|\"[^\"\n]*\"|'[^'\n#]*'", "", raw.decode())
        return sorted(re.findall(r"#[^\r\n]*", without_strings))

    assert comments(after) == comments(before)


def check_line_ends(before: bytes, after: bytes) -> None:
    """A file of CRLF stays one, one of LF too."""
    if b"\r\n" not in before:
        assert b"\r" not in after
    elif before.count(b"\r\n") == before.count(b"\n"):
        assert after.count(b"\r\n") == after.count(b"\n")


def changed_codes(before: Registry, after: Registry) -> set[int]:
    pairs = [*((before.tables[name], after.tables[name]) for name in before.tables), (before.moved, after.moved)]
    pairs.append((before.aliases, after.aliases))
    return {code for old, new in pairs for code in {*old, *new} if old.get(code) != new.get(code)}


def check_rest(before: bytes, after: bytes) -> None:
    """Without the lines of the codes that changed, nothing changed but that a table was opened."""
    one, two = Registry.parse(before.decode()), Registry.parse(after.decode())
    codes = changed_codes(one, two)
    former = {target for registry in (one, two) for code in codes for target in registry.moved.get(code, ())}
    former |= {target for registry in (one, two) for code in codes for target in registry.aliases.get(code, ())}
    for old, new in ((one.renamed, two.renamed), (one.reducers, two.reducers)):
        former |= {name for name in {*old, *new} if old.get(name) != new.get(name)}

    def rest(raw: bytes) -> list[str]:
        found = [line.rstrip("\r\n") for line in lines(raw)]
        keys = re.compile(rf"(\w[-\w]*\s*\.)?\s*[\"']?({'|'.join(map(str, codes))})[\"']?\s*=")
        found = [line for line in found if not keys.match(line.lstrip())]
        return [line for line in found if not any(target in line for target in former) and line.strip()]

    old, new = rest(before), rest(after)
    assert [line for line in new if line in old] == old
    opened = {"[codes]", "[load-only]", "[moved]", "[retired]", "[aliases]", "[renamed]"}
    # Where an element is taken out of an array, the comment behind it stays, now on a line of its own.
    assert all(line in opened or line.lstrip().startswith("#") for line in new if line not in old)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_an_edit_that_changes_nothing_writes_nothing(file: Path, tmp_path: Path) -> None:
    path = copy(file.stem, tmp_path)
    stamp = path.stat().st_ino
    update(path, lambda registry: registry)
    assert path.read_bytes() == file.read_bytes()
    assert path.stat().st_ino == stamp
