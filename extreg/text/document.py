"""A registry file as read: what it says, where it says it, and everything that is wrong with it."""

import re
from functools import cached_property
from typing import Any, Literal, NamedTuple

import tomli

from extreg.errors import Problem, RegistryError
from extreg.registry.invariants import CODE_TABLES
from extreg.registry.model import Registry
from extreg.registry.ranges import Range
from extreg.text.schema import Tables, read_tables, sequence
from extreg.text.statements import Statement, line_index, statements

Path = tuple[str, ...]

_PLACE = re.compile(r" \(at line (\d+), column \d+\)$| \(at end of document\)$")
_MARKER = re.compile(r"^(<{7}|\|{7}|={7}|>{7})(?=\s|$)", re.MULTILINE)
_MOST_REPAIRS = 50


CodeTable = Literal["codes", "load-only", "retired"]


class Row(NamedTuple):
    """One line of a code table."""

    table: CodeTable
    code: int
    target: str
    line: int | None


class Document:
    """The text of one registry file and what could be understood of it.

    Reading never raises: faults stand in ``problems`` (each with its line) and ``registry`` is None when there
    are any, while ``rows`` still holds what is sound, for the linter.
    """

    def __init__(self, text: str, path: str, tables: Tables, problems: tuple[Problem, ...]) -> None:
        self.text = text
        self.path = path
        self.tables = tables
        self.problems = problems
        self.registry = None if problems else _registry(tables)

    @classmethod
    def read(cls, text: str, *, path: str = "<string>") -> "Document":
        """Read `text`; `path` is what messages call it."""
        try:
            data = tomli.loads(text)
            faults: list[Problem] = []
        except tomli.TOMLDecodeError as error:
            data, faults = _repair(text, error)
        tables, problems = read_tables(data) if data or not faults else (Tables({}, []), [])
        lines = line_index(text) if problems else {}
        placed = [_place(problem, lines) for problem in problems]
        return cls(text, path, tables, sequence(p._replace(path=path) for p in faults + placed))

    def require(self) -> Registry:
        """Return the registry, or raise `RegistryError` with every problem."""
        if self.registry is None:
            raise RegistryError(self.problems)
        return self.registry

    @cached_property
    def lines(self) -> dict[Path, list[int]]:
        """The lines on which each dotted key path is assigned or opened."""
        return line_index(self.text)

    def line(self, *path: str | int) -> int | None:
        """Return the first line of a key path such as ``("codes", 240)``, or None."""
        found = self.lines.get(tuple(map(str, path)))
        return found[0] if found else None

    def row(self, table: CodeTable, code: int) -> Row:
        """Return the row of `code` in `table`; raise KeyError where there is none."""
        return Row(table, code, self.tables.code_tables[table][code], self.line(table, code))

    @cached_property
    def loaded_text(self) -> str:
        """The targets of all codes that are loaded, one per line: one search tells whether any looks suspicious."""
        return "\n".join([*self.tables.codes.values(), *self.tables.load_only.values()])

    @cached_property
    def loaded_targets(self) -> frozenset[str]:
        """The targets of all codes that are loaded."""
        return frozenset(self.tables.codes.values()).union(self.tables.load_only.values())

    @cached_property
    def loaded_modules(self) -> frozenset[str]:
        """The modules of all codes that are loaded."""
        # A target has one colon and no line end, so that every other part is a module.
        return frozenset(self.loaded_text.replace(":", "\n").split("\n")[::2])

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """The rows of the three code tables, in the order of the file within each table."""
        return tuple(
            Row(table, code, target, self.line(table, code))  # type: ignore[arg-type]
            for table, rows in self.tables.code_tables.items()
            for code, target in rows.items()
        )


def _registry(tables: Tables) -> Registry:
    return Registry(
        include=tables.include,
        ranges={name: Range(**row) for name, row in tables.ranges.items()},
        codes=tables.codes,
        load_only=tables.load_only,
        moved=tables.moved,
        retired=tables.retired,
        reducers=tables.reducers,
    )


def _place(problem: Problem, lines: dict[Path, list[int]]) -> Problem:
    """Give `problem` the line of the longest known prefix of its key path."""
    parts = tuple(problem.where.split("."))
    if parts[0] == "reducers":  # the key is a target, dots and all
        parts = ("reducers", problem.where.partition(".")[2])
    if problem.rule == "duplicate-code":
        return _both_lines(problem, parts, lines)
    while parts:
        if parts in lines:
            return problem._replace(line=lines[parts][0])
        parts = parts[:-1]
    return problem


def _both_lines(problem: Problem, parts: Path, lines: dict[Path, list[int]]) -> Problem:
    """Name the lines of a code that stands in two tables."""
    message = problem.message
    for table in CODE_TABLES:
        for line in lines.get((table, *parts[1:]), []):
            message = message.replace(f"in [{table}] to", f"line {line} (in [{table}]) to")
    return problem._replace(line=lines[parts][0], message=message)


def _repair(text: str, error: tomli.TOMLDecodeError) -> tuple[dict[str, Any], list[Problem]]:
    """Name what keeps `text` from being TOML, and parse what is left once the culprits are blanked out.

    One round of mending should show every fault, so a broken line must not hide the lines below it.
    """
    problems, text = _blank_markers(text)
    more, text = _blank_duplicates(text)
    problems += more
    if any(problem.rule == "duplicate-table" for problem in more):
        return {}, problems  # whose rows the ones below are can no longer be told
    for _ in range(_MOST_REPAIRS):
        try:
            return tomli.loads(text), problems
        except tomli.TOMLDecodeError as found:
            error = found
        culprit = _culprit(text, error)
        if culprit is None:
            break
        problems.append(_syntax_problem(text, culprit, error))
        text = _blank(text, culprit.start, culprit.end)
    else:
        return {}, problems
    problems.append(Problem("", f"not TOML: {error}"))
    return {}, problems


def _blank(text: str, start: int, end: int) -> str:
    """Return `text` with the span emptied but its line ends kept, so that line numbers stay true."""
    return text[:start] + "\n" * text.count("\n", start, end) + text[end:]


def _blank_markers(text: str) -> tuple[list[Problem], str]:
    lines = [text.count("\n", 0, match.start()) + 1 for match in _MARKER.finditer(text)]
    if not lines:
        return [], text
    problem = Problem(
        "",
        f"git conflict markers on lines {', '.join(map(str, lines))}",
        "keep the rows of both sides (two rows must not share a code), then delete the marker lines",
        line=lines[0],
        rule="conflict-markers",
    )
    return [problem], re.sub(r"(?m)^(<{7}|\|{7}|={7}|>{7})(?=\s|$)[^\n]*", "", text)


def _blank_duplicates(text: str) -> tuple[list[Problem], str]:
    """Report keys that are assigned twice in one table in the reader's words, not as TOML's refusal."""
    first: dict[Path, Statement] = {}
    pairs = [(first.setdefault(found.path, found), found) for found in statements(text) if found.path]
    repeated = [(earlier, later) for earlier, later in pairs if earlier is not later]
    problems = [_duplicate(text, earlier, later) for earlier, later in repeated]
    for _, later in reversed(repeated):
        text = _blank(text, later.start, later.end)
    return problems, text


def _duplicate(text: str, earlier: Statement, later: Statement) -> Problem:
    name = ".".join(later.path)
    if later.kind == "header" or earlier.kind == "header":
        return Problem(
            name,
            f"table [{name}] stands twice, on lines {earlier.line} and {later.line}",
            "move the rows of the second under the first",
            line=later.line,
            rule="duplicate-table",
        )
    values = [_shown(text, statement) for statement in (earlier, later)]
    if later.path[0] in ("codes", "load-only", "retired") and len(later.path) == 2:
        what = f"code {later.path[1]} is assigned twice"
        both = f"line {earlier.line} to {values[0]}, line {later.line} to {values[1]}"
        hint = f"delete one of the lines, or give the later target a code of its own: extreg add {values[1]}"
        return Problem(name, f"{what}: {both}", hint, line=later.line, rule="duplicate-code")
    message = f"key is assigned twice: line {earlier.line} to {values[0]}, line {later.line} to {values[1]}"
    return Problem(name, message, "delete one of the lines", line=later.line)


def _shown(text: str, statement: Statement) -> str:
    return text[slice(*statement.value)].strip("\"'")


def _culprit(text: str, error: tomli.TOMLDecodeError) -> Statement | None:
    """Return the statement that tomli stumbled over, or None where it cannot be told."""
    place = _PLACE.search(str(error))
    if place is None or place[1] is None:
        return None
    line = int(place[1])
    for statement in statements(text):
        last = statement.line + text.count("\n", statement.start, statement.end)
        if statement.line <= line < max(last, statement.line + 1):
            return statement
    return None


def _syntax_problem(text: str, culprit: Statement, error: tomli.TOMLDecodeError) -> Problem:
    line = text[culprit.start :].partition("\n")[0].strip()
    message = f"not TOML: {_PLACE.sub('', str(error))}, found {line!r}"
    return Problem("", message, _syntax_hint(line), line=culprit.line)


def _syntax_hint(line: str) -> str:
    row = re.match(r"""([+-]?[0-9a-fA-FxXoO_]+)\s*=""", line)
    if row is not None and not row[1].isdecimal():
        return f"""a code is a plain decimal number: {row[1].lstrip("+-")} = "module:qualname\""""
    return 'a row is written CODE = "module:qualname"'
