"""What codes are worth for a corpus of pickles, in bytes, by the costs of each opcode and of the memo.

There are two ways to use a code.  *Live*, process-wide: pickle writes the opcode at every reference and never
memoizes it, so that a wide code costs bytes where a class recurs within a pickle.  *Scoped*, by rewriting: the code
stands once in a pickle and is fetched from the memo after that, so that it never costs any.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import Literal, NamedTuple

from extreg.pickles.rewriting.plan import Pickle
from extreg.pickles.rewriting.rewriter import pickles_in
from extreg.pickles.rewriting.shorten import shortened
from extreg.pickles.walking.events import Event
from extreg.pickles.walking.memo import Traffic, traffic
from extreg.pickles.walking.names import loaded, target
from extreg.pickles.walking.opcodes import EXTENSION_WIDTHS, Buffer
from extreg.pickles.walking.walker import flat

_EXT1, _EXT2 = EXTENSION_WIDTHS["EXT1"], EXTENSION_WIDTHS["EXT2"]
_SHORT_BINUNICODE, _BINGET, _BINPUT, _LONG_BINPUT = b"\x8chqr"


class Price(NamedTuple):
    """A code for ``target`` in an opcode of ``width`` bytes (2 is EXT1, 3 is EXT2) saves ``saved`` bytes in the corpus.

    ``pickles`` refer to it, ``references`` times in all, what they fetch from the memo included.
    """

    target: str
    width: int
    pickles: int
    references: int
    saved: int


class Prices(NamedTuple):
    """The ``proposals``, what pays most first, and what they save together.

    ``size`` is that of the corpus in bytes, which holds ``pickles`` pickles.
    """

    proposals: tuple[Price, ...]
    saved: int
    size: int
    pickles: int


class _Named(NamedTuple):
    """A global as one pickle names it.

    ``own`` are the bytes, at its place and for the memo, that no other shares; ``strings`` says which it does.
    """

    target: str
    own: int
    references: int
    strings: tuple[int, ...]


class _Word(NamedTuple):
    """A memoized string: its ``size``, what it costs to ``fetch``, and whether it is ``data`` as well as a name."""

    size: int
    fetch: int
    data: bool


_Shape = tuple[tuple[_Named, ...], tuple[_Word, ...]]


def price(
    corpus: Iterable[Buffer],
    *,
    use: Literal["live", "scoped"] = "live",
    one_byte: int = 16,
    allowed: Callable[[str], bool] = lambda _: True,
    narrow: Callable[[str], bool] = lambda _: True,
    today: Callable[[str], str] = str,
    least: int = 1,
) -> Prices:
    """Return which globals of `corpus`, written by name, deserve codes.

    `one_byte` is how many codes below 256 may be given; they go where they pay most, among the targets that
    `narrow` says may have one.  `allowed` says which targets may have a code at all, and `today` what a name
    in the corpus is called now: a former name counts for that.  A target that saves less than `least` bytes is not
    proposed.  Raises `MalformedPickleError` at the first item
    that is no row of pickles.
    """
    shapes: Counter[_Shape] = Counter()
    scoped: Counter[str] = Counter()
    places: Counter[str] = Counter()
    size = pickles = 0
    for data in corpus:
        size += len(data)
        for pickle in pickles_in(flat(data)):
            pickles += 1
            shapes[_shape(pickle, today)] += 1
            if use == "scoped":
                for former, spared in _spared(pickle):
                    name = today(former)
                    scoped[name] += spared
                    places[name] += 1
    seen, references = _totals(shapes)
    candidates = {name for name in seen if allowed(name)}
    limits = _Limits(one_byte, {name for name in candidates if narrow(name)}, max(least, 1))
    if use == "scoped":
        # Each place saves one more byte with the narrow opcode.
        gains = {name: (scoped[name] + places[name], scoped[name]) for name in candidates}
        widths = _widths(gains, limits)
    else:
        widths, gains = _live(shapes, candidates, limits)
    proposals = [
        Price(name, width, seen[name], references[name], gains[name][width - _EXT1]) for name, width in widths.items()
    ]
    proposals.sort(key=lambda item: (-item.saved, item.target))
    return Prices(tuple(proposals), sum(item.saved for item in proposals), size, pickles)


def _totals(shapes: "Counter[_Shape]") -> "tuple[Counter[str], Counter[str]]":
    """Return how many pickles name each target, and how often it is referred to."""
    seen: Counter[str] = Counter()
    references: Counter[str] = Counter()
    for (named, _), count in shapes.items():
        for name in {item.target for item in named}:
            seen[name] += count
        for item in named:
            references[item.target] += count * item.references
    return seen, references


class _Limits(NamedTuple):
    """At most ``one_byte`` codes below 256, for ``narrow`` targets; each code saves at least ``least`` bytes."""

    one_byte: int
    narrow: set[str]
    least: int


def _widths(gains: dict[str, tuple[int, int]], limits: _Limits) -> dict[str, int]:
    """Return the width for each target that gains with it; the narrow ones where they make the greatest difference."""
    worth = [name for name in gains if name in limits.narrow and gains[name][0] >= limits.least]
    worth.sort(key=lambda name: (max(gains[name][1], 0) - gains[name][0], name))
    narrow = set(worth[: limits.one_byte])
    widths = dict.fromkeys(sorted(narrow), _EXT1)
    widths |= {name: _EXT2 for name in sorted(gains) if name not in narrow and gains[name][1] >= limits.least}
    return widths


def _live(
    shapes: "Counter[_Shape]", candidates: set[str], limits: _Limits
) -> tuple[dict[str, int], dict[str, tuple[int, int]]]:
    """Return widths and gains when all those that get one are live together.

    A string that several names share is saved only if all of them have codes, so what loses is taken out and the rest
    priced again.
    """
    chosen = set(candidates)
    while True:
        gains = _gains(shapes, chosen)
        widths = _widths(gains, limits)
        if len(widths) == len(chosen):
            return widths, gains
        chosen = set(widths)


def _gains(shapes: "Counter[_Shape]", chosen: set[str]) -> dict[str, tuple[int, int]]:
    wide = dict.fromkeys(chosen, 0)
    narrow = dict.fromkeys(chosen, 0)
    for (named, words), count in shapes.items():
        coded = [item for item in named if item.target in chosen]
        staying = {index for item in named if item.target not in chosen for index in item.strings}
        written: set[int] = set()
        for item in coded:
            saved = item.own
            for index in item.strings:
                # Written once, by whom it may be; fetched by all others, and by this one if it stays for another's
                # sake.
                stays = words[index].data or index in staying or index in written
                saved += words[index].fetch if stays else words[index].size
                written.add(index)
            wide[item.target] += count * (saved - _EXT2 * item.references)
            narrow[item.target] += count * (saved - _EXT1 * item.references)
    return {name: (narrow[name], wide[name]) for name in chosen}


class _Any:
    """Stands for a registry that has a two-byte code for everything."""

    def __init__(self) -> None:
        self.codes: dict[str, int] = {}

    def code(self, target: str) -> int:
        return self.codes.setdefault(target, 256 + len(self.codes))

    def current(self, target: str) -> str:
        return target


def _spared(pickle: Pickle) -> Iterator[tuple[str, int]]:
    """Yield the target of each place that rewriting changes, and how many bytes a two-byte code spares there."""
    everything = _Any()
    plan = shortened(pickle, everything)
    targets = list(everything.codes)
    rewritten = [found for found, after in zip(pickle.references, plan.meanings, strict=False) if found[3:6] != after]
    codes = [after[2] for found, after in zip(pickle.references, plan.meanings, strict=False) if found[3:6] != after]
    assert len(rewritten) == len(plan.edits)
    for code, edit in zip(codes, plan.edits, strict=True):
        start, end, new = edit
        yield targets[(code or 0) - 256], end - start - len(new)


def _shape(pickle: Pickle, today: Callable[[str], str]) -> _Shape:
    """Return what matters of the globals in `pickle`, so that equal ones are priced once."""
    data, modern = pickle.data, pickle.protocol >= 4
    if pickle.protocol < 2 or not pickle.references:
        return (), ()
    seen = traffic(data, pickle.begin, pickle.stop)
    widths: dict[int, list[int]] = {}
    for at, slot in seen.fetched:
        widths.setdefault(slot, []).append(2 if data[at] == _BINGET else 5)
    places = [(event, *span) for event in map(Event._make, pickle.references) if (span := _span(event)) is not None]
    if modern and seen.explicit:
        return (), ()
    # Strings that places fill or fetch, by slot; what is fetched or filled elsewhere as well is data.
    users: dict[int, list[int]] = {}
    for _, start, end in places:
        for slot in _touched(seen, start, end):
            users.setdefault(slot, []).append(start)
    filled_by_places = {slot for _, start, end in places for slot in _filled(seen, start, end)}
    order = {slot: index for index, slot in enumerate(users)}
    words = tuple(
        _Word(
            _size(data, seen.filled[slot]) if slot in filled_by_places else 0,
            2 if slot < 256 else 5,
            slot not in filled_by_places or len(widths.get(slot, ())) > len(using) - 1,
        )
        for slot, using in users.items()
    )
    named = []
    for event, start, end in places:
        module, name = loaded(event.module or "", event.name or "", pickle.protocol)
        spelled = target(module, name)
        if spelled is None or (not modern and "." in name):
            continue
        filled = _filled(seen, start, end)
        touched = _touched(seen, start, end)
        shared = sum(_size(data, seen.filled[slot]) for slot in filled)
        shared += sum(2 if slot < 256 else 5 for slot in touched if slot not in filled)
        slot, memo = _slot(data, seen, end, modern)
        gets = widths.get(slot, [])
        named.append(
            _Named(
                today(spelled),
                end - start - shared + memo + sum(gets),
                1 + len(gets),
                tuple(order[slot] for slot in touched),
            )
        )
    return tuple(named), words


def _span(event: Event) -> tuple[int, int] | None:
    if event.module is None or event.name is None or event.opcode == "INST":
        return None
    if event.opcode == "GLOBAL":
        return event.offset, event.offset + 3 + len(event.module.encode()) + len(event.name.encode())
    return (event.begin, event.offset + 1) if event.begin is not None else None


def _filled(seen: Traffic, start: int, end: int) -> range:
    return range(bisect_left(seen.filled, start), bisect_left(seen.filled, end))


def _touched(seen: Traffic, start: int, end: int) -> list[int]:
    """Return the slots that the operands in ``start:end`` fill or fetch."""
    first, last = bisect_left(seen.fetched, (start,)), bisect_left(seen.fetched, (end,))
    return [*_filled(seen, start, end), *(slot for _, slot in seen.fetched[first:last])]


def _size(data: Buffer, memoize: int) -> int:
    """Return how many bytes the short string before `memoize` takes, MEMOIZE included."""
    # Its length is in the byte that stands that far before its end.
    return next(
        length + 3
        for length in range(256)
        if data[memoize - length - 1] == length and data[memoize - length - 2] == _SHORT_BINUNICODE
    )


def _slot(data: Buffer, seen: Traffic, end: int, modern: bool) -> tuple[int, int]:
    """Return the slot of the global that ends at `end`, or -1, and how many bytes it takes to put it there."""
    if modern:
        slot = bisect_left(seen.filled, end)
        return (slot, 1) if slot < len(seen.filled) and seen.filled[slot] == end else (-1, 0)
    width = {_BINPUT: 2, _LONG_BINPUT: 5}.get(data[end], 0)
    return (int.from_bytes(data[end + 1 : end + width], "little"), width) if width else (-1, 0)
