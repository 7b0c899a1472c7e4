"""Allocation: which code a new target gets.  The answer depends on the registry and the target alone."""

import hashlib
from collections.abc import Container, Iterator, Mapping
from itertools import chain

from extreg.errors import AllocationError
from extreg.registry.invariants import MAX_CODE
from extreg.registry.model import Registry
from extreg.registry.ranges import Range, capacity, inside, range_of_code, range_of_module, used
from extreg.registry.target import split


class Allocator:
    """Gives out codes, one after the other: what it gave is put into `spent`.  Takes time linear in their number."""

    def __init__(self, ranges: Mapping[str, Range], spent: set[int]) -> None:
        self.ranges = ranges
        self.spent = spent
        self._highest: dict[str, int] = {}

    def allocate(self, target: str, *, range_name: str | None = None) -> int:
        """Return the code that `target` gets next.

        `range_name` asks for a range; without it the range that owns the target's module is used, else ``default``.
        Raises `AllocationError` when the range does not exist, is full, or may not hold the target.
        """
        module, _ = split(target)
        name = _choose(self.ranges, module, range_name)
        span = self.ranges[name]
        if span.allocate == "next":
            code = self._next(name)
        else:
            code = next(_free(span, inside(name, self.ranges), self.spent, start=home(target, span)), None)
        if code is None:
            raise _full(self.ranges, self.spent, name, target)
        self.spent.add(code)
        return code

    def _next(self, name: str) -> int | None:
        """Return one above the highest code ever spent in the range; gaps left by hand are not filled."""
        span = self.ranges[name]
        if name not in self._highest:
            codes = (code for code in self.spent if code in span and range_of_code(code, self.ranges) == name)
            self._highest[name] = max(codes, default=span.first - 1)
        nested = inside(name, self.ranges)
        code = next(_free(span, nested, (), start=self._highest[name] + 1, round_the_end=False), None)
        if code is not None:
            self._highest[name] = code
        return code


def allocate(registry: Registry, target: str, *, range_name: str | None = None) -> int:
    """Return the code that `target` gets next: see `Allocator.allocate`."""
    return Allocator(registry.ranges, registry.spent).allocate(target, range_name=range_name)


def home(target: str, span: Range) -> int:
    """Return the code at which the search for `target` starts in a ``hash`` range, for ever.

    The first eight bytes of SHA-256 of the target in UTF-8, as a big-endian integer, modulo the number of codes
    in the range, above its first code.
    """
    digest = hashlib.sha256(target.encode()).digest()
    return span.first + int.from_bytes(digest[:8], "big") % len(span)


def displaced_by(registry: Registry, target: str, code: int) -> int | None:
    """Return the spent code that made `target` take `code` instead, or None.

    This is a real collision of two hashes: whoever of the two is added first gets the place, which is the target's
    home, or the first code above it where a range inside owns the home.
    """
    name = range_of_code(code, registry.ranges)
    if name is None or registry.ranges[name].allocate != "hash":
        return None
    span = registry.ranges[name]
    place = next(_free(span, inside(name, registry.ranges), (), start=home(target, span)))
    return place if place != code else None


def claim(registry: Registry, target: str, code: int) -> None:
    """Check that `target` may take `code`, as ``--code`` asks; raise `AllocationError` otherwise."""
    module, _ = split(target)
    if not 1 <= code <= MAX_CODE:
        raise AllocationError(f"code {code} is not from 1 to {MAX_CODE}")
    state = registry.state(code)
    if state is not None:
        holder = {**registry.retired, **registry.load_only, **registry.codes}[code]
        raise AllocationError(
            f"code {code} is spent: it is {state} and means {holder}",
            f"a code is never given out again; leave --code away to have one allocated: extreg add {target}",
        )
    name = range_of_code(code, registry.ranges)
    if name is None:
        raise AllocationError(
            f"code {code} lies in no range ({_listing(registry.ranges, registry.spent)})",
            "codes 1 to 239 belong to others by PEP 307; declare a [ranges.NAME] that holds the code to take it",
        )
    _admit(registry.ranges, name, module)


def _choose(ranges: Mapping[str, Range], module: str, asked: str | None) -> str:
    if asked is None:
        asked = range_of_module(module, ranges) or "default"
    elif asked not in ranges:
        raise AllocationError(f"there is no range {asked!r}", f"the ranges are {', '.join(sorted(ranges))}")
    _admit(ranges, asked, module)
    return asked


def _admit(ranges: Mapping[str, Range], name: str, module: str) -> None:
    """Refuse a range that belongs to other modules, or a module that belongs to another range."""
    owner = range_of_module(module, ranges)
    if owner is not None and owner != name:
        raise AllocationError(
            f"module {module} is allocated in range {owner!r} and only there, not in {name!r}",
            "leave --range and --code away",
        )
    if owner is None and ranges[name].modules:
        modules = ", ".join(ranges[name].modules)
        raise AllocationError(
            f"range {name!r} belongs to {modules}; module {module} is none of theirs",
            f"add it to the modules of [ranges.{name}], or choose another range",
        )


def _free(
    span: Range, nested: tuple[Range, ...], spent: Container[int], *, start: int, round_the_end: bool = True
) -> Iterator[int]:
    """Yield the free codes of `span` from `start` upward, round the end, past the ranges inside it."""
    for code in chain(range(start, span.last + 1), range(span.first, start) if round_the_end else ()):
        if code not in spent and not any(code in inner for inner in nested):
            yield code


def _full(ranges: Mapping[str, Range], spent: set[int], name: str, target: str) -> AllocationError:
    span = ranges[name]
    gaps = span.allocate == "next" and used(name, ranges, spent) < capacity(name, ranges)
    why = "its last code is spent and gaps below are not filled" if gaps else "every code is spent"
    return AllocationError(
        f"no code left in range {name!r} for {target}: {why} ({_listing(ranges, spent)})",
        f"raise 'last' in [ranges.{name}], or name another range: extreg add {target} --range NAME",
    )


def _listing(ranges: Mapping[str, Range], spent: set[int]) -> str:
    """Say how full each range is."""
    return "; ".join(
        f"{name} {span.first}-{span.last}: {used(name, ranges, spent)} of {capacity(name, ranges)}"
        for name, span in sorted(ranges.items(), key=lambda item: item[1].first)
    )
