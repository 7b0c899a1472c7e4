"""Reading one pickle from a file, without a byte too many, before anything of it is loaded."""

from typing import Any, Final, Protocol

from extreg.errors import MalformedPickleError
from extreg.pickles.walking.opcodes import TABLE
from extreg.pickles.walking.walker import batches

# How much is read at first from a file that can be wound back: as much as a buffered one holds.  What is too long for
# it is read again, four times as much.
_FIRST: Final = 1 << 13
# A length in a pickle may say anything: no more than this is asked for at once.
_PIECE: Final = 1 << 20
_STOP: Final = b"."


class Readable(Protocol):
    """What pickle asks of a file: ``read(size)`` and ``readline()``, both in bytes."""

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes."""

    def readline(self) -> bytes:
        """Return the bytes up to and with the next newline."""


def read_pickle(file: Readable) -> bytes:
    """Return the bytes of one pickle, and leave `file` where it ends.

    Raises EOFError at the end of the file and `MalformedPickleError` where there is no whole pickle.
    """
    return _wound(file) if _winds(file) else _streamed(file)


def _winds(file: Any) -> bool:
    try:
        return bool(file.seekable()) and file.tell() >= 0
    except (AttributeError, OSError, ValueError):
        return False


def _wound(file: Any) -> bytes:
    """Read more than enough, find the end, and wind `file` back to it."""
    begin, size = file.tell(), _FIRST
    while True:
        data = _up_to(file, size)
        if not data:
            raise EOFError("Ran out of input")
        try:
            end = _end(data)
        except MalformedPickleError:
            if len(data) < size:
                raise
            size *= 4
            file.seek(begin)
            continue
        file.seek(begin + end)
        return data[:end]


def _end(data: bytes) -> int:
    """Return where the first pickle in `data` ends; what is behind it, most often others, is not looked at."""
    offset = -1
    for batch in batches(data, False, True):
        if batch:
            offset = batch[-1][1]
    # The last of all was its STOP.
    return offset + 1


def _streamed(file: Readable) -> bytes:
    """Read opcode by opcode, for what is sent after a pickle through a pipe is not ours."""
    found, byte = bytearray(), b""
    while byte != _STOP:
        byte = _up_to(file, 1)
        if not byte and not found:
            raise EOFError("Ran out of input")
        opcode = TABLE.get(byte[0]) if byte else None
        if opcode is None:
            raise MalformedPickleError("no opcode is here" if byte else "the bytes end before the STOP", len(found))
        at, layout = len(found), opcode.argument
        found += byte
        if layout[0] == "\n":
            for _ in layout:
                found += file.readline()
                if found[-1:] != b"\n":
                    raise MalformedPickleError(f"{opcode.name} is cut short: no newline", at)
            continue
        size = int(layout.strip("<"))
        argument = _up_to(file, size)
        found += argument
        if layout[0] == "<" and len(argument) == size:
            size = int.from_bytes(argument, "little", signed=opcode.holds == "signed length")
            argument = _up_to(file, size)
            found += argument
        if len(argument) != size:
            raise MalformedPickleError(f"{opcode.name} is cut short", at)
    return bytes(found)


def _up_to(file: Readable, size: int) -> bytes:
    """Return `size` bytes, or all there are."""
    piece = file.read(min(size, _PIECE)) if size > 0 else b""
    if len(piece) == size or not piece:
        return piece
    pieces, left = [piece], size - len(piece)
    while left and (piece := file.read(min(left, _PIECE))):
        pieces.append(piece)
        left -= len(piece)
    return b"".join(pieces)
