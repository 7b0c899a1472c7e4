"""Edits of what is no code: former-names, include, [ranges.NAME], [renamed] and [reducers].

Text to text; the caller proves the result.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from extreg.registry.model import Registry
from extreg.registry.ranges import Range
from extreg.registry.toml.render import key, row, string
from extreg.registry.toml.statements import Statement, elements, statements

_RANGE_DEFAULTS: dict[str, object] = {"allocate": "hash", "modules": ()}


class _Splice(NamedTuple):
    start: int
    end: int
    text: str


def edit_settings(text: str, old: Registry, new: Registry, end_of_line: str) -> str:
    """Return `text`, which says `old`, with the includes, ranges, renames and reducers of `new`; codes stay."""
    if all(
        getattr(old, name) == getattr(new, name)
        for name in ("former_names", "include", "ranges", "renamed", "reducers")
    ):
        return text
    page = _Page(text)
    text = _applied(text, [*page.former_names(old, new), *page.include(old, new), *page.ranges(old, new)], end_of_line)
    # One after the other: a new table may go to where the last row of another one does.
    for table in ("renamed", "reducers"):
        text = _applied(text, _Page(text).rows(table, getattr(old, table), getattr(new, table)), end_of_line)
    return text


def _applied(text: str, splices: Iterable[_Splice], end_of_line: str) -> str:
    for splice in reversed(sorted(splices, key=lambda s: (s.start, s.end))):  # noqa: C413 - equals change places too
        text = text[: splice.start] + end_of_line.join(splice.text.split("\n")) + text[splice.end :]
    return text


class _Page:
    def __init__(self, text: str) -> None:
        self.text = text
        self.statements = [found for found in statements(text) if found.path]
        self.pairs = {found.path: found for found in self.statements if found.kind == "pair"}

    def former_names(self, old: Registry, new: Registry) -> Iterator[_Splice]:
        if old.former_names == new.former_names:
            return
        pair = self.pairs.get(("former-names",))
        if pair is None:
            place = self._end_of("format")
            yield _Splice(place, place, row("former-names", new.former_names) + "\n")
        else:
            yield _Splice(*pair.value, str(new.former_names).lower())

    def include(self, old: Registry, new: Registry) -> Iterator[_Splice]:
        if old.include == new.include:
            return
        pair = self.pairs.get(("include",))
        if pair is None:
            place = self._end_of("format")
            yield _Splice(place, place, row("include", new.include) + "\n")
        elif not new.include:
            yield _Splice(pair.start, pair.end, "")
        else:
            yield self._list(pair, old.include, new.include)

    def rows(self, table: str, old: Mapping[str, str], new: Mapping[str, str]) -> Iterator[_Splice]:
        """Yield the edits of a table of names: what is new goes behind its last row, in a new table to the end.

        A row whose key is another now, because a module moved, stays where it is, with its comment.
        """
        successors = _successors(old, new)
        yield from self._removed(table, old.keys() - new.keys() - successors.keys())
        for name, successor in successors.items():
            if pair := self.pairs.get((table, name)):
                yield _Splice(pair.key[0], pair.value[1], row(successor, new[successor]))
        for name in old.keys() & new.keys():
            if old[name] != new[name] and (pair := self.pairs.get((table, name))):
                yield _Splice(*pair.value, string(new[name]))
        added = [row(name, new[name]) for name in new if name not in old and name not in successors.values()]
        if not added:
            return
        if not any(found.path == (table,) for found in self.statements):
            added.insert(0, f"[{table}]")
            if self.text and not self.text.endswith("\n\n"):
                added.insert(0, "")
        place = self._end_of(table) or len(self.text)
        yield _Splice(place, place, "".join(line + "\n" for line in added))

    def ranges(self, old: Registry, new: Registry) -> Iterator[_Splice]:
        for name in {**old.ranges, **new.ranges}:
            before, after = old.ranges.get(name), new.ranges.get(name)
            declared = [found for found in self.statements if found.path[:2] == ("ranges", name)]
            if before == after:
                continue
            if after is None:
                yield _Splice(declared[0].start, self._with_blank(declared[-1].end), "")
            elif declared:
                yield from self._range(name, declared[-1].end, after)
            else:
                yield self._new_range(name, after)

    def _range(self, name: str, end: int, after: Range) -> Iterator[_Splice]:
        for field, value in _fields(after).items():
            pair = self.pairs.get(("ranges", name, field))
            if pair is not None:
                yield _Splice(*pair.value, row(field, value).partition("= ")[2])
            elif value != _RANGE_DEFAULTS.get(field):
                yield _Splice(end, end, row(field, value) + "\n")

    def _new_range(self, name: str, span: Range) -> _Splice:
        place = self._end_of("ranges") or max(self._end_of("format"), self._end_of("include"))
        rows = [row(field, value) for field, value in _fields(span).items() if value or field not in _RANGE_DEFAULTS]
        block = "\n".join(["", f"[ranges.{key(name)}]", *rows, ""])
        follows = self.text[place:]
        return _Splice(place, place, block if not follows or follows.startswith(("\n", "\r\n")) else block + "\n")

    def _list(self, pair: Statement, old: tuple[str, ...], new: tuple[str, ...]) -> _Splice:
        items = elements(self.text, pair.value)
        if items and new[: len(old)] == old:
            last = items[-1].end
            return _Splice(last, last, "".join(f", {string(item)}" for item in new[len(old) :]))
        return _Splice(*pair.value, f"[{', '.join(map(string, new))}]")

    def _removed(self, table: str, names: "set[str]") -> Iterator[_Splice]:
        for name in names:
            if pair := self.pairs.get((table, name)):
                yield _Splice(pair.start, pair.end, "")

    def _end_of(self, first: str) -> int:
        """Return where the last statement below the top-level key `first` ends, or 0."""
        return max((found.end for found in self.statements if found.path[0] == first), default=0)

    def _with_blank(self, position: int) -> int:
        """Return `position`, or behind the blank line that follows it."""
        for end_of_line in ("\r\n", "\n"):
            if self.text.startswith(end_of_line, position):
                return position + len(end_of_line)
        return position


def _successors(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
    """Return which rows of `new` are those of `old` under another key: of one qualified name, or turned round."""
    came = [name for name in new if name not in old]
    found: dict[str, str] = {}
    for name in old:
        _, colon, qualname = name.partition(":")
        like = [other for other in came if colon and other.partition(":")[2] == qualname]
        like += [other for other in came if other == old[name] and new[other] == name]
        if name not in new and like:
            found[name] = like[0]
            came.remove(like[0])
    return found


def _fields(span: Range) -> dict[str, object]:
    return {"first": span.first, "last": span.last, "allocate": span.allocate, "modules": span.modules}
