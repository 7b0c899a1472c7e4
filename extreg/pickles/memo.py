"""Who uses the memo: which slots a pickle of protocol 4 or 5 fills, where, and which of them it fetches."""

import re
from dataclasses import dataclass

from extreg.pickles import patterns
from extreg.pickles.opcodes import Buffer, step

_GETS = {0x68: 2, 0x6A: 5}
_IN_TEXT = frozenset(b"gp")
_MEMOIZE, _STOP = b"\x94."
# From this size on it is worth a search to learn that the rest of a pickle does not fetch some slots.
_FAR = 1 << 14


@dataclass(frozen=True, slots=True, kw_only=True)
class Traffic:
    """``filled[slot]`` is where the MEMOIZE of a slot stands; ``fetched`` are GETs, as ``(offset, slot)``, both in order.

    ``explicit`` says that there is a PUT or a GET in text, as no pickler writes under these protocols; ``end`` is how far this goes.
    """

    filled: list[int]
    fetched: list[tuple[int, int]]
    explicit: bool
    end: int


def traffic(data: Buffer, begin: int, until: int) -> Traffic:
    """Return what happens to the memo in the pickle at `begin`, up to the first opcode at or beyond `until`, or its STOP."""
    match = patterns.traffic()
    filled: list[int] = []
    fetched: list[tuple[int, int]] = []
    explicit = False
    position = begin
    while position < until:
        found = match(data, position)
        at, end = found.start(1), found.end()
        if at >= 0:
            byte = data[at]
            if byte == _MEMOIZE:
                filled.append(at)
            elif byte in _GETS:
                fetched.append((at, int.from_bytes(data[at + 1 : end], "little")))
            else:
                explicit = True
        elif end == position:
            if data[position] == _STOP:
                break
            unknown = step(data, position)
            end = unknown.end
            explicit = explicit or unknown.opcode.byte in _IN_TEXT
        position = end
    return Traffic(filled=filled, fetched=fetched, explicit=explicit, end=position)


def surely_unfetched(data: Buffer, start: int, stop: int, slots: list[int]) -> bool:
    """Tell whether none of `slots` is fetched in ``data[start:stop]``, judged by the bytes alone, so that True is certain.

    The bytes of a GET may as well stand in a string: False means that one has to look.
    """
    if stop - start < _FAR:
        return False
    one = b"".join(b"\\x%02x" % slot for slot in slots if slot < 256)
    four = b"|".join(re.escape(slot.to_bytes(4, "little")) for slot in slots)
    # A GET in text is hardly ever seen here, so any slot will do.
    pattern = rb"j(?:%s)|g[-+_0-9 \t\r\x0b\x0c]*\n" % four + (b"|h[%s]" % one if one else b"")
    return re.compile(pattern, re.DOTALL).search(data, start, stop) is None
