"""The walk: every reference and every pickle in a row of them, exactly and fast.

A pattern (see `extreg.pickles.patterns`) passes the opcodes that refer to nothing, a run at a time, and says what
ended the run; the loop only handles that.  A small message is two or three runs.

A STACK_GLOBAL is resolved on the spot if its operands, short strings or GETs of such, stand right in front of it,
which is how picklers write it.  For anything else the symbolic machine takes over until that pickle ends.
"""

import re
from array import array
from collections.abc import Generator, Iterator
from mmap import mmap
from typing import Final

from extreg.errors import MalformedPickleError
from extreg.pickles import patterns
from extreg.pickles.events import Event, Kind
from extreg.pickles.machine import interpret
from extreg.pickles.opcodes import TABLE, Buffer, names, passed, step

# The fields of an `Event`, of which making a plain tuple takes a fifth of the time.
Found = tuple[Kind, int, str, str | None, str | None, int | None, int | None]

_BYTES: Final = {opcode.name: opcode.byte for opcode in TABLE.values()}
_SHORT_BINUNICODE: Final = _BYTES["SHORT_BINUNICODE"]
_INST: Final = _BYTES["INST"]
_STACK_GLOBAL: Final = _BYTES["STACK_GLOBAL"]
_PUTS: Final = frozenset(_BYTES[name] for name in ("PUT", "BINPUT", "LONG_BINPUT"))
_PROTO, _FRAME = _BYTES["PROTO"], _BYTES["FRAME"]
_EXTENSIONS: Final = {2: "EXT1", 3: "EXT2", 5: "EXT4"}

# How much is found before it is handed on.
_BATCH: Final = 1024
# Up to which size a memoryview is copied.
_SMALL: Final = 1024


def walk(data: Buffer, *, framing: bool = True) -> Iterator[Event]:
    """Yield the events of all pickles in `data`, in order; PROTO and FRAME only where `framing` is asked for.

    `data` is bytes, bytearray, a contiguous memoryview or an mmap, and is not copied.  Takes time linear in its size;
    a payload of 64 KiB or more is not even read.  Raises `MalformedPickleError` where an opcode cannot be read or the
    bytes end within a pickle, after the events before that place; empty `data` is an error too.
    """
    for batch in batches(flat(data), framing):
        yield from map(Event._make, batch)


def batches(data: Buffer, framing: bool) -> Iterator[list[Found]]:  # noqa: C901 - one loop, a branch per end of a run
    """Yield what `walk` yields, as plain tuples and many at a time; `data` must be `flat`."""
    size, begin = len(data), 0
    found: list[Found] = []
    try:
        while begin < size or not size:
            modern, position = _head(data, begin, found, framing)
            match, memo = patterns.run(modern), None
            while True:
                run = match(data, position)
                position, ended = run.end(), run.lastindex
                if ended == patterns.STOP:
                    found.append(("stop", position - 1, "STOP", None, None, None, None))
                    break
                elif ended == patterns.STACK_GLOBAL:
                    offset = run.start(1)
                    module, name = run.group(1, 2)
                    if module[0] != _SHORT_BINUNICODE or name[0] != _SHORT_BINUNICODE:
                        memo = memo or Memo(data, begin)
                        # Below protocol 4, where patterns pass a PUT, the memo is not kept.
                        operands = memo.operands(run) if modern else None
                        if operands is None:
                            position = yield from _interpreted(data, begin, offset, found, framing)
                            break
                        module, name = operands
                    try:
                        # decode() takes a third of the time of str().
                        words = module[2:].decode("utf-8", "surrogatepass"), name[2:].decode("utf-8", "surrogatepass")
                    except UnicodeDecodeError:
                        step(data, offset)
                        step(data, run.start(2))
                        raise
                    found.append(("global", position - 1, "STACK_GLOBAL", words[0], words[1], None, offset))
                elif ended == patterns.PAYLOAD:
                    position += int.from_bytes(run[ended][1:], "little")
                    if position > size:
                        step(data, run.start(ended))
                    if modern:
                        memo = memo or Memo(data, begin)
                        memo.gaps.extend((run.start(ended), position))
                elif ended == patterns.GLOBAL:
                    offset = run.start(3) - 1
                    try:
                        words = run[3].decode(), run[4].decode()
                    except UnicodeDecodeError:
                        step(data, offset)
                        raise
                    found.append(("global", offset, "GLOBAL", *words, None, None))
                elif ended == patterns.EXTENSION:
                    raw = run[ended]
                    number = int.from_bytes(raw[1:], "little", signed=len(raw) == 5)
                    found.append(("code", run.start(ended), _EXTENSIONS[len(raw)], None, None, number, None))
                elif ended == patterns.FRAMING:
                    if framing:
                        found.append(_framing(run[ended], run.start(ended)))
                elif position == run.start():
                    # Something that no pattern knows; had the run passed anything, it might just have had its fill.
                    if position < size and data[position] == _STACK_GLOBAL:
                        position = yield from _interpreted(data, begin, position, found, framing)
                        break
                    after = passed(data, position)
                    if data[position] == _INST:
                        found.append(("global", position, "INST", *names(data, step(data, position)), None, None))
                    memo = memo or Memo(data, begin)
                    memo.interrupted(position, after)
                    position = after
                if len(found) >= _BATCH:
                    yield found
                    found = []
            begin = position
    except MalformedPickleError:
        yield found
        raise
    yield found


def _head(data: Buffer, begin: int, found: list[Found], framing: bool) -> tuple[bool, int]:
    """Return whether the pickle at `begin` is of protocol 4 or later, and where it goes on after PROTO and FRAME.

    The patterns know these two as well, but here they are quicker passed by hand.
    """
    head = bytes(data[begin : begin + 11])
    if len(head) < 11 or head[0] != _PROTO:
        return False, begin
    if framing:
        found.append(_framing(head[:2], begin))
    if head[2] != _FRAME:
        return head[1] >= 4, begin + 2
    if framing:
        found.append(_framing(head[2:], begin + 2))
    return head[1] >= 4, begin + 11


def _framing(raw: bytes, offset: int) -> Found:
    number = int.from_bytes(raw[1:], "little")
    if raw[0] == _PROTO:
        return "proto", offset, "PROTO", None, None, number, None
    return "frame", offset, "FRAME", None, None, number, None


def flat(data: Buffer) -> Buffer:
    """Return `data` as something that has bytes for items, copied only if it is small; TypeError if it cannot be."""
    if isinstance(data, (bytes, bytearray, mmap)):
        return data
    view = memoryview(data).cast("B")
    return bytes(view) if len(view) <= _SMALL else view


def _interpreted(
    data: Buffer, begin: int, position: int, found: list[Found], framing: bool
) -> Generator[list[Found], None, int]:
    """Find what the symbolic machine says of the pickle at `begin` from `position` on, what is before being known.

    Return where it ends.
    """
    event = None
    for event in interpret(data, begin):
        if event.offset >= position and (framing or event.kind not in {"proto", "frame"}):
            found.append(event)
            if len(found) >= _BATCH:
                yield found.copy()
                found.clear()
    assert event is not None
    return event.offset + 1


class Memo:
    """The memo of a pickle of protocol 4 or later, as much of it as is asked for.

    Counting memo slots would cost as much as the walk, so it is put off until a GET is found to be an operand, and
    then done up to there.  Slots are known as long as MEMOIZE alone fills the memo, and strings are memoized where
    they are pushed; anything else is left to the symbolic machine.
    """

    __slots__ = ("_counted", "_data", "_gap", "_regular", "_slots", "gaps")

    def __init__(self, data: Buffer, begin: int) -> None:
        self._data = data
        self._regular = True
        self._slots: list[bytes] = []
        # Starts and ends of what cannot be counted by pattern, in turn: flat, because there may be millions.
        self.gaps = array("Q")
        self._gap = 0
        self._counted = begin

    def interrupted(self, start: int, end: int) -> None:
        """Note that no pattern passes the opcode in ``data[start:end]``."""
        self._regular = self._regular and self._data[start] not in _PUTS
        self.gaps.extend((start, end))

    def operands(self, run: "re.Match[bytes]") -> list[bytes] | None:
        """Return the two SHORT_BINUNICODE that are the operands of a STACK_GLOBAL, or None if one is not known."""
        found = []
        for group, raw in enumerate(run.group(1, 2), 1):
            pushed: bytes | None = raw
            if raw[0] != _SHORT_BINUNICODE:
                pushed = self.fetched(int.from_bytes(raw[1:], "little"), run.start(group))
            if pushed is None:
                return None
            found.append(pushed)
        return found

    def fetched(self, slot: int, get: int) -> bytes | None:
        """Return the SHORT_BINUNICODE that the GET at `get` fetches from `slot`, or None if it is not known."""
        # It fetches what was memoized before it: what is passed up to here can be counted, and nothing after.
        while len(self._slots) <= slot and self._counted < get:
            gap = self.gaps[self._gap : self._gap + 2]
            self._count(slot, gap[0] if gap else get)
            if gap and self._counted >= gap[0]:
                self._counted = gap[1]
                self._gap += 2
        # A MEMOIZE without a string in front of it is one byte.
        if not self._regular or slot >= len(self._slots) or len(self._slots[slot]) == 1:
            return None
        return self._slots[slot][:-1]

    def _count(self, slot: int, stop: int) -> None:
        """Count on until `slot` is known, or up to `stop`."""
        for found in patterns.memoized().finditer(self._data, self._counted, stop):
            self._counted = found.end()
            if found[1] is not None:
                self._slots.append(found[1])
                if len(self._slots) > slot:
                    return
        self._counted = stop
