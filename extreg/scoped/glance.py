"""A first look at a pickle: does it refer to nothing but what is permitted?

`glance` answers yes for nearly every pickle that is permitted, five times as fast as the walk, and gives up on
whatever it cannot follow.  No answer is not a no: the walk decides then, and gives account of what it found.

It goes from reference to reference, letting `extreg.scoped.quiet` pass what is between.  The operands of a
STACK_GLOBAL count only where they are written out right in front of it, or are fetched from the memo and an earlier
reference has written them out.
"""

import re
from collections.abc import Container, Mapping
from typing import Final, NamedTuple, cast

from extreg.pickles.memo import traffic
from extreg.scoped.quiet import passed, up_to_operands

Name = tuple[bytes, bytes]

_SHORT_BINUNICODE, _MEMOIZE, _STACK_GLOBAL, _GLOBAL, _STOP, _PROTO = b"\x8c\x94\x93c.\x80"
_GETS: Final = {b"h"[0]: 2, b"j"[0]: 5}
_CODES: Final = {0x82: 2, 0x83: 3, 0x84: 5}
# Payloads that are too long for a run to pass, and the width of their length.
_LONG: Final = {b"X"[0]: 4, b"B"[0]: 4, b"C"[0]: 1, 0x8C: 1, 0x8A: 1, 0x8B: 4, 0x8D: 8, 0x8E: 8, 0x96: 8}
_LINES: Final = re.compile(rb"c([^\n]*)\n([^\n]*)\n")


class Found(NamedTuple):
    """Where the pickle ends, and the codes in it: offset, width and number."""

    end: int
    codes: list[tuple[int, int, int]]


def glance(data: bytes, names: Container[Name], codes: Mapping[int, bytes]) -> Found | None:
    """Return what the first pickle in `data` is like if it refers only to `names` and `codes`; None if unknown."""
    found: list[tuple[int, int, int]] = []
    memo: _Memo | None = None
    try:
        position = 2 if data[0] == _PROTO else 0
        while True:
            at = passed(data, position)
            byte = data[at]
            if byte == _STOP:
                return Found(at + 1, found)
            if byte == _STACK_GLOBAL:
                memo = memo or _Memo(data)
                name = _operands(data, position, at, memo)
                position = at + 1
            elif byte in _CODES:
                position = at + _CODES[byte]
                number = int.from_bytes(data[at + 1 : position], "little", signed=byte == 0x84)
                if number not in codes or position > len(data):
                    return None
                found.append((at, position - at, number))
                continue
            elif byte == _GLOBAL and (lines := _LINES.match(data, at)) is not None:
                name = cast(Name, lines.groups())
                position = lines.end()
            elif byte in _LONG:
                start = at + 1 + _LONG[byte]
                position = start + int.from_bytes(data[at + 1 : start], "little")
                if position > len(data):
                    return None
                continue
            else:
                return None
            if name is None or name not in names:
                return None
    except IndexError:
        return None


class _Memo:
    """What earlier operands left in the memo, counted as far as somebody asked."""

    __slots__ = ("_counted", "_data", "_explicit", "_filled", "strings")

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._counted = 0
        self._filled: list[int] = []
        self._explicit = False
        # By where the MEMOIZE stands that follows the operand.
        self.strings: dict[int, bytes] = {}

    def fetched(self, slot: int, get: int) -> bytes | None:
        """Return the operand in `slot`, which the opcode at `get` fetches; None where something else is, or unknown."""
        if self._counted < get:
            filled, _, explicit, self._counted = traffic(self._data, self._counted, get)
            self._filled += filled
            self._explicit = self._explicit or explicit
        # A PUT makes a slot something else than the number of MEMOIZEs before it.
        if self._explicit or slot >= len(self._filled):
            return None
        return self.strings.get(self._filled[slot])


def _operands(data: bytes, position: int, at: int, memo: _Memo) -> Name | None:
    """Return the operands of the STACK_GLOBAL at `at`, if they are pushed right in front of it, after `position`."""
    module, start = _operand(data, up_to_operands(data, position), memo)
    name, start = _operand(data, start, memo)
    return (module, name) if module is not None and name is not None and start == at else None


def _operand(data: bytes, start: int, memo: _Memo) -> tuple[bytes | None, int]:
    """Return the string that is pushed at `start`, if it is known, and where the next opcode stands."""
    if data[start] == _SHORT_BINUNICODE:
        end = start + 2 + data[start + 1]
        text = data[start + 2 : end]
        if data[end] != _MEMOIZE:
            return text, end
        memo.strings[end] = text
        return text, end + 1
    if data[start] in _GETS:
        end = start + _GETS[data[start]]
        return memo.fetched(int.from_bytes(data[start + 1 : end], "little"), start), end
    return None, start
