"""Passing opcodes that refer to nothing, as fast as regular expressions go.

`passed` goes as far as opcodes with arguments of a fixed size and short payloads reach.  What it passes, and nothing
else, is in the one table of pieces below: every piece matches whole opcodes that refer to nothing, so that any
sequence of pieces does, and whichever is chosen only the speed depends on it.

Most large pickles are one kind of record over and over.  In them `passed` looks at a few records, and if they are the
same sequence of pieces it passes the rest a record at a time, five times as fast as opcode by opcode.
"""

import re
import sys
from collections.abc import Callable
from functools import lru_cache
from typing import Final, cast

from extreg.pickles.opcodes import TABLE, step

Match = Callable[[bytes, int], "re.Match[bytes]"]

# Repeats that never go back keep nothing on a stack; before 3.11 there are none, so a run is short and repeated.
_ON: Final = b"+" if sys.version_info >= (3, 11) else b""
_ROUNDS: Final = b"{0,256}" + _ON
_RECORDS: Final = b"++" if _ON else b"{1,64}"
# Below this size the rest of a pickle is passed sooner than a pattern for its records is compiled.
_LARGE: Final = 1 << 17
# How many opcodes are looked at to find out what a record is.
_LOOK: Final = 512
# How far from the beginning: by then the memo has its usual size, and with it its opcodes.
_SETTLED: Final = 1 << 14
_SHORT: Final = 64


def _bytes_of(names: str) -> bytes:
    return b"[%s]" % b"".join(re.escape(bytes([op.byte])) for op in TABLE.values() if op.name in names.split())


def _payloads(zeros: bytes) -> bytes:
    """Every short length, which ends with `zeros`, and as many bytes."""
    spelled = [b"\\x%02x%s%s" % (n, zeros, b"." * n if n < 16 else b".{%d}" % n) for n in range(_SHORT)]
    return b"(?:%s)" % b"|".join(spelled)


_BARE: Final = _bytes_of(
    " ".join(op.name for op in TABLE.values() if op.argument == "0" and op.name not in {"STACK_GLOBAL", "STOP"})
)
_GET: Final = rb"h.|j.{4}"
_PUT: Final = rb"(?:r.{4}|q.)"
_INTEGER: Final = rb"(?:K.|M..|J.{4})"
_LONG: Final = rb"[C\x8aU]" + _payloads(b"")
_TEXT: Final = rb"\x8c%s|X%s" % (_payloads(b""), _payloads(rb"\x00{3}"))
_BYTES: Final = rb"[BT]%s" % _payloads(rb"\x00{3}")
_ARGUMENT: Final = b"|".join(
    [rb"[hqK].", rb"M..", rb"[jrJ].{4}", rb"[G\x95].{8}", _TEXT, _LONG, _BYTES],
)
# The unit of a run: an opcode with an argument, and those without in front of it.
_UNIT: Final = b"%s*%s(?:%s)" % (_BARE, _ON, _ARGUMENT)

# What stands for an opcode in a record; a text may be written out in one and fetched from the memo in the next.
_FETCHED: Final = b"(?:%s)" % _GET
_WRITTEN: Final = b"(?:%s|(?:%s)(?:%s|\\x94)?)" % (_GET, _TEXT, _PUT)
_PIECES: Final[dict[int, bytes]] = {
    **{op.byte: re.escape(bytes([op.byte])) for op in TABLE.values() if re.fullmatch(_BARE, bytes([op.byte]))},
    **dict.fromkeys(b"N\x88\x89", rb"[N\x88\x89]"),
    **dict.fromkeys(b"hjX\x8c", _FETCHED),
    **dict.fromkeys(b"qr", _PUT),
    **dict.fromkeys(b"KMJ", _INTEGER),
    **dict.fromkeys(b"C\x8aU", _LONG),
    **dict.fromkeys(b"BT", _BYTES),
    ord("G"): rb"G.{8}",
}
_ALONE: Final = {
    b"h"[0]: rb"h.",
    b"j"[0]: rb"j.{4}",
    b"q"[0]: rb"q.",
    b"r"[0]: rb"r.{4}",
    **dict.fromkeys(b"X\x8c", _WRITTEN),
}
_TEXTS: Final = frozenset({b"X", b"\x8c"})
_GETS: Final = b"hj"
# What ends most runs, so that another need not be tried.
_ENDS: Final = frozenset(b".\x93c\x82\x83\x84")
_MEMOIZING: Final = b"qr\x94"


@lru_cache(maxsize=32)
def _run(record: tuple[bytes, ...] = ()) -> Match:
    """Return what matches a run of opcodes, a `record` at a time where there are such; it may match nothing."""
    units = b"(?:%s)%s|%s" % (b"".join(record), _RECORDS, _UNIT) if record else _UNIT
    rounds = b"*+" if record and _ON else _ROUNDS
    return cast(Match, re.compile(b"(?:%s)%s%s*%s" % (units, rounds, _BARE, _ON), re.DOTALL).match)


def passed(data: bytes, position: int) -> int:
    """Return where the first opcode from `position` on stands that no run passes, or where `data` ends before that."""
    run, tries, due = _run(), 0, position + _SETTLED
    while True:
        end = run(data, position).end()
        if end == position or (end < len(data) and data[end] in _ENDS):
            return end
        position = end
        if tries < 4 and position > due and len(data) - position > _LARGE:
            tries, due = tries + 1, due + _SETTLED
            record = _record(data, position)
            if record:
                run, tries = _run(record), 4


def up_to_operands(data: bytes, position: int) -> int:
    """Return where the first of two strings or GETs stands that are right in front of a STACK_GLOBAL.

    Or where one stands alone in front of it, or where something stands that no run passes.
    """
    run = _operands()
    while True:
        end = run(data, position).end()
        if end == position:
            return end
        position = end


@lru_cache
def _operands() -> Match:
    """Return what matches a run of opcodes, but no push that is the last or the last but one before a STACK_GLOBAL."""
    push = rb"(?:h.|\x8c%s|j.{4})\x94?" % _payloads(b"")
    operand = rb"(?=[h\x8cj])(?=%s(?:%s)?\x93)" % (push, push)
    unit = b"%s+|(?!%s)(?:%s)" % (_BARE, operand, _ARGUMENT)
    return cast(Match, re.compile(b"(?:%s)%s" % (unit, _ROUNDS), re.DOTALL).match)


def _record(data: bytes, position: int) -> tuple[bytes, ...]:
    """Return the pieces that are repeated from about `position` on, or nothing."""
    pieces: list[bytes] = []
    seen: list[bytes] = []
    began = False
    for _ in range(_LOOK):
        opcode, offset, _, _, after = step(data, position)
        piece = _PIECES.get(opcode.byte)
        if piece is None:
            return ()
        # A record begins where a unit may have ended: after an argument.  What memoizes a text is in the text's piece.
        if began and not (seen and seen[-1] in _TEXTS and opcode.byte in _MEMOIZING):
            pieces.append(piece)
            seen.append(data[offset:after] if opcode.byte in _GETS else data[offset : offset + 1])
        began = began or opcode.argument != "0"
        position = after
    for size in range(2, len(pieces) // 4):
        if pieces[size:] == pieces[:-size]:
            return tuple(_piece(pieces[at], {*seen[at::size]}) for at in range(size))
    return ()


def _piece(piece: bytes, seen: set[bytes]) -> bytes:
    """Return the piece for a place of a record at which `seen` was seen: one is passed sooner than one of two.

    A name of an attribute is fetched from the same slot in every record; a PUT never goes back to fewer digits.
    """
    if len(seen) == 1:
        return _ALONE.get(next(iter(seen))[0], piece)
    return _WRITTEN if not seen.isdisjoint(_TEXTS) else piece
