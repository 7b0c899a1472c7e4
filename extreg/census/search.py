"""Looking for one code: by the bytes of its opcodes first, so that hardly any cell has to be read."""

import re
from collections.abc import Iterator
from struct import Struct
from typing import Final

from extreg.census.examine import CLEAR, Examined, examine
from extreg.pickles.hidden import PACKED
from extreg.pickles.walking.opcodes import Buffer
from extreg.registry.invariants import MAX_CODE
from extreg.stores.mapping import release

# PROTO of the protocols that have frames, and FRAME.
_BEGINS: Final = (b"\x80\x04\x95", b"\x80\x05\x95")
_FRAME: Final = 0x95
_STOP: Final = 0x2E
_LENGTH: Final = Struct("<Q").unpack_from
# FRAME with its length, and PROTO with its protocol before that.
_HEAD: Final = 9
_FRAMED: Final = 2 + _HEAD
_WINDOW: Final = 1 << 20
# More than any pattern matches.
_AHEAD: Final = 64
# How deep within pickles of protocol 2 others are looked for: there each byte is a character, in UTF-8.
_DEEPEST: Final = 3


class Search:
    """Looks for `code` in cells, and counts it alone.

    A cell that is nothing but the frames of one pickle cannot hold the code where neither the bytes of its opcode stand
    anywhere in it, nor anything by which compressed or encoded data begin.  All others are read.
    """

    def __init__(self, code: int, *, carve: bool = False) -> None:
        self.code = code
        self.carve = carve
        self._suspect = re.compile(b"|".join([*map(re.escape, opcodes_of(code)), PACKED]), re.DOTALL).search

    def look(self, data: Buffer) -> Examined:
        """Return what a cell holds, as far as the code is concerned."""
        if _is_framed(data) and not self._shows(data):
            return CLEAR
        found = examine(data, carve=self.carve)
        use = found.codes.get(self.code)
        return found._replace(globals={}, codes={self.code: use} if use is not None else {}, unresolved=0)

    def _shows(self, data: Buffer) -> bool:
        if len(data) <= _WINDOW:
            return self._suspect(data) is not None
        for begin in range(0, len(data), _WINDOW):
            if self._suspect(bytes(data[begin : begin + _WINDOW + _AHEAD])) is not None:
                return True
            release(data)
        return False


def opcodes_of(code: int) -> Iterator[bytes]:
    """Yield the opcodes that mean `code`, as they stand in a pickle, and in pickles within pickles of protocol 2."""
    for opcode, width in ((b"\x82", 1), (b"\x83", 2), (b"\x84", 4)):
        if code <= min(MAX_CODE, (1 << 8 * width) - 1):
            found = opcode + code.to_bytes(width, "little")
            for _ in range(_DEEPEST):
                yield found
                found = found.decode("latin-1").encode()


def _is_framed(data: Buffer) -> bool:
    """Tell whether `data` is one pickle in frames (PEP 3154), from PROTO to STOP, of the length that they say."""
    size = len(data)
    if size < _FRAMED or data[:3] not in _BEGINS or data[-1] != _STOP:
        return False
    place: int = _FRAMED + _LENGTH(data, 3)[0]
    while place < size - _HEAD and data[place] == _FRAME:
        place += _HEAD + _LENGTH(data, place + 1)[0]
    return place == size
