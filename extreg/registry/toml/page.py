"""The text of a registry file as read: what it says, where it says it, and everything that is wrong with it."""

import re
from functools import cached_property
from typing import Any, TypeVar

from extreg.errors import Problem
from extreg.printable import printable
from extreg.registry.invariants import CODE_TABLES
from extreg.registry.toml.schema import Tables, read_tables, sequence
from extreg.registry.toml.statements import Statement, line_index, statements
from extreg.registry.toml.toml_reader import TOMLDecodeError, loads

Path = tuple[str, ...]

_PLACE = re.compile(r" \(at line (\d+), column \d+\)$| \(at end of document\)$")
_MARKER = re.compile(r"^(<{7}|\|{7}|={7}|>{7})(?=\s|$)", re.MULTILINE)
_MOST_REPAIRS = 50
_MOST_SHOWN = 80
# tomli reports its limits (integers of thousands of digits, brackets hundreds deep) by errors other than its own.
_UNREADABLE = (ValueError, RecursionError)


P = TypeVar("P", bound="Page")


class Page:
    """The text of one registry file and what its TOML says.

    Reading never raises: faults stand in ``problems`` (each with its line), while ``tables`` still hold what is sound.
    """

    def __init__(self, text: str, path: str, tables: Tables, problems: tuple[Problem, ...]) -> None:
        self.text = text
        self.path = path
        self.tables = tables
        self.problems = problems

    @classmethod
    def read(cls: "type[P]", text: str, *, path: str = "<string>") -> "P":
        """Read `text`; `path` is what messages call it."""
        try:
            data = loads(text)
            faults: list[Problem] = []
        except _UNREADABLE:
            data, faults = _repair(text)
        tables, problems = read_tables(data) if data or not faults else (Tables({}, []), [])
        if any(fault.rule == "malformed" for fault in faults):
            problems = [problem for problem in problems if not _may_be_in_a_broken_line(problem)]
        placed = _Places(text).placed(problems) if problems else []
        return cls(text, path, tables, sequence(_presentable(problem, path) for problem in faults + placed))

    @cached_property
    def lines(self) -> dict[Path, list[int]]:
        """The lines on which each dotted key path is assigned or opened."""
        return line_index(self.text)

    def line(self, *path: str | int) -> int | None:
        """Return the first line of a key path such as ``("codes", 240)``, or None."""
        found = self.lines.get(tuple(map(str, path)))
        return found[0] if found else None


def _presentable(problem: Problem, path: str) -> Problem:
    """Return `problem` with its path, each part on one line and without what would upset a terminal."""
    return problem._replace(path=path, where=printable(problem.where), message=printable(problem.message))


def _may_be_in_a_broken_line(problem: Problem) -> bool:
    """Whether `problem` says that something is missing, which cannot be told while lines are left unread."""
    return problem.rule == "deleted-code" or (problem.where == "format" and problem.message == "missing key")


class _Places:
    """Where the keys of a text stand, by their dotted paths as problems spell them."""

    def __init__(self, text: str) -> None:
        self.lines: dict[str, list[int]] = {}
        self.within: dict[str, int] = {}
        for statement in statements(text):
            path = statement.path
            self.lines.setdefault(".".join(path), []).append(statement.line)
            for length in range(1, len(path)):
                self.within.setdefault(".".join(path[:length]), statement.line)

    def placed(self, problems: list[Problem]) -> list[Problem]:
        """Give each problem its line, and those about two lines both."""
        return [
            problem._replace(line=self.line(problem.where), message=self._both_lines(problem)) for problem in problems
        ]

    def line(self, where: str) -> int:
        """Return the line of the longest known prefix of `where`; what is nowhere belongs on the first line."""
        while where:
            if where in self.lines:
                return self.lines[where][0]
            if where in self.within:
                return self.within[where]
            where = where.rpartition(".")[0]
        return 1

    def _both_lines(self, problem: Problem) -> str:
        """Return the message; where a code stands in two tables, with the line of each."""
        message = problem.message
        if problem.rule == "duplicate-code":
            code = problem.where.rpartition(".")[2]
            for table in CODE_TABLES:
                message = message.replace(f"in [{table}] to", f"line {self.line(f'{table}.{code}')} (in [{table}]) to")
        return message


def _repair(text: str) -> tuple[dict[str, Any], list[Problem]]:
    """Name what keeps `text` from being TOML, and parse what is left once the culprits are blanked out.

    One round of mending should show every fault, so a broken line must not hide the lines below it.
    """
    problems, text = _blank_markers(text)
    more, text = _blank_duplicates(text)
    problems += more
    if any(problem.rule == "duplicate-table" for problem in more):
        return {}, problems
    for _ in range(_MOST_REPAIRS):
        try:
            return loads(text), problems
        except _UNREADABLE as found:
            error = found
        line, start, end = _culprit(text, error)
        problems.append(_syntax_problem(text[start:end], line, error))
        if text[start:end].lstrip().startswith("["):
            break  # whose rows the ones below are can no longer be told
        text = _blank(text, start, end)
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
        "extreg resolve merges the two sides by meaning; by hand, keep the rows of both and delete the marker lines",
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


def _culprit(text: str, error: Exception) -> tuple[int, int, int]:
    """Return the line, start and end of what tomli stumbled over: a statement, or else the line that it names."""
    place = _PLACE.search(str(error))
    if place is None:
        found = [
            statement for statement in statements(text) if _is_beyond_limits(text[statement.start : statement.end])
        ]
    elif place[1] is None:  # what is not closed is noticed only at the end of the document
        found = list(statements(text))[-1:]
    else:
        line = int(place[1])
        found = [statement for statement in statements(text) if line in _lines_of(text, statement)]
    if found:
        return found[0].line, found[0].start, found[0].end
    lines = text.split("\n")
    number = int(place[1]) if place is not None and place[1] is not None else len(lines)
    start = sum(len(line) + 1 for line in lines[: number - 1])
    return number, start, start + len(lines[number - 1])


def _is_beyond_limits(line: str) -> bool:
    try:
        loads(line)
    except TOMLDecodeError:
        return False
    except _UNREADABLE:
        return True
    return False


def _lines_of(text: str, statement: Statement) -> range:
    return range(statement.line, statement.line + max(1, text.count("\n", statement.start, statement.end)))


def _syntax_problem(found: str, line: int, error: Exception) -> Problem:
    first = found.partition("\n")[0].strip()
    shown = first if len(first) <= _MOST_SHOWN else f"{first[:_MOST_SHOWN]}..."
    message = f"not TOML: {_PLACE.sub('', str(error))}, found {shown!r}"
    return Problem("", message, _syntax_hint(first), line=line)


def _syntax_hint(line: str) -> str:
    row = re.match(r"""([+-]?[0-9a-fA-FxXoO_]+)\s*=""", line)
    if row is not None and not row[1].isdecimal():
        return f"""a code is a plain decimal number: {row[1].lstrip("+-")} = "module:qualname\""""
    if line.startswith("["):
        return "a table is opened once, by its name in brackets on a line of its own: [codes]"
    if line.startswith("#"):
        return "delete the character"
    return 'a row is written CODE = "module:qualname"'
