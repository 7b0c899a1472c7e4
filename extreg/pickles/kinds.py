"""What bytes are in which no pickle begins: of a kind that may hold some, of one that holds none, or unknown.

Known to hold none are text, unless something in it may be bytes encoded as text; ASCII with control characters that
refers to nothing; images that end where they should; and zeros.  A pickle that bears a code begins with PROTO, which is
no character of ordinary text.
"""

import codecs
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Final

from extreg.pickles.hidden import as_lzma, as_zlib, encoded_in
from extreg.pickles.walking.opcodes import Buffer

UNKNOWN: Final = "of unknown kind"
AS_TEXT: Final = "pickles as text"
# How far into bytes the marks stand by which they are known.
HEAD: Final = 512
_WINDOW: Final = 1 << 20
# What may be cut in two by the end of a window, at most.
_OVERLAP: Final = 256

_MAGIC: Final[tuple[tuple[int, bytes, str], ...]] = (
    (0, b"\x1f\x8b", "gzip"),
    (0, b"\x1f\x9d", "compress"),
    (0, b"BZh", "bz2"),
    (0, b"\xfd7zXZ\x00", "xz"),
    (0, b"\x28\xb5\x2f\xfd", "zstd"),
    (0, b"\x04\x22\x4d\x18", "lz4"),
    (0, b"\x02\x21\x4c\x18", "lz4"),
    (0, b"\xff\x06\x00\x00sNaPpY", "snappy"),
    (0, b"\x89LZO\x00", "lzop"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"),
    (0, b"Rar!\x1a\x07", "rar"),
    (257, b"ustar", "tar"),
    (0, b"PK\x03\x04", "zip"),
    (0, b"SQLite format 3\x00", "SQLite"),
    (12, b"\x61\x15\x06\x00", "Berkeley DB"),
    (12, b"\x00\x06\x15\x61", "Berkeley DB"),
    (12, b"\x62\x31\x05\x00", "Berkeley DB"),
    (12, b"\x00\x05\x31\x62", "Berkeley DB"),
    *(
        (0, number.to_bytes(4, order), "gdbm")
        for number in range(0x13579ACD, 0x13579AD0)
        for order in ("little", "big")
    ),
    (16, b"\xde\xc0\xef\xbe", "LMDB"),
    (0, b"\x89HDF\r\n\x1a\n", "HDF5"),
    (0, b"PAR1", "parquet"),
    (0, b"ARROW1", "arrow"),
    (0, b"FS21", "ZODB"),
    (0, b"FS30", "ZODB"),
    (0, b"REDIS", "Redis dump"),
    (0, b"\x93NUMPY", "npy"),
)

# How files of these kinds begin and how they end: what is appended to one is not taken for a part of it.
_IMAGES: Final = (
    (b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82"),
    (b"\xff\xd8\xff", b"\xff\xd9"),
    (b"GIF8", b"\x00;"),
)
_CONTROLS: Final = bytes({*range(32), 127} - set(b"\b\t\n\v\f\r\x1b"))
# The bytes of PROTO and the other opcodes from 0x80 on, which the ISO 8859 character sets do not use.
_HIGH_OPCODES: Final = bytes(range(0x80, 0xA0))
# A GLOBAL or INST, which have lines for operands.
_GLOBAL: Final = re.compile(rb"[ci][A-Za-z_][A-Za-z0-9_.]*\n[A-Za-z_][A-Za-z0-9_.]*\n")
_HEAD_OF_LZMA: Final = re.compile(rb"\]\x00\x00(?:\x00[\x01-\x40]|[\x01-\x80]\x00)")


def slices(data: Buffer) -> Iterator[bytes]:
    """Yield `data` in parts that are bytes."""
    for begin in range(0, len(data), _WINDOW):
        yield bytes(data[begin : begin + _WINDOW])


def kind_of(data: Buffer, parts: Callable[[Buffer], Iterable[bytes]] = slices) -> str | None:
    """Return what `data` is that begins no pickle and may hold some; None where it is known to hold none.

    It is looked at in `parts`, and only as far as it takes.
    """
    head = bytes(data[:HEAD])
    for offset, magic, kind in _MAGIC:
        if head.startswith(magic, offset):
            return kind
    if as_zlib(head):
        return "zlib"
    if _HEAD_OF_LZMA.match(head) and as_lzma(head):
        return "lzma"
    end = bytes(data[-8:])
    if any(head.startswith(begins) and end.endswith(ends) for begins, ends in _IMAGES):
        return None
    if may_be_text(head):
        return _kind_of_text(parts(data))
    return _kind_of_ascii(parts(data)) if head.isascii() and b"\0" not in head else _kind_of_zeros(parts(data))


def may_be_text(head: bytes) -> bool:
    """Tell whether nothing in the bytes `head` is a control character."""
    return len(head.translate(None, _CONTROLS)) == len(head)


def _kind_of_zeros(parts: Iterable[bytes]) -> str | None:
    return UNKNOWN if any(part.strip(b"\x00") for part in parts) else None


def _kind_of_ascii(parts: Iterable[bytes]) -> str | None:
    """Tell ASCII with control characters, as between fields, from a pickle: no code is without a byte above.

    What refers to something by name without such a byte, under protocols 0 and 1, does it in two lines.
    """
    before = b""
    for part in parts:
        if not part.isascii() or b"\0" in part or _GLOBAL.search(before + part):
            return UNKNOWN
        kind = encoded_in(before + part)
        if kind is not None:
            return kind
        before = part[-_OVERLAP:]
    return None


def _kind_of_text(parts: Iterable[bytes]) -> str | None:
    decoder = codecs.getincrementaldecoder("utf-8")()
    utf8, high, size, before = True, 0, 0, b""
    for part in parts:
        if not may_be_text(part):
            return UNKNOWN
        if utf8 and not part.isascii():
            try:
                decoder.decode(part)
            except UnicodeDecodeError:
                utf8 = False
        size += len(part)
        high += 0 if part.isascii() else len(part) - len(part.translate(None, bytes(range(0x80, 0x100))))
        # In a character set of one byte a character most of them are ASCII, and none is an opcode.
        if not utf8 and (4 * high > size or len(part.translate(None, _HIGH_OPCODES)) < len(part)):
            return UNKNOWN
        kind = encoded_in(before + part)
        if kind is not None:
            return kind
        before = part[-_OVERLAP:]
    return None
