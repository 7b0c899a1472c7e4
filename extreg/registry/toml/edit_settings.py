"""Edits of what is no code: include, [ranges.NAME] and [reducers].  Text to text; the caller proves the result."""

from collections.abc import Iterator
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
    """Return `text`, which says `old`, with the includes, ranges and reducers of `new`; codes are left alone."""
    if (old.include, old.ranges, old.reducers) == (new.include, new.ranges, new.reducers):
        return text
    page = _Page(text)
    splices = [*page.include(old, new), *page.ranges(old, new), *page.reducers(old, new)]
    for splice in reversed(sorted(splices, key=lambda s: (s.start, s.end))):  # noqa: C413 - equals change places too
        text = text[: splice.start] + end_of_line.join(splice.text.split("\n")) + text[splice.end :]
    return text


class _Page:
    def __init__(self, text: str) -> None:
        self.text = text
        self.statements = [found for found in statements(text) if found.path]
        self.pairs = {found.path: found for found in self.statements if found.kind == "pair"}

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

    def reducers(self, old: Registry, new: Registry) -> Iterator[_Splice]:
        yield from self._removed("reducers", old.reducers.keys() - new.reducers.keys())
        for kind in old.reducers.keys() & new.reducers.keys():
            if old.reducers[kind] != new.reducers[kind] and (pair := self.pairs.get(("reducers", kind))):
                yield _Splice(*pair.value, string(new.reducers[kind]))
        added = [row(kind, new.reducers[kind]) for kind in new.reducers if kind not in old.reducers]
        if not added:
            return
        if not any(found.path == ("reducers",) for found in self.statements):
            added.insert(0, "[reducers]")
            if self.text and not self.text.endswith("\n\n"):
                added.insert(0, "")
        place = self._end_of("reducers") or len(self.text)
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


def _fields(span: Range) -> dict[str, object]:
    return {"first": span.first, "last": span.last, "allocate": span.allocate, "modules": span.modules}
