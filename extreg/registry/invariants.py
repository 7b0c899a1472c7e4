"""What must hold between the tables of a registry, whoever made it.

Plain functions over plain mappings, importing nothing heavy: the start-up path without a cache runs them too.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from typing import Any

    from extreg.errors import Problem

MAX_CODE = 0x7FFFFFFF  # copyreg.add_extension and PEP 307: a signed 32-bit integer
BUILT_IN_RANGES = {"default": (256, 65535, "hash"), "hot": (240, 255, "next")}
CODE_TABLES = ("codes", "load-only", "retired")


def row_problems(tables: "Mapping[str, Mapping[int, str]]") -> "list[Problem]":
    """Return every row of `tables` whose code is none or whose target is none; a file's reader finds these itself."""
    return [
        problem
        for table, rows in tables.items()
        if not (set(map(type, rows)) <= {int} and set(map(type, rows.values())) <= {str}) or _odd(rows)
        for problem in _row_problems(table, rows)
    ]


def _odd(rows: "Mapping[int, str]") -> bool:
    if not rows:
        return False
    from extreg.registry.target import split_all

    return min(rows) < 1 or max(rows) > MAX_CODE or split_all(list(rows.values())) is None


def _row_problems(table: str, rows: "Mapping[Any, Any]") -> "Iterator[Problem]":
    from extreg.errors import Problem
    from extreg.registry.target import explain, is_target

    for code, target in rows.items():
        if type(code) is not int or not 1 <= code <= MAX_CODE:
            yield Problem(f"{table}.{code}", f"expected a code, an int from 1 to {MAX_CODE}, found {code!r}")
        if not isinstance(target, str):
            yield Problem(f"{table}.{code}", f"expected a target 'module:qualname', found {target!r}")
        elif not is_target(target):
            yield Problem(f"{table}.{code}", explain(target))


def name_problems(table: str, rows: "Mapping[Any, Any]") -> "list[Problem]":
    """Return every name in ``[moved]`` or ``[aliases]`` that is none; a file's reader finds these itself."""
    if not rows:
        return []
    from extreg.registry.target import is_target, split_all

    if {tuple}.issuperset(map(type, rows.values())):
        names = [name for row in rows.values() for name in row]
        if {str}.issuperset(map(type, names)) and all(rows.values()) and split_all(names) is not None:
            return []
    from extreg.errors import Problem

    return [
        Problem(f"{table}.{code}", f"expected a tuple of targets 'module:qualname', found {row!r}")
        for code, row in rows.items()
        if not (isinstance(row, tuple) and row and all(isinstance(name, str) and is_target(name) for name in row))
    ]


def setting_problems(
    include: "Iterable[object]", ranges: "Mapping[Any, object]", reducers: "Mapping[Any, object]"
) -> "Iterator[Problem]":
    """Yield what in the rest of a registry is of another type than a file could give it."""
    from extreg.errors import Problem

    for package in include:
        if not isinstance(package, str):
            yield Problem("include", f"expected names of packages, found {package!r}")
    for name, span in ranges.items():
        if not (isinstance(name, str) and hasattr(span, "first") and hasattr(span, "last")):
            yield Problem(f"ranges.{name}", f"expected a Range, found {span!r}")
    for kind, function in reducers.items():
        if not (isinstance(kind, str) and isinstance(function, str)):
            yield Problem(f"reducers.{kind}", f"expected targets 'module:qualname', found {kind!r} and {function!r}")


def table_problems(tables: "Mapping[str, Mapping[int, str]]") -> "list[Problem]":
    """Return every code that stands in two tables and every target with two live codes.

    `tables` maps the names in `CODE_TABLES` to code-to-target mappings.  The sound case costs a few C calls.
    """
    codes = tables["codes"]
    load_only = tables["load-only"]
    retired = tables["retired"]
    sound = (
        codes.keys().isdisjoint(load_only)
        and codes.keys().isdisjoint(retired)
        and load_only.keys().isdisjoint(retired)
        and len(set(codes.values())) == len(codes)
    )
    return [] if sound else [*_duplicate_codes(tables), *_duplicate_targets(codes)]


def _duplicate_codes(tables: "Mapping[str, Mapping[int, str]]") -> "Iterator[Problem]":
    from extreg.errors import Problem

    first_seen: dict[int, str] = {}
    for table in CODE_TABLES:
        for code, target in tables[table].items():
            if code in first_seen:
                first = first_seen[code]
                yield Problem(
                    where=f"{table}.{code}",
                    message=f"code {code} is assigned twice: in [{first}] to {tables[first][code]}, "
                    f"in [{table}] to {target}",
                    hint="a code stands in exactly one table; delete the line that was added last",
                    rule="duplicate-code",
                )
            first_seen.setdefault(code, table)


def _duplicate_targets(codes: "Mapping[int, str]") -> "Iterator[Problem]":
    from extreg.errors import Problem

    first_seen: dict[str, int] = {}
    for code, target in codes.items():
        if target in first_seen:
            yield Problem(
                where=f"codes.{code}",
                message=f"target {target} has two live codes, {first_seen[target]} and {code}",
                hint=f"keep one live: move the line of {code} into [load-only]",
                rule="duplicate-target",
            )
        first_seen.setdefault(target, code)


def moved_problems(
    tables: "Mapping[str, Mapping[int, str]]", moved: "Mapping[int, object]", table: str = "moved"
) -> "list[Problem]":
    """Return every code in ``[moved]``, or in another `table` of names of codes, that no code table holds."""
    if not moved:
        return []
    from extreg.errors import Problem

    return [
        Problem(
            where=f"{table}.{code}",
            message=f"[{table}] names code {code}, which stands in none of [codes], [load-only], [retired]",
            hint="a code is never deleted: put its line back, or in [retired]",
            rule="deleted-code",
        )
        for code in moved
        if not any(code in tables[name] for name in CODE_TABLES)
    ]


def range_problems(spans: "Mapping[str, tuple[int, int]]") -> "list[Problem]":
    """Return every pair of ranges that overlap in part, or are the same span.

    `spans` maps the name of each range, built-in ones included, to its first and last code.
    """
    names = list(spans)
    found = []
    for position, name in enumerate(names):
        for other in names[position + 1 :]:
            if _overlap_in_part(spans[name], spans[other]):
                found.append(_overlap(other, name, spans))
    return found


def _overlap_in_part(one: "tuple[int, int]", two: "tuple[int, int]") -> bool:
    if one[1] < two[0] or two[1] < one[0]:
        return False
    if one == two:
        return True
    contains = (one[0] <= two[0] and two[1] <= one[1]) or (two[0] <= one[0] and one[1] <= two[1])
    return not contains


def _overlap(name: str, other: str, spans: "Mapping[str, tuple[int, int]]") -> "Problem":
    from extreg.errors import Problem

    (first, last), (other_first, other_last) = spans[name], spans[other]
    return Problem(
        where=f"ranges.{name}",
        message=f"range {name} ({first} to {last}) and range {other} ({other_first} to {other_last}) overlap in part",
        hint="move one of them, or put one wholly inside the other",
        rule="overlapping-ranges",
    )


def alias_problems(
    tables: "Mapping[str, Mapping[int, str]]", aliases: "Mapping[int, tuple[str, ...]]"
) -> "list[Problem]":
    """Return every alias that leads to two codes: as the alias of both, or as the target of one of them.

    Those of retired codes lead nowhere, and may be given out again.
    """
    if not aliases:
        return []
    from extreg.errors import Problem

    targets = {**tables["load-only"], **tables["codes"]}
    taken = {target: code for code, target in targets.items()}
    found = []
    for code in sorted(aliases.keys() & targets.keys()):
        for name in aliases[code]:
            other = taken.setdefault(name, code)
            if other != code or targets[other] == name or aliases[code].count(name) > 1:
                what = f"the target of code {other}" if targets[other] == name else f"an alias of code {other}"
                found.append(
                    Problem(
                        where=f"aliases.{code}",
                        message=f"{name} is an alias of code {code} ({targets[code]}) and {what} too",
                        hint="a name leads to one code: take it out of this row, or move the other code to this target",
                        rule="ambiguous-alias",
                    )
                )
    return list(dict.fromkeys(found))


def renamed_problems(renamed: "Mapping[Any, Any]") -> "list[Problem]":
    """Return what is wrong with the rows of ``[renamed]``: names that are none, and circles."""
    if not renamed:
        return []
    from extreg.errors import Problem
    from extreg.registry.renames import circles, is_rename

    found = [
        Problem(f"renamed.{old}", f"expected two modules, or two targets, found {old!r} and {new!r}")
        for old, new in renamed.items()
        if not is_rename(old, new)
    ]
    return found or [
        Problem(
            where=f"renamed.{circle[0]}",
            message=f"[renamed] goes round in a circle: {' -> '.join((*circle, circle[0]))}",
            hint="a rename points to the newest name: delete the row that points back to an old one",
            rule="circular-rename",
        )
        for circle in circles(renamed)
    ]
