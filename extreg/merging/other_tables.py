"""The three-way merge of everything in a registry that is not a code: includes, ranges, reducers."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, TypeVar

from extreg.merging.sides import Contradiction, Side
from extreg.registry.model import Registry
from extreg.registry.ranges import Range

Value = TypeVar("Value")
Undecided = Callable[[Contradiction], Side]


def merge_settings(base: Registry, ours: Registry, theirs: Registry, undecided: Undecided) -> dict[str, Any]:
    """Return ``include``, ``ranges`` and ``reducers`` of the merged registry, as arguments for `Registry`.

    `undecided` is told each contradiction and names the side to take meanwhile.
    """
    return {
        "include": merge_lists(base.include, ours.include, theirs.include),
        "ranges": _merge_ranges(base, ours, theirs, undecided),
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
