"""The opcodes of protocols 0 to 5: the one table, and how to step from one to the next.

Sources of facts: Lib/pickletools.py for the layouts and stack effects (a test compares this table with it), and
Modules/_pickle.c where the two disagree about what an unpickler accepts.  `pickletools.genops` itself is not used:
before the fix of gh-126997 it fails on names that are not ASCII, and it undoes escapes in GLOBAL lines, which no
unpickler does.
"""

import re
from collections.abc import Callable, Iterator
from mmap import mmap
from typing import Final, NamedTuple

from extreg.errors import MalformedPickleError

Buffer = bytes | bytearray | memoryview | mmap

# From this size on a payload is stepped over unread, so that a mapped file has only the pages in memory
# that hold opcodes.  A text of this size is therefore not checked for being UTF-8.
UNREAD: Final = 1 << 16

# `Opcode.takes` of what pops everything down to the topmost MARK, and the MARK itself.
TO_MARK: Final = -1


class Opcode(NamedTuple):
    """One row of the table.

    ``argument`` is how the argument is laid out: a digit is a size in bytes; ``"<4"`` is a payload after its length,
    which takes 4 bytes; ``"\\n"`` is a line and ``"\\n\\n"`` two.  ``holds`` says what the argument means, where that
    can be wrong or matters.  ``takes`` and ``gives`` are what the opcode pops from and pushes to the stack.
    """

    byte: int
    name: str
    argument: str = "0"
    holds: str = ""
    takes: int = 0
    gives: int = 0


def _rows() -> Iterator[Opcode]:
    def row(byte: bytes, name: str, argument: str = "0", holds: str = "", takes: int = 0, gives: int = 0) -> Opcode:
        return Opcode(byte[0], name, argument, holds, takes, gives)

    # Data: one more on the stack.
    yield row(b"I", "INT", "\n", "integer", gives=1)
    yield row(b"J", "BININT", "4", gives=1)
    yield row(b"K", "BININT1", "1", gives=1)
    yield row(b"M", "BININT2", "2", gives=1)
    yield row(b"L", "LONG", "\n", "long", gives=1)
    yield row(b"\x8a", "LONG1", "<1", gives=1)
    yield row(b"\x8b", "LONG4", "<4", "signed length", gives=1)
    yield row(b"F", "FLOAT", "\n", "float", gives=1)
    yield row(b"G", "BINFLOAT", "8", gives=1)
    yield row(b"N", "NONE", gives=1)
    yield row(b"\x88", "NEWTRUE", gives=1)
    yield row(b"\x89", "NEWFALSE", gives=1)
    yield row(b"B", "BINBYTES", "<4", gives=1)
    yield row(b"C", "SHORT_BINBYTES", "<1", gives=1)
    yield row(b"\x8e", "BINBYTES8", "<8", gives=1)
    yield row(b"\x96", "BYTEARRAY8", "<8", gives=1)
    yield row(b"\x97", "NEXT_BUFFER", gives=1)
    yield row(b"\x98", "READONLY_BUFFER", takes=1, gives=1)
    # Strings: the operands of STACK_GLOBAL.  The first three are Python 2's and become str if they are ASCII.
    yield row(b"S", "STRING", "\n", "quoted", gives=1)
    yield row(b"T", "BINSTRING", "<4", "signed length", gives=1)
    yield row(b"U", "SHORT_BINSTRING", "<1", gives=1)
    yield row(b"V", "UNICODE", "\n", "escaped", gives=1)
    yield row(b"X", "BINUNICODE", "<4", "text", gives=1)
    yield row(b"\x8c", "SHORT_BINUNICODE", "<1", "text", gives=1)
    yield row(b"\x8d", "BINUNICODE8", "<8", "text", gives=1)
    # Containers.  What APPENDS and its like fill stays where it is, below what they take.
    yield row(b"]", "EMPTY_LIST", gives=1)
    yield row(b"a", "APPEND", takes=1)
    yield row(b"e", "APPENDS", takes=TO_MARK)
    yield row(b"l", "LIST", takes=TO_MARK, gives=1)
    yield row(b")", "EMPTY_TUPLE", gives=1)
    yield row(b"t", "TUPLE", takes=TO_MARK, gives=1)
    yield row(b"\x85", "TUPLE1", takes=1, gives=1)
    yield row(b"\x86", "TUPLE2", takes=2, gives=1)
    yield row(b"\x87", "TUPLE3", takes=3, gives=1)
    yield row(b"}", "EMPTY_DICT", gives=1)
    yield row(b"d", "DICT", takes=TO_MARK, gives=1)
    yield row(b"s", "SETITEM", takes=2)
    yield row(b"u", "SETITEMS", takes=TO_MARK)
    yield row(b"\x8f", "EMPTY_SET", gives=1)
    yield row(b"\x90", "ADDITEMS", takes=TO_MARK)
    yield row(b"\x91", "FROZENSET", takes=TO_MARK, gives=1)
    # The stack itself.
    yield row(b"(", "MARK", gives=1)
    yield row(b"0", "POP", takes=1)
    yield row(b"1", "POP_MARK", takes=TO_MARK)
    yield row(b"2", "DUP", gives=1)
    # The memo.
    yield row(b"g", "GET", "\n", "integer", gives=1)
    yield row(b"h", "BINGET", "1", gives=1)
    yield row(b"j", "LONG_BINGET", "4", gives=1)
    yield row(b"p", "PUT", "\n", "integer")
    yield row(b"q", "BINPUT", "1")
    yield row(b"r", "LONG_BINPUT", "4")
    yield row(b"\x94", "MEMOIZE")
    # Globals and codes: what all this is about.
    yield row(b"c", "GLOBAL", "\n\n", "name", gives=1)
    yield row(b"i", "INST", "\n\n", "name", takes=TO_MARK, gives=1)
    yield row(b"\x93", "STACK_GLOBAL", takes=2, gives=1)
    yield row(b"\x82", "EXT1", "1", gives=1)
    yield row(b"\x83", "EXT2", "2", gives=1)
    yield row(b"\x84", "EXT4", "4", gives=1)
    # Objects.
    yield row(b"R", "REDUCE", takes=2, gives=1)
    yield row(b"b", "BUILD", takes=1)
    yield row(b"o", "OBJ", takes=TO_MARK, gives=1)
    yield row(b"\x81", "NEWOBJ", takes=2, gives=1)
    yield row(b"\x92", "NEWOBJ_EX", takes=3, gives=1)
    yield row(b"P", "PERSID", "\n", "name", gives=1)
    yield row(b"Q", "BINPERSID", takes=1, gives=1)
    # The pickle as a whole.
    yield row(b"\x80", "PROTO", "1")
    yield row(b"\x95", "FRAME", "8")
    yield row(b".", "STOP", takes=1)


# The bytes of a reference by code, its opcode included (PEP 307; `save_global` in Lib/pickle.py).
EXTENSION_WIDTHS: Final = {"EXT1": 2, "EXT2": 3, "EXT4": 5}
EXTENSION_OPCODES: Final = {width: name for name, width in EXTENSION_WIDTHS.items()}


def extension_opcode(code: int) -> str:
    """Return the name of the opcode that pickle writes for an extension code."""
    return "EXT1" if code <= 0xFF else "EXT2" if code <= 0xFFFF else "EXT4"


TABLE: Final[dict[int, Opcode]] = {opcode.byte: opcode for opcode in _rows()}


class Step(NamedTuple):
    """One opcode where it stands: at ``offset``, its argument without length and newline in ``data[start:stop]``."""

    opcode: Opcode
    offset: int
    start: int
    stop: int
    end: int


_NEWLINE = re.compile(rb"\n")
# What int() takes from bytes, without its limit on digits and the quadratic time that limit is there for.
_INTEGER = re.compile(rb"[ \t\n\r\x0b\x0c]*[+-]?[0-9]+(?:_[0-9]+)*[ \t\n\r\x0b\x0c]*")
_ESCAPE = re.compile(rb"\\(?:x[0-9a-fA-F]{2}|[0-7]{1,3}|[^x])", re.DOTALL)


def steps(data: Buffer, offset: int = 0) -> Iterator[Step]:
    """Yield every opcode of the one pickle that begins at `offset`, STOP included.

    Raises `MalformedPickleError` at the first opcode that cannot be read.
    """
    while True:
        found = step(data, offset)
        yield found
        if found.opcode.byte == 0x2E:
            return
        offset = found.end


def step(data: Buffer, offset: int) -> Step:
    """Return the opcode at `offset`; raise `MalformedPickleError` where there is none, or not all of it."""
    if offset >= len(data):
        raise MalformedPickleError("the bytes end before the pickle's STOP", offset)
    opcode = TABLE.get(data[offset])
    if opcode is None:
        raise MalformedPickleError(f"no opcode has the value {data[offset]:#04x}", offset)
    layout = opcode.argument
    start = offset + 1
    if layout[0] == "\n":
        found = _lines(data, opcode, offset)
    elif layout[0] == "<":
        width = int(layout[1])
        length = _number(data, offset, width, signed=opcode.holds == "signed length")
        if length < 0:
            raise MalformedPickleError(f"{opcode.name} has a negative length, {length}", offset)
        start += width
        found = Step(opcode, offset, start, start + length, start + length)
    else:
        stop = start + int(layout)
        found = Step(opcode, offset, start, stop, stop)
    if found.end > len(data):
        raise MalformedPickleError(f"{opcode.name} is cut short", offset)
    check = _CHECKS.get(opcode.holds)
    if check is not None and (opcode.holds != "text" or found.stop - found.start < UNREAD):
        try:
            check(bytes(data[found.start : found.stop]))
        except ValueError as error:
            raise MalformedPickleError(f"the argument of {opcode.name} cannot be read: {error}", offset) from None
    return found


# Opcodes whose length needs no check, and how many bytes it takes: for those in a hurry.
_LENGTHS: Final = {
    opcode.byte: int(opcode.argument[1])
    for opcode in TABLE.values()
    if opcode.argument[0] == "<" and opcode.holds in {"", "text"}
}
TEXTS: Final = frozenset(opcode.byte for opcode in TABLE.values() if opcode.holds == "text")


def passed(data: Buffer, offset: int) -> int:
    """Return ``step(data, offset).end``, sooner where there is a payload or text, of which there may be many."""
    end = reached(data, offset)
    if data[offset] in TEXTS and not readable(data, offset + 1 + _LENGTHS[data[offset]], end):
        step(data, offset)  # which says so
    return end


def reached(data: Buffer, offset: int) -> int:
    """Return what `passed` does, whether or not a text is one."""
    width = _LENGTHS.get(data[offset]) if offset < len(data) else None
    if width is not None:
        start = offset + 1 + width
        end = start + int.from_bytes(data[offset + 1 : start], "little")
        if end <= len(data):
            return end
    return step(data, offset).end


def readable(data: Buffer, start: int, end: int) -> bool:
    """Tell whether ``data[start:end]`` is text, or too long to be read."""
    # Decoding copies; of what is not even read, nothing is made.
    if end - start < UNREAD:
        try:
            str(data[start:end], "utf-8", "surrogatepass")
        except UnicodeDecodeError:
            return False
    return True


def _number(data: Buffer, offset: int, width: int, *, signed: bool = False) -> int:
    raw = bytes(data[offset + 1 : offset + 1 + width])
    if len(raw) < width:
        raise MalformedPickleError(f"{TABLE[data[offset]].name} is cut short", offset)
    return int.from_bytes(raw, "little", signed=signed)


def _lines(data: Buffer, opcode: Opcode, offset: int) -> Step:
    end = offset + 1
    for _ in opcode.argument:
        newline = _NEWLINE.search(data, end)
        if newline is None:
            raise MalformedPickleError(f"{opcode.name} is cut short: no newline", offset)
        end = newline.end()
    return Step(opcode, offset, offset + 1, end - 1, end)


def _quoted(raw: bytes) -> None:
    if raw[:1] not in {b"'", b'"'} or raw[-1:] != raw[:1]:
        raise ValueError("no quotes around it")
    if b"\\" in _ESCAPE.sub(b"", raw[1:-1]):
        raise ValueError("a broken escape in it")


def _integer(raw: bytes) -> None:
    if _INTEGER.fullmatch(raw) is None:
        raise ValueError("not a decimal number")


# What each meaning of an argument asks of its bytes: a ValueError (UnicodeDecodeError is one) says no.
_CHECKS: Final[dict[str, Callable[[bytes], object]]] = {
    "text": lambda raw: str(raw, "utf-8", "surrogatepass"),
    "name": lambda raw: str(raw, "utf-8"),
    "escaped": lambda raw: str(raw, "raw-unicode-escape"),
    "quoted": _quoted,
    "float": float,
    "integer": _integer,
    "long": lambda raw: _integer(raw[:-1] if raw[-1:] == b"L" else raw),
}


def string(data: Buffer, found: Step) -> str | None:
    """Return the str that `found` pushes, or None where that depends on the unpickler's ``encoding``, or it is no
    string.

    Python 2's byte strings are str under the default encoding if they are ASCII.
    """
    name, raw = found.opcode.name, data[found.start : found.stop]
    if name in {"SHORT_BINUNICODE", "BINUNICODE", "BINUNICODE8"}:
        return _decoded(raw, "utf-8", "surrogatepass")
    if name == "UNICODE":
        return _decoded(raw, "raw-unicode-escape")
    if name == "STRING":
        return _decoded(_ESCAPE.sub(_unescape, raw[1:-1]), "ascii")
    if name in {"BINSTRING", "SHORT_BINSTRING"}:
        return _decoded(raw, "ascii")
    return None


def _decoded(raw: "bytes | bytearray | memoryview", encoding: str, errors: str = "strict") -> str | None:
    try:
        return str(raw, encoding, errors)
    except UnicodeDecodeError:
        return None


_SIMPLE = {b"a": b"\a", b"b": b"\b", b"f": b"\f", b"n": b"\n", b"r": b"\r", b"t": b"\t", b"v": b"\v"}
_SIMPLE |= {mark: mark for mark in (b"\\", b"'", b'"')}


def _unescape(found: "re.Match[bytes]") -> bytes:
    # Not codecs.escape_decode, which warns of escapes it does not know.
    body = found[0][1:]
    if body[:1] == b"x":
        return bytes.fromhex(body[1:].decode("ascii"))
    return bytes([int(body, 8) & 0xFF]) if body.isdigit() and body < b"8" else _SIMPLE.get(body, found[0])


def names(data: Buffer, found: Step) -> tuple[str, str]:
    """Return the module and the qualified name of a GLOBAL or INST."""
    module, name = str(data[found.start : found.stop], "utf-8").split("\n")
    return module, name
