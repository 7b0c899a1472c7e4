"""Proofs: what an edited or sorted text has to hold before anybody writes it, found out from the two texts alone.

That a text is read as the intended registry is not enough.  Comments mean nothing to TOML, and are half of what a
registry is for.
"""

from collections.abc import Container, Iterator, Mapping, Sequence

from extreg.errors import ExtregError
from extreg.registry.document import Document
from extreg.registry.invariants import CODE_TABLES
from extreg.registry.model import Registry
from extreg.registry.toml.statements import Statement, comments_above, statements

_Path = tuple[str, ...]
_Span = tuple[int, int]


def prove_edit(before: Document, after: str, wanted: Registry, brought: Container[str] = ()) -> None:
    """Raise `ExtregError` unless `after` is read as `wanted`, and has every line of `before` that it does not change.

    `brought` are comment lines that may be new.
    """
    old = before.require()
    if Document.read(after, path=before.path).registry == wanted and _kept(before.text, after, old, wanted, brought):
        return
    raise ExtregError(
        f"{before.path}: the edit could not be proved safe, so nothing was written",
        "write the code tables as [codes], [load-only], [moved] and [retired] with one line per code",
    )


def prove_sorted(before: Document, after: str, tables: Sequence[str]) -> None:
    """Raise `ExtregError` unless `after` is `before` with the rows of `tables` in order, each with its comments."""
    if (
        Document.read(after, path=before.path).registry == before.require()
        and _blocks(before.text, tables) == _blocks(after, tables)
        and _without(before.text, _spans(before.text, tables)) == _without(after, _spans(after, tables))
        and all(rows == sorted(rows) for rows in _numbers(after, tables))
    ):
        return
    raise ExtregError(f"{before.path}: the rows cannot be sorted safely", "move the lines by hand")


def _kept(before: str, after: str, old: Registry, new: Registry, brought: Container[str]) -> bool:
    """Tell whether all rows and comments of `before` that mean the same in `old` and `new` are in `after`."""
    found, made = list(statements(before)), list(statements(after))
    rows = {one.path: after[one.start : one.end] for one in made if one.kind == "pair"}
    changed = _changed(old, new)
    for one in found:
        if one.kind != "pair":
            continue
        row, stays = rows.get(one.path), before[one.start : one.end]
        if _touched(one.path, old, new, changed):
            row, stays = row or _elsewhere(rows, one.path), before[one.value[1] : one.end]
            if row is None:
                continue  # and with what means nothing any more goes what was said of it
        if row is None or not row.rstrip().endswith(stays.rstrip()):
            return False
    gone = [one for one in found if one.path[:1] == ("ranges",) and _touched(one.path, old, new, changed)]
    return _comments_kept(_comments(before, found, gone), _comments(after, made, ()), brought)


def _elsewhere(rows: dict[_Path, str], path: _Path) -> str | None:
    """Return the row that a code has in another table."""
    tables = CODE_TABLES if path[0] in CODE_TABLES and len(path) > 1 else ()
    return next((rows[table, path[1]] for table in tables if (table, path[1]) in rows), None)


def _comments_kept(before: list[str], after: list[str], brought: Container[str]) -> bool:
    """Tell whether `after` has the comments of `before` in their order, and besides them only `brought` ones."""
    position = 0
    for line in after:
        if position < len(before) and line == before[position]:
            position += 1
        elif line not in brought:
            return False
    return position == len(before)


def _changed(old: Registry, new: Registry) -> dict[str, set[int]]:
    """Return the codes whose rows are not the same in both, by table."""
    before, after = ({**one.tables, "moved": one.moved, "aliases": one.aliases} for one in (old, new))
    return {table: {code for code, _ in before[table].items() ^ after[table].items()} for table in before}


def _touched(path: _Path, old: Registry, new: Registry, changed: Mapping[str, set[int]]) -> bool:
    """Tell whether what stands under the key `path` is not the same in both."""
    first, *rest = path
    if first in ("former-names", "include"):
        name = first.replace("-", "_")
        return bool(getattr(old, name) != getattr(new, name))
    if first in ("ranges", "renamed", "reducers"):
        one, other = getattr(old, first), getattr(new, first)
        return bool(one.get(rest[0]) != other.get(rest[0]) if rest else one != other)
    codes = changed.get(first, set())
    if not rest:
        return bool(codes)
    return not rest[0].isdecimal() or int(rest[0]) in codes


def _comments(text: str, found: Sequence[Statement], gone: Sequence[Statement]) -> list[str]:
    """Return the comments that have lines of their own, but for those between the first and the last of `gone`."""
    lines = []
    position = 0
    without = (gone[0].start, gone[-1].end) if gone else (0, 0)
    for start, end in [*((one.start, one.end) for one in found), (len(text), len(text))]:
        if position < start and not without[0] <= position < without[1]:
            lines += [line.strip() for line in text[position:start].splitlines() if line.strip()]
        position = end
    return lines


def _rows(text: str, tables: Sequence[str]) -> Iterator[Statement]:
    for one in statements(text):
        if one.kind == "pair" and len(one.path) == 2 and one.path[0] in tables:
            yield one


def _spans(text: str, tables: Sequence[str]) -> list[_Span]:
    return [(comments_above(text, one.start), one.end) for one in _rows(text, tables)]


def _blocks(text: str, tables: Sequence[str]) -> dict[_Path, str]:
    """Return each row with the comment lines directly above it."""
    return {one.path: text[comments_above(text, one.start) : one.end] for one in _rows(text, tables)}


def _without(text: str, spans: Sequence[_Span]) -> str:
    parts, done = [], 0
    for start, end in spans:
        parts.append(text[done:start])
        done = end
    return "".join([*parts, text[done:]])


def _numbers(text: str, tables: Sequence[str]) -> list[list[int]]:
    return [[int(one.path[1]) for one in _rows(text, [table])] for table in tables]
