"""Which codes would pay for the pickles in many files, and adding them to the registry."""

from collections import Counter
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal, NamedTuple

from extreg.errors import AllocationError
from extreg.linter.candidates import objection
from extreg.pickles.pricing import Price, Prices, price
from extreg.pickles.walking.opcodes import EXTENSION_WIDTHS, Buffer
from extreg.project.effective import with_rows_of
from extreg.registry import life
from extreg.registry.allocation import allocate
from extreg.registry.file import update
from extreg.registry.model import Registry
from extreg.registry.ranges import range_of_code, range_of_module
from extreg.registry.target import split
from extreg.stores.contents import contents
from extreg.stores.faults import capped, holding_none
from extreg.stores.files import Found
from extreg.stores.inside import read
from extreg.stores.items import Fault, Passed

NARROW = "hot"
_LAST_NARROW, _LAST_WIDE = 0xFF, 0xFFFF


class Suggestions(NamedTuple):
    """The ``prices``; the targets ``passed`` over, with the rule of lint or the reason; and what was not read.

    ``one_byte`` is how many one-byte codes are left, and ``unread`` how much was passed over, by file and kind.
    """

    prices: Prices
    passed: dict[str, str]
    faults: list[tuple[Found, Fault]]
    one_byte: int
    unread: list[tuple[Found, dict[str, int]]]


def suggest(
    files: Iterable[Found], registry: Registry, *, use: Literal["live", "scoped"], least: int = 1
) -> Suggestions:
    """Return which globals in the pickles in `files` deserve codes that they do not have."""
    passed: dict[str, str] = {}
    faults: list[tuple[Found, Fault]] = []
    unread: list[tuple[Found, dict[str, int]]] = []
    known = _known(registry)

    def allowed(target: str) -> bool:
        if target in known:
            return False
        reason = objection(target) or _misplaced(registry, target)
        if reason is not None:
            passed[target] = reason
        return reason is None

    left = _one_byte_left(registry)
    prices = price(
        _corpus(files, faults, unread),
        use=use,
        one_byte=left,
        allowed=allowed,
        today=registry.current,
        narrow=lambda target: range_of_module(split(target)[0], registry.ranges) is None,
        least=least,
    )
    return Suggestions(prices, dict(sorted(passed.items())), faults, left, unread)


def add(path: Path, proposals: Iterable[Price], effective: Registry) -> list[tuple[int, str]]:
    """Add the proposals to the registry at `path`, all or none; return their codes and targets.

    No code is taken that is spent in `effective`, the registry with all that it includes.
    """
    added: list[tuple[int, str]] = []

    def change(registry: Registry) -> Registry:
        added.clear()
        everything = with_rows_of(registry, effective)
        for proposal in proposals:
            narrow = NARROW if proposal.width == EXTENSION_WIDTHS["EXT1"] else None
            everything, code = life.add(everything, proposal.target, range_name=narrow)
            registry, _ = life.add(registry, proposal.target, code=code)
            added.append((code, proposal.target))
        return registry

    update(path, change)
    return added


def _corpus(
    files: Iterable[Found], faults: list[tuple[Found, Fault]], passed: list[tuple[Found, dict[str, int]]]
) -> Iterator[Buffer]:
    """Yield every row of pickles in `files`, up to what is wrong with it."""
    for found in files:
        wrong: list[Fault] = []
        unread: Counter[str] = Counter()
        pickles = 0
        for item in read(contents(found)):
            if isinstance(item, Fault):
                wrong.append(item)
                continue
            if isinstance(item, Passed):
                unread[item.kind] += 1
                continue
            blob, result = item
            pickles += result.pickles
            if result.whole == len(blob.data):
                yield blob.data
            else:
                with memoryview(blob.data) as view, view[: result.whole] as whole:
                    yield whole
        if found.named and not pickles and not wrong:
            wrong.append(holding_none(unread))
        faults += [(found, fault) for fault in capped(wrong)]
        if unread:
            passed.append((found, dict(unread)))


def _known(registry: Registry) -> set[str]:
    """Return every target that has, or had, a code: live, load-only, retired, former ones, and aliases."""
    known = {target for rows in registry.tables.values() for target in rows.values()}
    return known.union(*registry.moved.values(), *registry.aliases.values())


def _misplaced(registry: Registry, target: str) -> str | None:
    """Return why the code that `target` would be given is none to count on, if so."""
    try:
        code = allocate(registry, target)
    except AllocationError:
        return "its range is full"
    return "its range gives five-byte codes" if code > _LAST_WIDE else None


def _one_byte_left(registry: Registry) -> int:
    """Return how many codes of the range for one-byte codes can still be given out."""
    span = registry.ranges[NARROW]
    if span.modules:
        return 0
    spent = [code for code in registry.spent if range_of_code(code, registry.ranges) == NARROW]
    first = span.first if span.allocate == "hash" else max(spent, default=span.first - 1) + 1
    free = (
        code
        for code in range(first, min(span.last, _LAST_NARROW) + 1)
        if code not in spent and range_of_code(code, registry.ranges) == NARROW
    )
    return sum(1 for _ in free) if span.last <= _LAST_NARROW else 0
