"""Rows of pickles that share a memo: what one `pickle.Pickler` dumps one after the other.

A Pickler keeps its memo from dump to dump, so that a pickle may fetch what one before it memoized.  Such a row loads
only by one Unpickler, which keeps its memo too.  A GET of a slot that a pickle has not filled itself proves it.
"""

from bisect import bisect_left
from collections.abc import Iterator
from typing import Final

from extreg.errors import MalformedPickleError
from extreg.pickles import patterns
from extreg.pickles.machine import slot
from extreg.pickles.memo import Traffic, traffic
from extreg.pickles.opcodes import Buffer, passed, step

_MEMOIZE: Final = 0x94
_STOP: Final = 0x2E
_GETS: Final = frozenset(b"ghj")
_MEMO: Final = _GETS | frozenset(b"pqr")


def is_carried(data: Buffer) -> bool:
    """Tell whether a pickle in the row fetches from the memo what it has not memoized itself.

    What cannot be read ends the row.
    """
    try:
        return any(_fetches_more(data, begin, seen) for begin, seen in _traffics(data))
    except MalformedPickleError:
        return False


def _traffics(data: Buffer) -> Iterator[tuple[int, Traffic]]:
    begin, size = 0, len(data)
    while begin < size:
        seen = traffic(data, begin, size)
        if seen.end >= size:
            return  # without a STOP it is no pickle that anybody loads
        yield begin, seen
        begin = seen.end + 1


def _fetches_more(data: Buffer, begin: int, seen: Traffic) -> bool:
    """Tell whether a pickle fetches what it has not memoized."""
    if seen.explicit:
        return _fetches_more_by_number(data, begin)
    return any(number >= bisect_left(seen.filled, at) for at, number in seen.fetched)


def _fetches_more_by_number(data: Buffer, begin: int) -> bool:
    match, position = patterns.traffic(), begin
    filled: set[int | bytes] = set()
    while position < len(data):
        found = match(data, position)
        at = found.start(1) if found.start(1) >= 0 else found.end()
        position = found.end()
        byte = data[at] if at < len(data) else _STOP
        if byte == _MEMOIZE:
            filled.add(len(filled))
        elif byte in _MEMO:
            here = step(data, at)
            position, number = here.end, slot(data, here)
            if byte in _GETS and number not in filled:
                return True
            filled.add(number)
        elif position == at:
            if byte == _STOP:
                return False
            position = passed(data, at)
    return False
