"""The walk: every reference and every pickle in a row of them, exactly and fast.

The loop goes from opcode to opcode by hand in the first bytes of each pickle, which is all there is of a small one, and keeps
count of the memo.  Further on it lets a pattern (see `extreg.pickles.patterns`) pass the opcodes that refer to nothing, a run at
a time, and only handles what ended the run.

A STACK_GLOBAL is resolved on the spot if its operands, short ASCII strings or GETs of such, stand right in front of it, which is how
picklers write it.  For anything else the symbolic machine takes over until that pickle ends.
"""

import re
from array import array
from collections.abc import Iterator
from mmap import mmap
from typing import Final, NoReturn

from extreg.pickles import patterns
from extreg.pickles.events import Event, Kind
from extreg.pickles.machine import interpret
from extreg.pickles.opcodes import TABLE, Buffer, Step, names, step, steps

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
_FRAMING: Final = (_BYTES["PROTO"], _BYTES["FRAME"])
_NUMBERED: Final[dict[int, tuple[Kind, str, int]]] = {
    _BYTES[name]: (kind, name, 1 + int(TABLE[_BYTES[name]].argument))
    for name, kind in {"EXT1": "code", "EXT2": "code", "EXT4": "code", "PROTO": "proto", "FRAME": "frame"}.items()
}


def _quiet(*loud: int) -> tuple[int, ...]:
    """The size of each opcode that the loop passes without a look; 0 for those it handles, which include the `loud` ones."""
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


def walk(data: Buffer, *, framing: bool = True) -> Iterator[Event]:
    """Yield the events of all pickles in `data`, in order; PROTO and FRAME only where `framing` is asked for.

    `data` is bytes, bytearray, a contiguous memoryview or an mmap, and is not copied.  Takes time linear in its size; a payload
    of 64 KiB or more is not even read.  Raises `MalformedPickleError` where an opcode cannot be read or the bytes end within a
    pickle, after the events before that place; empty `data` is an error too.
    """
    # One function, and long, because a call per opcode would double the time of a small pickle.
    data, head = _flat(data)
    position, size = 0, len(data)
    while position < size or not size:
        begin = whole = position  # `whole` is the start of an opcode before which all is well
        modern = data[begin : begin + 1] == b"\x80" and bytes(data[begin + 1 : begin + 2]) >= b"\x04"
        quiet = _QUIET[modern, framing]
        tail = None
        # Where the string of each memo slot stands, or -1.  A PUT, which only the machine understands, makes it irregular.
        slots: list[int] = []
        irregular = not modern
        # The last two pushes: where their strings stand (or -1), where they begin, and where they end, MEMOIZE and FRAME included.
        module = module_begin = module_end = name = name_begin = name_end = -1
        try:
            while True:
                if position >= begin + head:
                    if tail is None:
                        tail = Tail(data, position, slots, irregular)
                    whole = position
                    position = tail.advance(position)
                    if data[position] not in _CAUGHT:
                        continue
                byte = data[position]
                width = quiet[byte]
                if width:
                    position += width
                elif byte == _SHORT_BINUNICODE:
                    after = position + 2 + data[position + 1]
                    if not data[position + 2 : after].isascii():
                        step(data, position)
                    module, module_begin, module_end = name, name_begin, name_end
                    name = name_begin = position
                    position = name_end = after
                elif byte == _MEMOIZE:
                    position += 1
                    if name_end == position - 1:
                        name_end = position
                        slots.append(name)
                    else:
                        slots.append(-1)
                elif byte == _BINGET:
                    slot = data[position + 1]
                    module, module_begin, module_end = name, name_begin, name_end
                    name = slots[slot] if slot < len(slots) and not irregular else -1
                    name_begin = position
                    position = name_end = position + 2
                elif byte == _BINUNICODE and not data[position + 3] and not data[position + 4]:
                    after = position + 5 + data[position + 1] + (data[position + 2] << 8)
                    if not data[position + 5 : after].isascii():
                        step(data, position)
                    position = after
                elif byte in _COUNTED_BY_ONE:
                    position += 2 + data[position + 1]
                elif byte == _STACK_GLOBAL:
                    if tail is not None:
                        event = tail.stack_global(position)
                    elif name_end == position and module_end == name_begin and name >= 0 and module >= 0:
                        words = _text(data, module), _text(data, name)
                        event = Event("global", position, "STACK_GLOBAL", *words, None, module_begin)
                    else:
                        event = None
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
                    if position + width > size:
                        raise IndexError(position)
                    number = int.from_bytes(data[position + 1 : position + width], "little", signed=width == 5)
                    yield Event(kind, position, name_of, None, None, number)
                    if name_end == position and kind == "frame":
                        name_end += width
                    position += width
                else:
                    found = step(data, position)
                    if tail is not None:
                        tail.interrupted(found)
                    if byte == _INST:
                        yield Event("global", position, found.opcode.name, *names(data, found))
                    irregular |= byte in _PUTS
                    position = found.end
        except IndexError:
            _raise_malformed(data, whole)


def _flat(data: Buffer) -> tuple[Buffer, int]:
    """Return `data` as something that has bytes for items, and how far into each pickle to go by hand.

    A memoryview is not copied unless it is small; being slow to slice, it is left to the patterns.
    """
    if isinstance(data, (bytes, bytearray, mmap)):
        return data, _HEAD
    view = memoryview(data).cast("B")
    return (bytes(view), _HEAD) if len(view) <= _HEAD else (view, 0)


def _raise_malformed(data: Buffer, whole: int) -> NoReturn:
    """Find out what runs beyond the end of `data`: the loop above only notices that something does."""
    for _ in steps(data, whole):
        pass
    raise AssertionError("a pickle was found whole that the walk found cut short")


def _text(data: Buffer, at: int) -> str:
    """Return what the SHORT_BINUNICODE at `at` holds; it is known to be sound."""
    return str(data[at + 2 : at + 2 + data[at + 1]], "utf-8", "surrogatepass")


def _interpreted(data: Buffer, begin: int, position: int, framing: bool) -> Iterator[Event]:
    """Yield what the symbolic machine says of the pickle at `begin` from `position` on: what is before is known."""
    for event in interpret(data, begin):
        if event.offset >= position and (framing or event.kind not in {"proto", "frame"}):
            yield event


class Tail:
    """The rest of a pickle that is not small, passed by pattern, with as much of its memo as is asked for.

    Counting memo slots would cost more than the walk, so it is put off until a GET is found to be an operand, and then done up to its
    slot.  Slots are known as long as MEMOIZE alone fills the memo and strings are memoized where they are pushed; a PUT, or
    anything else, is left to the symbolic machine.
    """

    __slots__ = ("_counted", "_data", "_earlier", "_found", "_head", "_irregular", "_passed", "_slots", "_uncounted")

    def __init__(self, data: Buffer, position: int, head: list[int], irregular: bool) -> None:
        self._data = data
        self._irregular = irregular
        self._head = head
        self._slots: list[bytes] = []
        # Starts and ends of what can be counted, in turn: flat, because there may be millions.
        self._uncounted = array("Q")
        self._counted = 0
        self._passed = position
        self._found = patterns.run()(data, position, position)
        self._earlier = position

    def advance(self, position: int) -> int:
        """Return from where to go on: where a run from `position` on ends, or what stands there and no pattern knows.

        Raises IndexError at the end of the data, and `MalformedPickleError`.
        """
        found = patterns.run()(self._data, position)
        if found.end() == position and self._data[position] not in _CAUGHT:
            unknown = step(self._data, position)
            self.interrupted(unknown)
            return unknown.end
        self._irregular |= found.start(patterns.PUT) >= 0
        # A run that had its fill and the one after it are one.
        self._earlier = self._found.start() if self._found.end() == position else position
        self._found = found
        return found.end()

    def interrupted(self, unknown: Step) -> None:
        """Note an opcode that no pattern knows: what was passed before it can be counted by pattern, it itself cannot."""
        self._countable(unknown.offset)
        self._passed = unknown.end
        self._irregular |= unknown.opcode.byte in _PUTS

    def _countable(self, end: int) -> None:
        if end > self._passed:
            self._uncounted.extend((self._passed, end))
            self._passed = end

    def stack_global(self, offset: int) -> Event | None:
        """Return the event of the STACK_GLOBAL at `offset`, or None where its operands do not stand right in front of it.

        A run marks only its last push, which is that of the name.  The one before is the last of the same run cut off there.
        """
        run, start = patterns.run(), self._found.start()
        name_at = self._found.start(patterns.PUSH)
        if name_at < 0:
            name_at = run(self._data, self._earlier, start).start(patterns.PUSH)
        module_at = run(self._data, start if name_at > start else self._earlier, max(name_at, 0)).start(patterns.PUSH)
        if self._found.end() != offset or module_at < 0:
            return None
        try:
            module, name = self._string(module_at, name_at), self._string(name_at, offset)
        except LookupError:
            return None
        return Event("global", offset, "STACK_GLOBAL", module, name, None, module_at)

    def _string(self, start: int, end: int) -> str:
        """Return the string that is pushed at `start`; raise LookupError where that is unknown or does not end at `end`."""
        data, kind = self._data, self._data[start]
        after = start + (2 + data[start + 1] if kind == _SHORT_BINUNICODE else 2 if kind == _BINGET else 5)
        if after != end and (after + 1 != end or data[after] != _MEMOIZE):
            raise LookupError(start)
        if kind == _SHORT_BINUNICODE:
            return _text(data, start)
        # A GET finds what was memoized before it: what is passed up to here can be counted, and nothing after.
        self._countable(start)
        return self._slot(int.from_bytes(data[start + 1 : after], "little"))

    def _slot(self, slot: int) -> str:
        if self._irregular:
            raise LookupError(slot)
        if slot < len(self._head):
            if self._head[slot] < 0:
                raise LookupError(slot)
            return _text(self._data, self._head[slot])
        slot -= len(self._head)
        while len(self._slots) <= slot and self._counted < len(self._uncounted):
            start, end = self._uncounted[self._counted : self._counted + 2]
            self._counted += 2
            self._slots += filter(None, patterns.memoized().findall(self._data, start, end))
        # A MEMOIZE without a string in front of it is one byte.
        if slot >= len(self._slots) or len(self._slots[slot]) == 1:
            raise LookupError(slot)
        return str(self._slots[slot][2:-1], "utf-8")
