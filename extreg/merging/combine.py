"""The text of a merge: ours, with what theirs brings, comments included, and meaning exactly the merged registry."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from extreg.errors import ExtregError
from extreg.merging.markers import SIZE, conflict
from extreg.merging.merge import Merge
from extreg.merging.sides import renumber
from extreg.registry.document import Document
from extreg.registry.model import Registry
from extreg.registry.toml.edit import edit
from extreg.registry.toml.statements import Statement, statements

LineMerge = Callable[[str, str, str], "str | None"]
_TABLES = ("codes", "load-only", "moved", "retired", "aliases")


class Combined(NamedTuple):
    """The text of a merge; ``lost_comments`` are those of theirs that found no place in it."""

    text: str
    lost_comments: tuple[str, ...]


def combine(
    ours: Document, theirs: Document, base: str, merge: Merge, *, lines: LineMerge, size: int = SIZE
) -> Combined:
    """Return the text of `merge`, with conflict markers of `size` where it has contradictions.

    `lines` merges three texts (ours, base, theirs) line by line, preferring ours, or returns None: where its result can
    be edited into the merged registry, comments of both sides stand where their authors put them.  Raises
    `ExtregError` when no text can be proved to mean the merged registry.
    """
    known = {line.strip() for line in base.splitlines()}
    mine = _renumbered(ours, merge.codes("ours"), known)
    other = _renumbered(theirs, merge.codes("theirs"), known)
    drafts = [text for text in (lines(mine.text, base, other.text), mine.text) if text is not None]
    rows = {**_carried(mine, known), **_carried(other, known)}
    answers = [_write(drafts, answer, rows, ours.path) for answer in (merge.answers.ours, merge.answers.theirs)]
    text = conflict(*answers, size=size) if merge.contradictions else answers[0]
    lost = _comments(theirs.text) - _comments(text) - _comments(base)
    return Combined(text, tuple(sorted(lost)))


def _write(drafts: list[str], registry: Registry | None, rows: "Mapping[tuple[str, int], _Lines]", path: str) -> str:
    """Return the first draft that can be edited into `registry`."""
    if registry is None:
        raise ExtregError(f"{path}: what the sides contradict each other in cannot be told apart from the rest")
    tables = _tables(registry)
    carried = {
        (table, code): lines.text for (table, code), lines in rows.items() if tables[table].get(code) == lines.value
    }
    failure: ExtregError | None = None
    for draft in drafts:
        document = Document.read(draft, path=path)
        try:
            return edit(document, registry, carried)
        except ExtregError as error:
            failure = error
    assert failure is not None
    raise failure


class _Lines(NamedTuple):
    """One row as it stands: what it says, and its lines with the comments above, without the last line end."""

    value: object
    text: str


def _tables(registry: Registry) -> dict[str, Mapping[int, object]]:
    return {**registry.tables, "moved": registry.moved, "aliases": registry.aliases}


def _carried(document: Document, known: set[str]) -> dict[tuple[str, int], _Lines]:
    tables = _tables(document.require())
    return {
        (table, code): _Lines(
            tables[table][code], document.text[_lead(document.text, found, known) : found.end].rstrip()
        )
        for (table, code), found in _rows(document.text).items()
    }


def _rows(text: str) -> dict[tuple[str, int], Statement]:
    """Return the rows that stand on lines of their own."""
    return {
        (found.path[0], int(found.path[1])): found
        for found in statements(text)
        if found.kind == "pair" and len(found.path) == 2 and found.path[0] in _TABLES and "." not in _key(text, found)
    }


def _key(text: str, found: Statement) -> str:
    return text[slice(*found.key)]


def _lead(text: str, found: Statement, known: set[str]) -> int:
    """Return the start of the comment lines above a row that came with it: those that the base did not have."""
    position = found.start
    while position > 0:
        above = text.rfind("\n", 0, position - 1) + 1
        line = text[above:position].strip()
        if not line.startswith("#") or line in known:
            break
        position = above
    return position


def _renumbered(document: Document, codes: Mapping[int, int], known: set[str]) -> Document:
    """Return `document` with the rows at the keys of `codes` at its values, their comments moved along."""
    if not codes:
        return document
    text = document.text
    carried = {}
    cuts = []
    for (table, code), found in _rows(text).items():
        if code in codes:
            start = _lead(text, found, known)
            own = text[start : found.key[0]] + str(codes[code]) + text[found.key[1] : found.end]
            carried[table, codes[code]] = own.rstrip()
            cuts.append((start, found.end))
    for start, end in reversed(cuts):
        text = text[:start] + text[end:]
    remaining = Document.read(text, path=document.path)
    return Document.read(edit(remaining, renumber(document.require(), codes), carried), path=document.path)


def _comments(text: str) -> set[str]:
    """Return the comments of a text, those behind rows included."""
    found = {line.strip() for line in text.splitlines() if line.lstrip().startswith("#")}
    behind = (text[statement.value[1] : statement.end].strip() for statement in statements(text))
    return found | {comment for comment in behind if comment.startswith("#")}
