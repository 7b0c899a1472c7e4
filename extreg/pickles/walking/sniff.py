"""Whether bytes are pickles at all, told from their beginning."""

from typing import Final

from extreg.errors import MalformedPickleError
from extreg.pickles.walking.opcodes import TABLE, TO_MARK, Buffer, Step, steps

_PROTO: Final = 0x80
# With what a pickle of protocol 0 or 1 can begin: whatever pushes and takes nothing.
_FIRST: Final = frozenset(
    opcode.byte
    for opcode in TABLE.values()
    if opcode.gives and not opcode.takes and opcode.name[:3] not in {"DUP", "GET"}
)
# How many opcodes of a pickle without PROTO are looked at: text that happens to read as opcodes does not for long.
_ENOUGH: Final = 1000
# A pickle of fewer opcodes could be by chance.
_FEW: Final = 8


def marked(data: Buffer) -> bool:
    """Tell whether `data` begins as pickles of protocols 2 to 5 do: with PROTO and an opcode after it."""
    return len(data) > 2 and data[0] == _PROTO and 2 <= data[1] <= 5 and data[2] in TABLE


def may_begin(byte: int) -> bool:
    """Tell whether a pickle of any protocol can begin with `byte`."""
    return byte == _PROTO or byte in _FIRST


def plausible(data: Buffer) -> bool:
    """Tell whether `data` begins with a pickle: it is marked, or its first opcodes keep the stack sound.

    Pickles of protocols 0 and 1 bear no mark, and any text begins with some opcodes. Where they come to a STOP at once,
    as in ``N. B.``, what follows has to be a pickle too.
    """
    if marked(data):
        return True
    begin, count = 0, 0
    while begin < len(data) and count < _FEW:
        if data[begin] not in _FIRST:
            return False
        end, more = sound(data, begin)
        if end is None:
            return False
        begin, count = end, count + more
    return begin > 0


def sound(data: Buffer, begin: int) -> tuple[int | None, int]:
    """Return where the pickle at `begin` ends, or None for what is none, and how many opcodes were looked at.

    Of a long one that is where its first thousand opcodes end, if they keep the stack sound.
    """
    marks: list[int] = []
    depth = count = 0
    try:
        for count, found in enumerate(steps(data, begin), 1):
            depth = _performed(found, depth, marks)
            if depth < 0:
                return None, count
            if found.opcode.name == "STOP":
                return (found.end if depth == 0 and not marks else None), count
            if count == _ENOUGH:
                return found.end, count
    except MalformedPickleError:
        pass
    return None, count


def _performed(found: Step, depth: int, marks: list[int]) -> int:
    """Return the depth of the stack after an opcode, or -1 where it takes what is not there."""
    opcode = found.opcode
    if opcode.name == "MARK":
        marks.append(depth)
        return depth
    if opcode.takes == TO_MARK:
        if not marks:
            return -1
        depth = marks.pop()
    elif depth - opcode.takes < (marks[-1] if marks else 0):
        return -1
    else:
        depth -= opcode.takes
    return depth + opcode.gives
