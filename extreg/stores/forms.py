"""What a file or cell is, told by its first bytes and not by its name."""

import sys
from typing import Literal

from extreg.pickles.walking.opcodes import Buffer
from extreg.pickles.walking.sniff import may_begin

Form = Literal["pickle", "gzip", "bz2", "xz", "zip", "npy", "sqlite", "gdbm"]

_MAGIC: tuple[tuple[bytes, Form], ...] = (
    (b"\x1f\x8b\x08", "gzip"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),  # an empty one
    (b"\x93NUMPY", "npy"),
    (b"SQLite format 3\x00", "sqlite"),
    # The numbers that dbm.whichdb knows, in this machine's order of bytes: no other is opened.
    *((number.to_bytes(4, sys.byteorder), "gdbm") for number in (0x13579ACD, 0x13579ACE, 0x13579ACF)),
)
_PROTO = 0x80
# How far into it that shows.
HEAD_OF_FORM = 16


def form_of(head: Buffer) -> Form | None:
    """Return what begins with the bytes `head`, or None for what holds no pickles."""
    if len(head) and head[0] == _PROTO:
        return "pickle"
    for magic, form in _MAGIC:
        if bytes(head[: len(magic)]) == magic:
            return form
    return "pickle" if len(head) and may_begin(head[0]) else None
