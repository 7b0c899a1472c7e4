"""Edits: from a text and the registry it should mean to a new text that touches only the rows concerned.

An edit is proved before anybody writes it (`extreg.registry.toml.edit_proof`): the new text is read again and must
equal the intended registry, and nothing but the rows concerned may differ.
"""

from bisect import bisect_left
from collections.abc import Mapping
from typing import NamedTuple

from extreg.errors import ExtregError
from extreg.registry.document import Document
from extreg.registry.invariants import CODE_TABLES, MAX_CODE
from extreg.registry.model import Registry
from extreg.registry.toml.edit_proof import prove_edit
from extreg.registry.toml.edit_settings import edit_settings
from extreg.registry.toml.render import row, string
from extreg.registry.toml.statements import Element, Statement, comments_above, elements, statements

_ORDER = ("codes", "load-only", "moved", "retired", "aliases", "renamed", "reducers")
Rows = Mapping[int, object]
Carried = Mapping[tuple[str, int], str]  # by table and code: the lines that a new row brings along, comments first


class _Splice(NamedTuple):
    """Put ``text`` in the place of ``[start:end]``; `code` orders several insertions at one place."""

    start: int
    end: int
    code: int
    text: str


def edit(document: Document, new: Registry, carried: Carried | None = None) -> str:
    """Return `document`'s text changed so that it means `new`; comments, order and line ends stay.

    Rows are inserted in ascending order, a row that changes its table takes its comment along, and nothing else
    moves.  `carried` gives rows that are new here the text they have elsewhere, without its last line end.  Raises
    `ExtregError` when the layout of the file is one that rows cannot be put into.
    """
    old = document.require()
    if old == new:
        return document.text
    text = document.text
    end_of_line = "\r\n" if 2 * text.count("\r\n") > text.count("\n") else "\n"
    unfinished = not text.endswith("\n")  # edited as if finished, and given back as it was
    settled = edit_settings(text + end_of_line if unfinished else text, old, new, end_of_line)
    result = _Page(settled, end_of_line, document.path, carried or {}).rewritten(_tables(old), _tables(new))
    last = result[result.rfind("\n", 0, -1) + 1 :]
    if unfinished and f"\n{last}" not in text:  # else the unfinished line is gone and the one above it was finished
        result = result.removesuffix(end_of_line)
    prove_edit(
        document, result, new, {line.strip() for lines in (carried or {}).values() for line in lines.splitlines()}
    )
    return result


def _tables(registry: Registry) -> dict[str, Rows]:
    return {**registry.tables, "moved": registry.moved, "aliases": registry.aliases}


class _Page:
    """A text and its statements, while an edit is worked out."""

    def __init__(self, text: str, end_of_line: str, path: str, carried: Carried) -> None:
        self.text = text
        self.end_of_line = end_of_line
        self.path = path
        self.carried = carried
        self.statements = list(statements(text))
        self.pairs = {found.path: found for found in self.statements if found.kind == "pair"}
        self.headers = {found.path: found for found in self.statements if found.kind == "header"}

    def rewritten(self, old: dict[str, Rows], new: dict[str, Rows]) -> str:
        splices: list[_Splice] = []
        for table in old:
            for code in old[table].keys() - new[table].keys():
                splices.append(self._delete(self._pair(table, code), code))
            for code in old[table].keys() & new[table].keys():
                if old[table][code] != new[table][code]:
                    splices += self._replace(table, code, old[table][code], new[table][code])
            splices += self._insert_all(table, old, new)
        pieces: list[str] = []
        done = 0
        for splice in sorted(splices, key=lambda s: (s.start, s.end, s.code)):
            pieces += self.text[done : splice.start], splice.text
            done = splice.end
        return "".join([*pieces, self.text[done:]])

    def _pair(self, table: str, code: int) -> Statement:
        found = self.pairs.get((table, str(code)))
        if found is None:
            raise self._unsupported(table)
        return found

    def _unsupported(self, table: str) -> ExtregError:
        """Return the refusal of a layout in which a table's rows have no lines of their own."""
        inline = self.pairs.get((table,))
        place = f"{self.path}:{inline.line}" if inline is not None else self.path
        return ExtregError(
            f"{place}: {table} is an inline table, and extreg edits only rows that have a line of their own",
            f"write it as [{table}] with one line per code; its meaning stays the same",
        )

    def _delete(self, pair: Statement, code: int) -> _Splice:
        return _Splice(pair.start, pair.end, code, "")

    def _replace(self, table: str, code: int, old: object, new: object) -> list[_Splice]:
        start, end = self._pair(table, code).value
        if isinstance(old, tuple) and isinstance(new, tuple):
            found = elements(self.text, (start, end))
            if len(found) == len(old):
                return self._replace_elements(code, list(zip(found, old, strict=True)), list(new))
        return [_Splice(start, end, code, _value(new))]

    def _replace_elements(self, code: int, found: list[tuple[Element, str]], new: list[str]) -> list[_Splice]:
        """Take out of an array what is not in `new` any more and put in the rest, around the comments in it."""
        splices = []
        last, _ = found[-1]
        kept = False
        for element, target in found:
            if kept := new[:1] == [target]:
                del new[0]
            elif element is not last:
                splices += [_Splice(start, end, code, "") for start, end in self._cut(element)]
        text = ", ".join(map(string, new))
        if not kept:
            splices.append(_Splice(last.start, last.end, code, text))
        elif text:
            splices.append(_Splice(last.end, last.end, code, f", {text}"))
        return splices

    def _cut(self, element: Element) -> list[tuple[int, int]]:
        """Return what goes with an element: its comma, and its line where nothing else is on it."""
        assert element.comma is not None
        between = self.text[element.end : element.comma[0]]
        if between.strip():
            return [(element.start, element.end), element.comma]
        start, end = element.start, element.comma[1]
        while self.text.startswith((" ", "\t"), end):
            end += 1
        above = self.text.rfind("\n", 0, start) + 1
        alone = not self.text[above:start].strip() and self.text.startswith(("\n", "\r\n"), end)
        return [(above, self.text.index("\n", end) + 1) if alone else (start, end)]

    def _insert_all(self, table: str, old: dict[str, Rows], new: dict[str, Rows]) -> list[_Splice]:
        codes = sorted(new[table].keys() - old[table].keys())
        if not codes:
            return []
        lines = {code: self._line(table, code, new[table][code], old) for code in codes}
        siblings = {
            int(found.path[1]): found for path, found in self.pairs.items() if path[0] == table and len(path) == 2
        }
        header = self.headers.get((table,))
        if (table,) in self.pairs:
            raise self._unsupported(table)
        if not siblings and header is None:
            return [self._new_table(table, codes, lines)]
        dotted, ordered = header is None, sorted(siblings)
        return [
            self._insert(self._place(code, ordered, siblings, header), code, f"{table}.{line}" if dotted else line)
            for code, line in lines.items()
        ]

    def _insert(self, place: int, code: int, line: str) -> _Splice:
        return _Splice(place, place, code, line + self.end_of_line)

    def _line(self, table: str, code: int, value: object, old: dict[str, Rows]) -> str:
        """Return the row as it will stand, with what stood behind its value in the table it comes from."""
        origin = next((name for name in ("codes", "load-only") if code in old[name] and table in CODE_TABLES), None)
        if origin is None:
            return self.end_of_line.join(self.carried.get((table, code), row(code, value)).splitlines())
        pair = self._pair(origin, code)
        behind = self.text[pair.value[1] : pair.end].rstrip("\r\n")
        plain = "." not in self.text[slice(*pair.key)]
        before = self.text[pair.start : pair.value[0]] if plain else f"{code} = "
        same = old[origin][code] == value
        return before + (self.text[slice(*pair.value)] if same else _value(value)) + behind

    def _place(self, code: int, ordered: list[int], siblings: dict[int, Statement], header: Statement | None) -> int:
        """Return where the row of `code` goes: behind the nearest lower one, else at the top of the table."""
        if siblings:
            below = bisect_left(ordered, code)
            if below > 0:
                return siblings[ordered[below - 1]].end
            return comments_above(self.text, min(found.start for found in siblings.values()))
        assert header is not None
        return header.end

    def _new_table(self, table: str, codes: list[int], lines: dict[int, str]) -> _Splice:
        place = self._table_place(table)
        block = [f"[{table}]", *(lines[code] for code in codes)]
        above = self.text[:place]
        if above.strip() and not above.endswith(("\n\n", "\n\r\n")):
            block.insert(0, "")
        if self.text[place:].strip() and not self.text[place:].startswith(("\n", "\r\n")):
            block.append("")
        # Rows that go to the same place belong to the table above and come first; then the tables in order.
        return _Splice(
            place, place, MAX_CODE + 1 + _ORDER.index(table), "".join(line + self.end_of_line for line in block)
        )

    def _table_place(self, table: str) -> int:
        """Return where a new table goes: behind those before it in order, and never above rows without a header."""
        before = _ORDER[: _ORDER.index(table)]
        ends = [found.end for found in self.statements if found.path and found.path[0] in before]
        if not ends:
            later = [found.start for path, found in self.headers.items() if path[0] in _ORDER]
            return comments_above(self.text, min(later)) if later else len(self.text)
        first_header = min((found.start for found in self.statements if found.kind == "header"), default=len(self.text))
        return max(ends + [found.end for found in self.statements if found.start < first_header])


def _value(value: object) -> str:
    return f"[{', '.join(map(string, value))}]" if isinstance(value, tuple) else string(str(value))
