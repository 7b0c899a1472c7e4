"""Where things stand in a TOML text: its headers and its key/value pairs, with their offsets.

tomli says what a text means; this module only says where, so that a problem has its line and an edit touches
nothing but its row.  It is therefore lenient: what it cannot read becomes a statement without a path.
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Literal, NamedTuple

from extreg.registry.toml.toml_reader import TOMLDecodeError, loads

_PART = r"""(?:[A-Za-z0-9_-]+|"(?:[^"\\\n]|\\.)*"|'[^'\n]*')"""
_KEY = rf"{_PART}(?:[ \t]*\.[ \t]*{_PART})*"
_PARTS = re.compile(_PART)
_HEADER = re.compile(rf"\[\[?[ \t]*({_KEY})[ \t]*\]\]?[ \t]*(?=#|\r?\n|\Z)")
_PAIR = re.compile(rf"({_KEY})[ \t]*=[ \t]*")
_BLANK = re.compile(r"[ \t]*(?:#[^\n]*)?(?:\r?\n|\Z)")
# Tokens of a value.  Strings come first so that no bracket or number sign inside one is taken for syntax.
_TOKEN = re.compile(
    r'''"""(?:[^\\]|\\.)*?"{3,5}|\'\'\'.*?\'{3,5}|"(?:[^"\\\n]|\\.)*"|'[^'\n]*' '''.strip()
    + r"""|(?P<comment>\#[^\n]*)|(?P<open>[\[{])|(?P<close>[\]}])|(?P<end>\r?\n)|(?P<space>[ \t]+)|[^\s"'#\[\]{}]+|.""",
    re.DOTALL,
)
# By far the most rows look like this; one match then does for the whole line.
_ROW = re.compile(r"""([0-9]+)[ \t]*=[ \t]*("[^"\\\n]*"|'[^'\n]*')[ \t]*(?:#[^\n]*)?(?:\r?\n|\Z)""")
# A run of such rows without indentation: one match for a whole table, and where each of its keys stands.
_RUN = re.compile(r"""(?:[0-9]+[ \t]*=[ \t]*(?:"[^"\\\n]*"|'[^'\n]*')[ \t]*(?:#[^\n]*)?\r?\n)+""")
_RUN_KEY = re.compile(r"^[0-9]+", re.MULTILINE)


class Statement(NamedTuple):
    """One header or one key/value pair; ``text[start:end]`` is its lines, the last line end included.

    ``path`` is the whole dotted path, the header's included; it is empty for a ``broken`` statement.
    ``key`` and ``value`` are ``(start, end)`` offsets of the key and the value; a header has no value.
    """

    kind: Literal["header", "pair", "broken"]
    path: tuple[str, ...]
    line: int
    start: int
    end: int
    key: tuple[int, int]
    value: tuple[int, int]


# An edit and its proof ask for those of the same few texts again and again.
@lru_cache(maxsize=4)
def statements(text: str) -> tuple[Statement, ...]:
    """Return the statements of `text` in order."""
    return tuple(_statements(text))


def _statements(text: str) -> Iterator[Statement]:
    position, line = 0, 1
    table: tuple[str, ...] = ()
    while position < len(text):
        blank = _BLANK.match(text, position)
        if blank is not None:
            position, line = blank.end(), line + 1
            continue
        run = _RUN.match(text, position)
        if run is not None:
            for row in _ROW.finditer(text, position, run.end()):
                yield _plain_row(row, line, table)
                line += 1
            position = run.end()
            continue
        statement = _statement(text, position, line, table)
        if statement.kind == "header":
            table = statement.path
        yield statement
        line += text.count("\n", position, statement.end)
        position = statement.end


def comments_above(text: str, position: int) -> int:
    """Return the start of the comment lines that stand directly above `position`: they belong to what is there."""
    while position > 0:
        above = text.rfind("\n", 0, position - 1) + 1
        if not text[above:position].lstrip().startswith("#"):
            break
        position = above
    return position


def line_index(text: str) -> dict[tuple[str, ...], list[int]]:
    """Return the lines on which each dotted key path of `text` is assigned or opened; broken ones stand under ``()``.

    The same answer as walking `statements`, but a table of plain rows costs two regex calls.
    """
    found: dict[tuple[str, ...], list[int]] = {}
    position, line = 0, 1
    table: tuple[str, ...] = ()
    while position < len(text):
        run = _RUN.match(text, position)
        if run is not None:
            keys = _RUN_KEY.findall(run[0])
            for offset, key in enumerate(keys):
                found.setdefault((*table, key), []).append(line + offset)
            position, line = run.end(), line + len(keys)
            continue
        blank = _BLANK.match(text, position)
        if blank is not None:
            position, line = blank.end(), line + 1
            continue
        statement = _statement(text, position, line, table)
        if statement.kind == "header":
            table = statement.path
        found.setdefault(statement.path, []).append(line)
        line += text.count("\n", position, statement.end)
        position = statement.end
    return found


def _statement(text: str, start: int, line: int, table: tuple[str, ...]) -> Statement:
    row = _ROW.match(text, start)
    if row is not None:
        return _plain_row(row, line, table)
    inked = start
    while text.startswith((" ", "\t"), inked):
        inked += 1
    if header := _HEADER.match(text, inked):
        end = _line_end(text, header.end())
        return Statement("header", _path(header[1]), line, start, end, header.span(1), (end, end))
    if pair := _PAIR.match(text, inked):
        value_end, end = _value_end(text, pair.end())
        path = (*table, *_path(pair[1]))
        return Statement("pair", path, line, start, end, pair.span(1), (pair.end(), value_end))
    end = _line_end(text, start)
    return Statement("broken", (), line, start, end, (start, start), (start, start))


def _plain_row(row: "re.Match[str]", line: int, table: tuple[str, ...]) -> Statement:
    # Half the time of ``Statement(...)``.
    fields = "pair", (*table, row[1]), line, row.start(), row.end(), row.span(1), row.span(2)
    return tuple.__new__(Statement, fields)


def _line_end(text: str, position: int) -> int:
    newline = text.find("\n", position)
    return len(text) if newline < 0 else newline + 1


def _value_end(text: str, position: int) -> tuple[int, int]:
    """Return where the value that starts at `position` ends, and where its last line does."""
    depth = 0
    value_end = position
    while position < len(text):
        token = _TOKEN.match(text, position)
        if token is None:  # pragma: no cover - the last alternative matches any character
            break
        position = token.end()
        kind = token.lastgroup
        if kind == "end" and depth <= 0:
            return value_end, position
        depth += (kind == "open") - (kind == "close")
        if kind not in ("comment", "end", "space"):
            value_end = position
    return value_end, position


class Element(NamedTuple):
    """One string of an array; ``comma`` is the span of the comma behind it, if there is one."""

    start: int
    end: int
    comma: tuple[int, int] | None


def elements(text: str, span: tuple[int, int]) -> list[Element]:
    """Return the strings of the array whose value is ``text[start:end]``."""
    position, stop = span
    found: list[Element] = []
    while position < stop:
        token = _TOKEN.match(text, position, stop)
        assert token is not None
        if token.lastgroup is None and token[0][0] in "\"'":
            found.append(Element(*token.span(), None))
        elif token.lastgroup is None and token[0] == ",":
            found[-1] = found[-1]._replace(comma=token.span())
        position = token.end()
    return found


def _path(key: str) -> tuple[str, ...]:
    return tuple(_plain(part) for part in _PARTS.findall(key))


def _plain(part: str) -> str:
    """Return what a key part means: itself, or the string that it quotes."""
    if part[0] not in "\"'":
        return part
    try:
        return str(loads(f"key = {part}")["key"])
    except TOMLDecodeError:
        return part
