"""Rows of pickles that share a memo: what one `pickle.Pickler` dumps one after the other.

A Pickler keeps its memo from dump to dump, so that a pickle may fetch what one before it memoized.  Such a row loads
only by one Unpickler, which keeps its memo too.  A GET of a slot that a pickle has not filled itself proves it.

Only what is fetched is looked at one by one: the slots are counted when one is fetched that is not known to be filled.
"""

from collections.abc import Iterator
from typing import Final

from extreg.errors import MalformedPickleError
from extreg.pickles.walking import patterns
from extreg.pickles.walking.machine import slot
from extreg.pickles.walking.memo import after_head
from extreg.pickles.walking.opcodes import Buffer, reached, step

_MEMOIZE: Final = 0x94
_PUTS: Final = frozenset(b"qr")
_TEXT_GET: Final = ord("g")
_TEXT_PUT: Final = ord("p")


def is_carried(data: Buffer) -> bool:
    """Tell whether a pickle in the row fetches from the memo what it has not memoized itself.

    What cannot be read ends the row, and so does what has no STOP, which is no pickle that anybody loads.  Texts may be
    anything.
    """
    try:
        return any(carried for _, carried in _fetching(data))
    except MalformedPickleError:
        return False


def fetching(data: Buffer) -> set[int] | None:
    """Return where those pickles in the row begin that fetch anything, or None if the row is carried."""
    found = set()
    try:
        for begin, carried in _fetching(data):
            if carried:
                return None
            found.add(begin)
    except MalformedPickleError:
        pass
    return found


def _fetching(data: Buffer) -> Iterator[tuple[int, bool]]:
    """Yield where a pickle begins that fetches from the memo, and whether it has not memoized all of that."""
    match, size = patterns.getting(), len(data)
    begin = position = 0
    memo: _Slots | None = None
    carried = False
    while position < size:
        found = match(data, position)
        end, ended = found.end(), found.lastindex
        if ended == patterns.ENDED:
            if memo is not None:
                yield begin, carried
                memo, carried = None, False
            begin = end
        elif ended == patterns.GOT:
            memo = memo or _Slots(data, begin)
            at = found.start(patterns.GOT)
            carried = carried or not memo.has(int.from_bytes(data[at + 1 : end], "little"), at, end)
        elif end == position:
            end = reached(data, position)
            if data[position] == _TEXT_GET:
                memo = memo or _Slots(data, begin)
                carried = carried or not memo.has(slot(data, step(data, position)), position, end)
        position = end


class _Slots:
    """Which slots of the memo the pickle at `begin` has filled: so many without a gap, or these, if it says which."""

    __slots__ = ("_count", "_counted", "_data", "_numbers")

    def __init__(self, data: Buffer, begin: int) -> None:
        self._data = data
        self._count = 0
        self._numbers: set[int | bytes] | None = None
        self._counted = after_head(data, begin)

    def has(self, number: int | bytes, at: int, after: int) -> bool:
        """Tell whether slot `number` is filled where the GET in ``data[at:after]`` stands."""
        # What was filled further back is so here.
        if self._filled(number):
            return True
        self._count_up_to(at)
        self._counted = after
        return self._filled(number)

    def _filled(self, number: int | bytes) -> bool:
        if self._numbers is None:
            return isinstance(number, int) and 0 <= number < self._count
        return number in self._numbers

    def _count_up_to(self, at: int) -> None:
        data, position = self._data, self._counted
        if self._numbers is None:
            end = patterns.forgettable()(data, position, at).end()
            # Nothing is fetched here, and every byte of its value is a MEMOIZE.
            self._count += bytes(data[position:end]).count(b"\x94")
            position = end
        match = patterns.traffic()
        while position < at:
            found = match(data, position, at)
            here, end = found.start(1), found.end()
            if here >= 0:
                if data[here] == _MEMOIZE:
                    self._memoize()
                elif data[here] in _PUTS:
                    self._put(int.from_bytes(data[here + 1 : end], "little"))
            elif end == position:
                end = reached(data, position)
                if data[position] == _TEXT_PUT:
                    self._put(slot(data, step(data, position)))
            position = end

    def _memoize(self) -> None:
        if self._numbers is None:
            self._count += 1
        else:
            self._numbers.add(len(self._numbers))

    def _put(self, number: int | bytes) -> None:
        if self._numbers is None:
            self._numbers = set(range(self._count))
        self._numbers.add(number)
