"""The schema of registry.toml: a parsed TOML document to tables of codes, with every fault named.

Getters are small and the problem grows its own path.  The sound case runs in a few C calls per table and imports
nothing heavy, because a start-up without a cache pays for it.
"""

from extreg.registry.invariants import (
    BUILT_IN_RANGES,
    MAX_CODE,
    alias_problems,
    moved_problems,
    range_problems,
    renamed_problems,
    table_problems,
)
from extreg.registry.target import explain, is_module, is_target, split_all

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from extreg.errors import Problem

FORMAT = 1
TOP = (
    *("format", "former-names", "include", "ranges", "codes", "load-only", "moved", "retired", "aliases", "renamed"),
    "reducers",
)
RANGE_KEYS = ("first", "last", "allocate", "modules")

_MOST_SHOWN = 200
_TOML_NAMES = {
    dict: "a table",
    list: "an array",
    str: "a string",
    bool: "a boolean",
    int: "an integer",
    float: "a float",
}


class Tables:
    """What a registry file says, as plain dicts: the input of both `Registry` and the start-up plan."""

    __slots__ = (
        "aliases",
        "codes",
        "former_names",
        "include",
        "keys",
        "load_only",
        "moved",
        "ranges",
        "reducers",
        "renamed",
        "retired",
    )

    def __init__(self, data: "Mapping[str, Any]", problems: "list[Problem]") -> None:
        #: The targets of each sound code table as pickle's keys, in the order of its rows.
        self.keys: dict[str, list[tuple[str, str]]] = {}
        self.former_names = _switch(data, "former-names", problems)
        self.include = _strings(data, "include", "a package name such as 'paylib'", problems)
        self.ranges = _ranges(data, problems)
        self.codes = _code_table(data, "codes", problems, self.keys)
        self.load_only = _code_table(data, "load-only", problems, self.keys)
        self.retired = _code_table(data, "retired", problems, self.keys)
        self.moved = _names(data, "moved", "an array of former targets, oldest first", problems)
        self.aliases = _names(data, "aliases", "an array of the target's other names", problems)
        self.renamed = _renamed(data, problems)
        self.reducers = _reducers(data, problems)

    @property
    def code_tables(self) -> "dict[str, dict[int, str]]":
        """The three code tables by the names they have in the file."""
        return {"codes": self.codes, "load-only": self.load_only, "retired": self.retired}


def read_tables(data: "Mapping[str, Any]") -> "tuple[Tables, list[Problem]]":
    """Return the tables in `data` (what tomli returns) and every problem found in them."""
    problems = _format_problems(data)
    if problems and problems[0].rule == "newer-format":
        return Tables({}, []), problems
    problems += [_unknown(key, "", TOP) for key in data if key not in TOP]
    tables = Tables(data, problems)
    if len(problems) == 0:
        problems += table_problems(tables.code_tables)
        problems += moved_problems(tables.code_tables, tables.moved)
        problems += moved_problems(tables.code_tables, tables.aliases, "aliases")
        problems += alias_problems(tables.code_tables, tables.aliases)
        problems += renamed_problems(tables.renamed)
        if tables.ranges:
            built_in = {name: (first, last) for name, (first, last, _) in BUILT_IN_RANGES.items()}
            declared = {name: (row["first"], row["last"]) for name, row in tables.ranges.items()}
            problems += range_problems({**built_in, **declared})
    return tables, problems


def _problem(where: str, message: str, hint: str = "", rule: str = "malformed") -> "Problem":
    from extreg.errors import Problem

    return Problem(where=where, message=message, hint=hint, rule=rule)


def _expected(where: str, expected: str, found: object, hint: str = "") -> "Problem":
    name = "an empty array" if found == [] else _TOML_NAMES.get(type(found), "a date or time")
    return _problem(where, f"expected {expected}, found {name}{_shown(found)}", hint)


def _shown(found: object) -> str:
    if not isinstance(found, (str, int, float)):
        return ""
    try:
        return f" {found!r}"
    except ValueError:  # PyPy reads integers that it does not write
        return " of thousands of digits"


def _unknown(key: str, table: str, legal: "tuple[str, ...]") -> "Problem":
    from difflib import get_close_matches

    where = f"{table}.{key}" if table else key
    near = get_close_matches(key.lower().replace("_", "-"), legal, n=1)
    hint = f"did you mean {near[0]!r}?" if near else ""
    return _problem(where, f"unknown key, expected one of {', '.join(legal)}", hint)


def _format_problems(data: "Mapping[str, Any]") -> "list[Problem]":
    if "format" not in data:
        return [_problem("format", "missing key", f"put 'format = {FORMAT}' on the first line")]
    found = data["format"]
    if type(found) is not int or found < 1:
        return [_expected("format", f"{FORMAT}, the version of the file format", found)]
    if found > FORMAT:
        message = f"format{_shown(found)} is newer than this extreg reads ({FORMAT})"
        return [_problem("format", message, "pip install --upgrade extreg", rule="newer-format")]
    return []


def _table(data: "Mapping[str, Any]", name: str, problems: "list[Problem]") -> "dict[str, Any]":
    found = data.get(name, {})
    if type(found) is not dict:
        problems.append(_expected(name, f"a table [{name}]", found))
        return {}
    return found


def _strings(data: "Mapping[str, Any]", where: str, what: str, problems: "list[Problem]") -> "tuple[str, ...]":
    """Return the array of strings at the last part of `where`, each naming a module."""
    found = data.get(where.rpartition(".")[2], [])
    if type(found) is not list:
        problems.append(_expected(where, "an array of strings", found))
        return ()
    bad = [item for item in found if type(item) is not str or not is_module(item)]
    problems += [_expected(where, what, item) for item in bad]
    return () if bad else tuple(found)


def _code_table(
    data: "Mapping[str, Any]", name: str, problems: "list[Problem]", keys: "dict[str, list[tuple[str, str]]]"
) -> "dict[int, str]":
    table = _table(data, name, problems)
    targets = list(table.values())
    codes = _codes(list(table))
    if codes and {str}.issuperset(map(type, targets)) and (pairs := split_all(targets)) is not None:
        rows = dict(zip(codes, targets, strict=True))
        keys[name] = pairs
        return rows
    return _faulty_code_table(table, name, problems)


def _codes(keys: "list[str]") -> "list[int]":
    """Return the codes that `keys` spell; nothing unless each is a plain decimal number, as Python itself writes it."""
    try:
        codes = list(map(int, keys))
    except ValueError:
        return []
    if list(map(str, codes)) != keys:
        return []
    ordered = sorted(codes)  # of numbers in order, as they usually are, the fastest way to the least and the greatest
    return codes if ordered and ordered[0] >= 1 and ordered[-1] <= MAX_CODE else []


def _faulty_code_table(table: "dict[str, Any]", name: str, problems: "list[Problem]") -> "dict[int, str]":
    rows: dict[int, str] = {}
    for key, target in table.items():
        code = _code(key, name, problems)
        if _target(target, f"{name}.{key}", problems) and code is not None:
            rows[code] = target
    return rows


def _code(key: str, table: str, problems: "list[Problem]") -> "int | None":
    """Return the code that `key` spells in plain decimal, or None and a problem."""
    rows = _codes([key])
    if rows:
        return rows[0]
    expected = f"a code, a plain decimal number from 1 to {MAX_CODE}"
    found = repr(key) if len(key) <= _MOST_SHOWN else f"{len(key)} characters"
    problems.append(_problem(f"{table}.{key}", f"expected {expected}, found {found}", _decimal_hint(key)))
    return None


def _decimal_hint(key: str) -> str:
    try:
        number = int(key, 10) if key.strip("+-_0123456789") == "" else int(key, 0)
    except ValueError:
        return ""
    return f"write {number}" if 1 <= number <= MAX_CODE else ""


def _target(found: object, where: str, problems: "list[Problem]") -> bool:
    if type(found) is not str:
        problems.append(_expected(where, "a target 'module:qualname'", found))
        return False
    if not is_target(found):
        problems.append(_problem(where, explain(found), rule="bad-target"))
        return False
    return True


def _names(data: "Mapping[str, Any]", name: str, what: str, problems: "list[Problem]") -> "dict[int, tuple[str, ...]]":
    """Return a table of codes with names that they have besides their target's."""
    table = _table(data, name, problems)
    rows: dict[int, tuple[str, ...]] = {}
    for key, names in table.items():
        code = _code(key, name, problems)
        where = f"{name}.{key}"
        if type(names) is not list or not names:
            problems.append(_expected(where, what, names))
            continue
        sound = [_target(target, where, problems) for target in names]
        if code is not None and all(sound):
            rows[code] = tuple(names)
    return rows


def _switch(data: "Mapping[str, Any]", name: str, problems: "list[Problem]") -> bool:
    found = data.get(name, False)
    if type(found) is not bool:
        problems.append(_expected(name, "true or false", found))
        return False
    return found


def _renamed(data: "Mapping[str, Any]", problems: "list[Problem]") -> "dict[str, str]":
    rows: dict[str, str] = {}
    for old, new in _table(data, "renamed", problems).items():
        where = f"renamed.{old}"
        if type(new) is dict:  # an unquoted key with dots in it
            path, value = _leaf(old, new)
            line = f'"{path}" = {value!r}'.replace("'", '"') if type(value) is str else f'"{path}" = ...'
            problems.append(_problem(f"renamed.{path}", "a name with dots in it stands in quotes", f"write {line}"))
            continue
        if type(new) is not str:
            problems.append(_expected(where, "the new name of a target or of a module", new))
            continue
        if ":" not in old + new and is_module(old) and is_module(new):
            rows[old] = new
            continue
        sound = [_target(old, where, problems), _target(new, where, problems)]
        if all(sound):
            rows[old] = new
    return rows


def _leaf(path: str, found: "dict[str, Any]") -> "tuple[str, object]":
    """Return the first dotted path through nested tables to a value that is none, and that value."""
    value: object = found
    while type(value) is dict and value:
        key, value = next(iter(value.items()))
        path = f"{path}.{key}"
    return path, value


def _reducers(data: "Mapping[str, Any]", problems: "list[Problem]") -> "dict[str, str]":
    table = _table(data, "reducers", problems)
    for kind, function in table.items():
        _target(kind, f"reducers.{kind}", problems)
        _target(function, f"reducers.{kind}", problems)
    return table


def _ranges(data: "Mapping[str, Any]", problems: "list[Problem]") -> "dict[str, dict[str, Any]]":
    rows = {}
    for name, found in _table(data, "ranges", problems).items():
        where = f"ranges.{name}"
        if type(found) is not dict:
            problems.append(_expected(where, f"a table [{where}]", found))
            continue
        before = len(problems)
        row = _range(found, where, problems)
        if len(problems) == before:
            rows[name] = row
    return rows


def _range(found: "dict[str, Any]", where: str, problems: "list[Problem]") -> "dict[str, Any]":
    problems += [_unknown(key, where, RANGE_KEYS) for key in found if key not in RANGE_KEYS]
    bounds = [_bound(found, where, key, problems) for key in ("first", "last")]
    if bounds[0] > bounds[1]:
        problems.append(_problem(where, f"first ({bounds[0]}) is above last ({bounds[1]})", "exchange them"))
    allocate = found.get("allocate", "hash")
    if allocate not in ("hash", "next"):
        problems.append(_expected(f"{where}.allocate", "'hash' or 'next'", allocate))
    modules = _strings(found, f"{where}.modules", "a module name such as 'billing'", problems)
    return {"first": bounds[0], "last": bounds[1], "allocate": allocate, "modules": modules}


def _bound(found: "dict[str, Any]", where: str, key: str, problems: "list[Problem]") -> int:
    value = found.get(key)
    if type(value) is int and 1 <= value <= MAX_CODE:
        return value
    where = f"{where}.{key}"
    expected = f"an integer from 1 to {MAX_CODE}"
    problems.append(
        _problem(where, f"missing key, expected {expected}") if value is None else _expected(where, expected, value)
    )
    return 1 if key == "first" else MAX_CODE


def sequence(problems: "Iterable[Problem]") -> "tuple[Problem, ...]":
    """Return `problems` by line, those without one last, each once."""
    return tuple(sorted(dict.fromkeys(problems), key=lambda p: (p.line is None, p.line or 0, p.where)))
