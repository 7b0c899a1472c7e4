"""The walk: every reference and every pickle in a row of them, exactly and fast.

The loop goes from opcode to opcode by hand in the first bytes of each pickle, which is all there is of a small one,
and keeps count of the memo.  Further on it lets a pattern (see `extreg.pickles.patterns`) pass the opcodes that refer
to nothing, a run at a time, and only handles what ended the run.

A STACK_GLOBAL is resolved on the spot if its operands, short ASCII strings or GETs of such, stand right in front of
it, which is how picklers write it.  For anything else the symbolic machine takes over until that pickle ends.
"""

import re
from array import array
from collections.abc import Iterator
from mmap import mmap
from typing import Final, NoReturn, cast

from extreg.pickles import patterns
from extreg.pickles.events import Event, Kind
from extreg.pickles.machine import interpret
from extreg.pickles.opcodes import LONG_PAYLOADS, TABLE, Buffer, Step, names, passed_payload, step, steps

# How far into a pickle the loop goes by hand: a run costs what a dozen opcodes cost, and pays later.
_HEAD: Final = 1024

_BYTES: Final = {opcode.name: opcode.byte for opcode in TABLE.values()}
_SHORT_BINUNICODE: Final = _BYTES["SHORT_BINUNICODE"]
_BINUNICODE: Final = _BYTES["BINUNICODE"]
_BINGET: Final = _BYTES["BINGET"]
_LONG_BINGET: Final = _BYTES["LONG_BINGET"]
_MEMOIZE: Final = _BYTES["MEMOIZE"]
_STACK_GLOBAL: Final = _BYTES["STACK_GLOBAL"]
_GLOBAL: Final = _BYTES["GLOBAL"]
_INST: Final = _BYTES["INST"]
_STOP: Final = _BYTES["STOP"]
_COUNTED_BY_ONE: Final = frozenset(_BYTES[name] for name in ("SHORT_BINBYTES", "SHORT_BINSTRING", "LONG1"))
_PUTS: Final = frozenset(_BYTES[name] for name in ("PUT", "BINPUT", "LONG_BINPUT"))
_PROTO, _FRAME = _FRAMING = (_BYTES["PROTO"], _BYTES["FRAME"])
_KINDS: Final[tuple[tuple[Kind, str], ...]] = (
    ("code", "EXT1"),
    ("code", "EXT2"),
    ("code", "EXT4"),
    ("proto", "PROTO"),
    ("frame", "FRAME"),
)
_NUMBERED: Final[dict[int, tuple[Kind, str, int]]] = {
    _BYTES[name]: (kind, name, 1 + int(TABLE[_BYTES[name]].argument)) for kind, name in _KINDS
}


def _quiet(*loud: int) -> tuple[int, ...]:
    """The size of each opcode that the loop passes without a look, and 0 for those it handles: the `loud`, and more."""
    sizes = [0] * 256
    for opcode in TABLE.values():
        if opcode.argument.isdigit() and opcode.byte not in {*loud, _STACK_GLOBAL, _STOP} and opcode.name[:3] != "EXT":
            sizes[opcode.byte] = 1 + int(opcode.argument)
    return tuple(sizes)


_CAUGHT: Final = frozenset({*_NUMBERED, _GLOBAL, _INST, _STACK_GLOBAL, _STOP})
# Below protocol 4 the memo is of no interest: a STACK_GLOBAL there is an oddity, and is left to the symbolic machine.
_MEMO: Final = (*_PUTS, _BINGET, _LONG_BINGET, _MEMOIZE)
_QUIET: Final = {
    (modern, framing): _quiet(*_MEMO * modern, *_FRAMING * framing) for modern in (0, 1) for framing in (0, 1)
}
_LINES: Final = re.compile(rb"c([^\n]*)\n([^\n]*)\n")


def walk(data: Buffer, *, framing: bool = True) -> Iterator[Event]:  # noqa: C901 - see its first comment
    """Yield the events of all pickles in `data`, in order; PROTO and FRAME only where `framing` is asked for.

    `data` is bytes, bytearray, a contiguous memoryview or an mmap, and is not copied.  Takes time linear in its size;
    a payload of 64 KiB or more is not even read.  Raises `MalformedPickleError` where an opcode cannot be read or the
    bytes end within a pickle, after the events before that place; empty `data` is an error too.
    """
    # One function, and long, because a call per opcode would double the time of a small pickle.
    data = flat(data)
    head = _HEAD
    if isinstance(data, memoryview):
        # Its slices are no bytes, and slow: from the first byte on it is left to the patterns.
        data, head = cast(bytes, data), 0
    position, size = 0, len(data)
    while position < size or not size:
        begin = whole = position  # `whole` is the start of an opcode before which all is well
        by_hand = begin + head
        tail = None
        before = last = -1  # where the last two strings or GETs were pushed
        slots: list[int] = []  # where the string of each memo slot was pushed, or -1
        try:
            modern = data[begin] == _PROTO and data[begin + 1] >= 4
            regular = modern  # MEMOIZE alone fills the memo, so that a slot is a position
            quiet = _QUIET[modern, framing]
            if modern and not framing and data[begin + 2] == _FRAME:
                position += 11
            while True:
                if position >= by_hand:
                    if tail is None:
                        tail = Tail(data, position)
                    whole = position if position <= size else whole
                    position = tail.advance(position)
                byte = data[position]
                if byte == _SHORT_BINUNICODE:
                    before, last = last, position
                    position += 2 + data[position + 1]
                    if not data[last + 2 : position].isascii():
                        step(data, last)
                    if data[position] == _MEMOIZE:
                        slots.append(last)
                        position += 1
                elif width := quiet[byte]:
                    position += width
                elif byte == _MEMOIZE:
                    slots.append(-1)
                    position += 1
                elif byte == _BINGET:
                    before, last = last, position
                    position += 2
                elif byte == _BINUNICODE and not data[position + 3] and not data[position + 4]:
                    after = position + 5 + data[position + 1] + (data[position + 2] << 8)
                    if not data[position + 5 : after].isascii():
                        step(data, position)
                    position = after
                elif byte in _COUNTED_BY_ONE:
                    position += 2 + data[position + 1]
                elif byte == _STACK_GLOBAL:
                    if tail is not None:
                        before, last = tail.pushes()
                        regular = regular and tail.regular
                    event = _stack_global(data, before, last, position, slots if regular else None, tail)
                    if event is None:
                        for event in _interpreted(data, begin, position, framing):
                            yield event
                            position = event.offset + 1
                        break
                    yield event
                    position += 1
                elif byte == _STOP:
                    yield Event("stop", position, "STOP")
                    position += 1
                    break
                elif byte == _GLOBAL and (lines := _LINES.match(data, position)) is not None:
                    try:
                        words = str(lines[1], "utf-8"), str(lines[2], "utf-8")
                    except UnicodeDecodeError:
                        step(data, position)
                        raise
                    yield Event("global", position, "GLOBAL", *words)
                    position = lines.end()
                elif byte in _NUMBERED:
                    kind, name_of, width = _NUMBERED[byte]
                    data[position + width - 1]  # IndexError where it is cut short
                    number = int.from_bytes(data[position + 1 : position + width], "little", signed=width == 5)
                    yield Event(kind, position, name_of, None, None, number)
                    position += width
                else:
                    found = step(data, position)
                    if tail is not None:
                        tail.interrupted(found)
                    if byte == _INST:
                        yield Event("global", position, "INST", *names(data, found))
                    regular = regular and byte not in _PUTS
                    position = found.end
        except IndexError:
            _raise_malformed(data, whole)


def flat(data: Buffer) -> Buffer:
    """Return `data` as something that has bytes for items, copied only if it is small; TypeError if it cannot be."""
    if isinstance(data, (bytes, bytearray, mmap)):
        return data
    view = memoryview(data).cast("B")
    return bytes(view) if len(view) <= _HEAD else view


def _raise_malformed(data: Buffer, whole: int) -> NoReturn:
    """Find out what runs beyond the end of `data`: the loop above only notices that something does."""
    for _ in steps(data, whole):
        pass
    raise AssertionError("a pickle was found whole that the walk found cut short")


def _stack_global(
    data: Buffer, module_at: int, name_at: int, offset: int, slots: list[int] | None, tail: "Tail | None"
) -> Event | None:
    """Return the event of the STACK_GLOBAL at `offset`, or None where its operands are not right in front of it."""
    module = _operand(data, module_at, name_at, slots, tail)
    name = _operand(data, name_at, offset, slots, tail)
    if name is None or module is None:
        return None
    return Event("global", offset, "STACK_GLOBAL", module, name, None, module_at)


def _operand(data: Buffer, start: int, end: int, slots: list[int] | None, tail: "Tail | None") -> str | None:
    """Return the string pushed at `start`; None where it is unknown, or more than its MEMOIZE stands before `end`."""
    if start < 0:
        return None
    short = data[start] == _SHORT_BINUNICODE
    after = start + (2 + data[start + 1] if short else 2 if data[start] == _BINGET else 5)
    if after != end and (after + 1 != end or data[after] != _MEMOIZE):
        return None
    if not short:
        if slots is None:
            return None
        slot = int.from_bytes(data[start + 1 : after], "little")
        if slot >= len(slots):
            return tail.fetched(slot - len(slots), start) if tail is not None else None
        get, start = start, slots[slot]
        # By now a slot may be filled that was not when it was fetched: `h\x00`, and only then the string that fills
        # slot 0.
        if not 0 <= start < get:
            return None
        after = start + 2 + data[start + 1]
    return str(data[start + 2 : after], "utf-8", "surrogatepass")


def _interpreted(data: Buffer, begin: int, position: int, framing: bool) -> Iterator[Event]:
    """Yield what the symbolic machine says of the pickle at `begin` from `position` on: what is before is known."""
    for event in interpret(data, begin):
        if event.offset >= position and (framing or event.kind not in {"proto", "frame"}):
            yield event


class Tail:
    """The rest of a pickle that is not small, passed by pattern, with as much of its memo as is asked for.

    Counting memo slots would cost more than the walk, so it is put off until a GET is found to be an operand, and
    then done up to its slot.  Slots are known as long as MEMOIZE alone fills the memo and strings are memoized where
    they are pushed; a PUT, or anything else, is left to the symbolic machine.
    """

    __slots__ = ("_counted", "_data", "_earlier", "_found", "_passed", "_slots", "_uncounted", "regular")

    def __init__(self, data: Buffer, position: int) -> None:
        self._data = data
        self.regular = True
        self._slots: list[bytes] = []
        # Starts and ends of what can be counted, in turn: flat, because there may be millions.
        self._uncounted = array("Q")
        self._counted = 0
        self._passed = self._earlier = position
        self._found = patterns.run()(data, position, position)

    def advance(self, position: int) -> int:
        """Return where the next opcode stands that the loop handles.

        Raises IndexError where the data ends before it, and `MalformedPickleError`.
        """
        data, run = self._data, patterns.run()
        while True:
            found = run(data, position)
            end = found.end()
            if end > position:
                self.regular = self.regular and found.start(patterns.PUT) < 0
                # A run that had its fill and the one after it are one.
                self._earlier = self._found.start() if self._found.end() == position else position
                self._found = found
            byte = data[end]
            if byte in _CAUGHT:
                return end
            if byte in LONG_PAYLOADS:
                # One that is cut short ends with the data, and then there is no next opcode.
                after = passed_payload(data, end)
                self._countable(end)
                self._passed = position = after
            elif end > position:
                position = end
            else:
                unknown = step(data, position)
                self.interrupted(unknown)
                position = unknown.end

    def interrupted(self, unknown: Step) -> None:
        """Note an opcode that no pattern knows: what was passed before it can be counted by pattern; it cannot."""
        self._countable(unknown.offset)
        self._passed = unknown.end
        self.regular = self.regular and unknown.opcode.byte not in _PUTS

    def _countable(self, end: int) -> None:
        if end > self._passed:
            self._uncounted.extend((self._passed, end))
            self._passed = end

    def pushes(self) -> tuple[int, int]:
        """Return where the last two operands before the end of the run were pushed, or -1.

        A run marks only its last push.  The one before is the last of the same run when it is cut off there.
        """
        run, start = patterns.run(), self._found.start()
        last = self._found.start(patterns.PUSH)
        if last < 0:
            last = run(self._data, self._earlier, start).start(patterns.PUSH)
            if last < 0:
                return -1, -1
        return run(self._data, start if last > start else self._earlier, last).start(patterns.PUSH), last

    def fetched(self, slot: int, get: int) -> str | None:
        """Return what the GET at `get` fetches from `slot`, counted from where the tail begins; None if unknown."""
        # It fetches what was memoized before it: what is passed up to here can be counted, and nothing after.
        self._countable(get)
        while len(self._slots) <= slot and self._counted < len(self._uncounted):
            start, end = self._uncounted[self._counted : self._counted + 2]
            self._counted += 2
            self._slots += filter(None, patterns.memoized().findall(self._data, start, end))
        # A MEMOIZE without a string in front of it is one byte.
        if slot >= len(self._slots) or len(self._slots[slot]) == 1:
            return None
        return str(self._slots[slot][2:-1], "utf-8")
