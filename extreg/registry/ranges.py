"""Ranges: the spans of codes from which new ones are allocated, and whose they are."""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, cast

from extreg.registry.invariants import BUILT_IN_RANGES

LAST_RESERVED = 239  # PEP 307: 1-127 standard library, 128-191 Zope, 192-239 third parties

Allocate = Literal["hash", "next"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Range:
    """A span of codes, both ends included.

    ``modules``: when not empty, targets below these modules are allocated here, and only here.
    """

    first: int
    last: int
    allocate: Allocate = "hash"
    modules: tuple[str, ...] = ()

    def __contains__(self, code: int) -> bool:
        return self.first <= code <= self.last

    def __len__(self) -> int:
        return self.last - self.first + 1


BUILT_IN: Mapping[str, Range] = {
    name: Range(first=first, last=last, allocate=cast(Allocate, allocate))
    for name, (first, last, allocate) in BUILT_IN_RANGES.items()
}


def inside(name: str, ranges: Mapping[str, Range]) -> tuple[Range, ...]:
    """Return the ranges that lie inside `name` and so own their codes before it does."""
    outer = ranges[name]
    return tuple(
        inner
        for other, inner in ranges.items()
        if other != name and inner.first in outer and inner.last in outer and len(inner) < len(outer)
    )


def range_of_code(code: int, ranges: Mapping[str, Range]) -> str | None:
    """Return the name of the range that owns `code`: the smallest one that contains it."""
    names = [name for name, span in ranges.items() if code in span]
    return min(names, key=lambda name: len(ranges[name]), default=None)


def uncovered(codes: Iterable[int], ranges: Mapping[str, Range]) -> list[int]:
    """Return, ascending, those of `codes` that lie in no range."""
    ordered = sorted(codes)
    found: list[int] = []
    position = 0
    for span in sorted(ranges.values(), key=lambda span: span.first):
        start = bisect_left(ordered, span.first, position)
        found += ordered[position:start]
        position = bisect_right(ordered, span.last, start)
    return found + ordered[position:]


def range_of_module(module: str, ranges: Mapping[str, Range]) -> str | None:
    """Return the name of the range whose ``modules`` own `module` (the longest match), or None."""
    matches = (
        (len(owner), name)
        for name, span in ranges.items()
        for owner in span.modules
        if module == owner or module.startswith(f"{owner}.")
    )
    return max(matches, default=(0, None))[1]


def used(name: str, ranges: Mapping[str, Range], spent: Iterable[int]) -> int:
    """Return how many codes of `name`'s own (not of ranges inside it) are spent."""
    return sum(1 for code in spent if range_of_code(code, ranges) == name)


def capacity(name: str, ranges: Mapping[str, Range]) -> int:
    """Return how many codes `name` owns, those of ranges inside it not counted."""
    nested = inside(name, ranges)
    direct = [span for span in nested if not any(span.first in other and len(span) < len(other) for other in nested)]
    return len(ranges[name]) - sum(len(span) for span in direct)
