"""The plain symbolic machine: what is on the stack and in the memo at each opcode, as far as it is a string.

It is what the fast walk in `extreg.pickles.walking.walker` is held to by the tests, and what that falls back on for a
pickle whose STACK_GLOBAL operands do not stand right in front of it.  It makes no attempt to be fast.
"""

from collections.abc import Iterator
from typing import Final

from extreg.pickles.walking.events import Event, Kind
from extreg.pickles.walking.opcodes import TO_MARK, Buffer, Step, names, steps, string

_STRINGS: Final = frozenset(b"STUVX\x8c\x8d")
_PLAIN: Final[dict[int, Kind]] = {0x80: "proto", 0x95: "frame", 0x2E: "stop"}
_MARK: Final = object()
_BYTE_STRINGS: Final = frozenset(b"STU")
_GETS: Final = frozenset(b"ghj")
_PUTS: Final = frozenset(b"pqr\x94")
_MEMOIZE: Final = 0x94
_LONG: Final = 100

# A symbol is the step that pushed a string, the text of one that an earlier pickle left, the mark, or None for anything
# else.
_Symbol = Step | object | None
Slots = dict[int | bytes, _Symbol]


def interpret(
    data: Buffer,
    offset: int = 0,
    *,
    ascii_strings: bool = True,
    carried: bool = False,
    memo: Slots | None = None,
) -> Iterator[Event]:
    """Yield the events of the one pickle that begins at `offset`, its STOP included; raise `MalformedPickleError`.

    Names made of Python 2's byte strings are read as ASCII, or are unresolved without `ascii_strings`, because an
    unpickler with some other ``encoding`` would read others.  With `carried` what is fetched from the memo is unknown,
    because it may be another pickle's; a `memo` is what the one before has left, and then what this one leaves: texts.
    """
    stack: list[_Symbol] = []
    lasting, memo = memo is not None, {} if memo is None else memo
    for found in steps(data, offset):
        byte, name = found.opcode.byte, found.opcode.name
        if byte in _PLAIN:
            yield Event(_PLAIN[byte], found.offset, name, number=_argument(data, found) if byte != 0x2E else None)
        elif byte in b"\x82\x83\x84":
            yield Event("code", found.offset, name, number=_argument(data, found))
        elif byte in b"ci":
            yield Event("global", found.offset, name, *names(data, found))
        elif byte == 0x93:
            yield _stack_global(data, found, stack, ascii_strings)
        if lasting and byte in _PUTS:
            # This pickle's bytes will be gone.
            stack[-1:] = [symbol if symbol is _MARK else _text(data, symbol, ascii_strings) for symbol in stack[-1:]]
        _perform(data, found, stack, memo)
        if carried and byte in _GETS:
            stack[-1] = None


def _argument(data: Buffer, found: Step) -> int:
    """Return a number argument; EXT4's is the one that is signed."""
    return int.from_bytes(bytes(data[found.start : found.stop]), "little", signed=found.opcode.name == "EXT4")


def _stack_global(data: Buffer, found: Step, stack: list[_Symbol], ascii_strings: bool) -> Event:
    operands = [_text(data, symbol, ascii_strings) for symbol in stack[-2:]]
    module, name = operands if len(operands) == 2 else (None, None)
    if module is None or name is None:
        return Event("unresolved", found.offset, "STACK_GLOBAL")
    return Event("global", found.offset, "STACK_GLOBAL", module, name)


def _text(data: Buffer, symbol: _Symbol, ascii_strings: bool) -> str | None:
    """Return the text of what was pushed, if it is a string whose text is known."""
    if isinstance(symbol, str):
        return symbol
    if isinstance(symbol, Step) and (ascii_strings or symbol.opcode.byte not in _BYTE_STRINGS):
        return string(data, symbol)
    return None


def _perform(data: Buffer, found: Step, stack: list[_Symbol], memo: Slots) -> None:
    """Do to `stack` and `memo` what an unpickler would, no further down than what is there."""
    opcode = found.opcode
    top = stack[-1] if stack and stack[-1] is not _MARK else None
    if opcode.byte in _PUTS:
        at = len(memo) if opcode.byte == _MEMOIZE else slot(data, found)
        memo[at] = top
    elif opcode.name == "POP":
        del stack[-1:]
    else:
        _pop(stack, opcode.takes)
        if opcode.byte in b"ghj":
            stack.append(memo.get(slot(data, found)))
        elif opcode.gives:
            named = {"DUP": top, "MARK": _MARK}.get(opcode.name)
            stack.append(found if opcode.byte in _STRINGS else named)


def _pop(stack: list[_Symbol], count: int) -> None:
    # An unpickler fails where a MARK or the bottom is in the way of an operand; whatever is said of the rest is then
    # idle.
    while count and stack and (count == TO_MARK or stack[-1] is not _MARK):
        if stack.pop() is _MARK:
            return
        count -= count != TO_MARK


def slot(data: Buffer, found: Step) -> int | bytes:
    """Return the slot of the memo that a PUT or GET names; its digits where there are very many."""
    if found.opcode.argument != "\n":
        return _argument(data, found)
    # What int() takes, as unpicklers do: white space, a sign, underscores, any number of zeros in front.
    raw = bytes(data[found.start : found.stop]).strip().replace(b"_", b"")
    digits = raw.lstrip(b"+-").lstrip(b"0") or b"0"
    signed = b"-" + digits if raw[:1] == b"-" else digits
    # int() of a million digits takes minutes; a number that long is no slot of any memo, so its digits will do.
    return int(signed) if len(digits) < _LONG else signed
