"""The three-way merge of everything in a registry that is not a code: includes, ranges, other names, reducers."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from extreg.merging.sides import Contradiction, Side
from extreg.registry.difference import Row
from extreg.registry.model import Registry
from extreg.registry.ranges import Range
from extreg.registry.renames import circles, renamed_by

Value = TypeVar("Value")
Undecided = Callable[[Contradiction], Side]


def merge_settings(base: Registry, ours: Registry, theirs: Registry, undecided: Undecided) -> dict[str, Any]:
    """Return what is in the merged registry besides codes, as arguments for `Registry`.

    `undecided` is told each contradiction and names the side to take meanwhile.
    """
    return {
        # There are two values: who has changed it has it.
        "former_names": theirs.former_names if ours.former_names == base.former_names else ours.former_names,
        "include": merge_lists(base.include, ours.include, theirs.include),
        "ranges": _merge_ranges(base, ours, theirs, undecided),
        "renamed": _merge_renamed(base, ours, theirs, undecided),
        "reducers": _merge_reducers(base, ours, theirs, undecided),
    }


def merge_lists(base: tuple[str, ...], ours: tuple[str, ...], theirs: tuple[str, ...]) -> tuple[str, ...]:
    """Return ours with what theirs added behind it and without what theirs took away."""
    removed = set(base) - set(theirs)
    added = [item for item in theirs if item not in base and item not in ours]
    return (*(item for item in ours if item not in removed), *added)


def _merge_reducers(base: Registry, ours: Registry, theirs: Registry, undecided: Undecided) -> dict[str, str]:
    merged = {}
    for kind in {**base.reducers, **ours.reducers, **theirs.reducers}:
        sides = (base.reducers.get(kind), ours.reducers.get(kind), theirs.reducers.get(kind))
        found = _three_way(*sides, undecided, f"reducers.{kind}", lambda value: value or "no reducer")
        if found is not None:
            merged[kind] = found
    return merged


def _merge_renamed(base: Registry, ours: Registry, theirs: Registry, undecided: Undecided) -> dict[str, str]:
    merged: dict[str, str] = {}
    for name in {**base.renamed, **ours.renamed, **theirs.renamed}:
        before, mine, other = (registry.renamed.get(name) for registry in (base, ours, theirs))
        if mine is not None and other is not None and _leads_to(other, mine, theirs):
            found: str | None = mine  # theirs has come as far, and further or by the same steps
        elif mine is not None and other is not None and _leads_to(mine, other, ours):
            found = other
        else:
            found = _three_way(before, mine, other, undecided, f"renamed.{name}", lambda value: value or "no new name")
        if found is not None:
            merged[name] = found
    for circle in circles(merged):
        message = f"both sides together go round in a circle: {' -> '.join((*circle, circle[0]))}"
        hint = "a rename points to the newest name: keep the rows that do, and delete the marker lines"
        side = undecided(Contradiction(f"renamed.{circle[0]}", message, hint))
        kept = (ours if side == "ours" else theirs).renamed
        for name in circle:
            if name not in kept:
                merged.pop(name, None)
    return merged


def _leads_to(name: str, wanted: str, registry: Registry) -> bool:
    """Whether the rows of `registry` lead from `name` to `wanted`, which is further on."""
    for _ in range(len(registry.renamed)):
        found = renamed_by(name, registry.renamed)
        if found is None:
            return False
        if found == wanted:
            return True
        name = found
    return False


def one_meaning(merged: dict[int, Row], answered: Callable[[int], Row | None], undecided: Undecided) -> dict[int, Row]:
    """Find aliases that lead to two codes once both sides are merged; no rule says which of them is right.

    Where they do, the rows are as `answered` has them, which is one side's registry: that one is sound.
    """
    holders: dict[str, set[int]] = {}
    loaded = {code: row for code, row in merged.items() if row.state != "retired"}
    for code, row in loaded.items():
        for name in row.aliases:
            holders.setdefault(name, set()).add(code)
    if not holders:
        return merged
    for code, row in loaded.items():
        if row.target in holders:
            holders[row.target].add(code)
    for name, codes in sorted(holders.items()):
        if len(codes) < 2:
            continue
        listed = " and ".join(f"{code} ({loaded[code].target})" for code in sorted(codes))
        message = f"it is a name of codes {listed} once both sides are merged, and a name leads to one code"
        undecided(Contradiction(name, message, "keep it with one of them, and delete the marker lines"))
        for code in codes & merged.keys():
            answer = answered(code)
            if answer is not None:
                merged[code] = answer
            elif merged[code].target == name:
                del merged[code]
            else:
                merged[code] = merged[code]._replace(aliases=tuple(n for n in merged[code].aliases if n != name))
    return merged


def _merge_ranges(base: Registry, ours: Registry, theirs: Registry, undecided: Undecided) -> dict[str, Range]:
    merged = {}
    for name in {**base.ranges, **ours.ranges, **theirs.ranges}:
        sides = [registry.ranges.get(name) for registry in (base, ours, theirs)]
        before, mine, other = _same_modules(*sides)
        found = _three_way(before, mine, other, undecided, f"ranges.{name}", _shown)
        if found is not None:
            merged[name] = found
    return merged


def _same_modules(before: Range | None, mine: Range | None, other: Range | None) -> tuple[Range | None, ...]:
    """Give all three the merged list of modules where both sides have the range: lists merge element by element."""
    if mine is None or other is None:
        return before, mine, other
    modules = merge_lists(before.modules if before else (), mine.modules, other.modules)
    return tuple(replace(span, modules=modules) if span else None for span in (before, mine, other))


def _shown(span: Range | None) -> str:
    return "no range" if span is None else f"{span.first} to {span.last} by {span.allocate}"


def _three_way(
    base: Value | None,
    ours: Value | None,
    theirs: Value | None,
    undecided: Undecided,
    where: str,
    shown: Callable[[Value | None], str],
) -> Value | None:
    if ours == theirs or theirs == base:
        return ours
    if ours == base:
        return theirs
    message = f"{shown(ours)} in ours, {shown(theirs)} in theirs"
    side = undecided(Contradiction(where, message, "take one of the two, and delete the marker lines"))
    return ours if side == "ours" else theirs
