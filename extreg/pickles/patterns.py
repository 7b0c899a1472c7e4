"""The patterns that carry the walk: regular expressions over opcodes, made from the table.

A regular expression passes an opcode in 20 to 40 ns where a Python loop needs 100 and `pickletools.genops` 400.  Four
things keep it exact and safe:

- A payload's length cannot be counted by a regular expression, so each short length is an alternative of its own:
  ``\x00|\x01.|\x02..`` and so on.  Longer payloads are left to the loop, which steps over them by their length.
- Text passes only if it is ASCII, and so valid; anything else is for the loop to decode.
- A run may be empty, so a match never fails and never goes back into what it has passed.
- Every repetition of a group is bounded, because the `re` module keeps a frame per round.

They take some milliseconds to compile, so each is compiled when it is first asked for.
"""

import re
from collections.abc import Callable
from functools import cache
from typing import Final, cast

from extreg.pickles.opcodes import TABLE

Match = Callable[..., "re.Match[bytes]"]

# Payloads below this size pass by pattern: above, the loop's step costs little per byte.
_SHORT: Final = 64
# Up to this size, one dot a byte is faster than a counted repeat, of which the `re` module keeps a frame.
_SPELLED: Final = 32
_ROUNDS: Final = 256

# The last group of a match of `run` says what ended the run: of a STACK_GLOBAL there are its two operands, of a
# GLOBAL its two lines, of a payload its opcode and length.  There is none if the run had its fill, or if it is
# something else.
STACK_GLOBAL: Final = 2
GLOBAL: Final = 4
STOP: Final = 5
EXTENSION: Final = 6
PAYLOAD: Final = 7
FRAMING: Final = 8


def _payloads(one: bytes, width: int) -> bytes:
    """A length of `width` bytes, and as many times `one`."""
    zeros = rb"\x00" * (width - 1)
    return b"(?:%s)" % b"|".join(
        b"\\x%02x%s%s" % (length, zeros, one * length if length <= _SPELLED else b"%s{%d}" % (one, length))
        for length in range(_SHORT)
    )


def _any_of(names: str) -> bytes:
    return b"[%s]" % b"".join(b"\\x%02x" % opcode.byte for opcode in TABLE.values() if opcode.name in names.split())


_BARE: Final = " ".join(
    opcode.name for opcode in TABLE.values() if opcode.argument == "0" and opcode.name not in {"STACK_GLOBAL", "STOP"}
)


_NEVER: Final = rb"(?!)"
_ASCII: Final = rb"[\x00-\x7f]"
_PUTS: Final = rb"(?:q.|r....|p-?[0-9]{1,20}\n)"


def _passed(*, bare: str, pushes: bytes, puts: bytes, more: bytes = _NEVER) -> bytes:
    """What a run passes, the frequent first: opcodes that need no further check."""
    return b"|".join(
        [
            # The one repeat without a bound: of a single byte, which needs no frames.
            _any_of(bare) + b"+",
            pushes,
            _any_of("BININT1") + b".",
            puts,
            _any_of("BININT2") + b"..",
            _any_of("BININT") + b"....",
            _any_of("BINFLOAT") + b"........",
            _any_of("BINUNICODE") + _payloads(_ASCII, 4),
            _any_of("SHORT_BINBYTES SHORT_BINSTRING LONG1") + _payloads(b".", 1),
            _any_of("BINBYTES BINSTRING LONG4") + _payloads(b".", 4),
            rb"[Ig]-?[0-9]{1,20}\n",
            rb"L-?[0-9]{1,20}L?\n",
            rb"F-?[0-9]{1,20}(?:\.[0-9]{1,20})?\n",
            rb"S'[^\\'\n]{0,256}'\n",
            rb"V[^\\\n]{0,256}\n",
            more,
        ]
    )


_OPERAND: Final = rb"(?:h.|\x8c%s|j....)" % _payloads(b".", 1)
_EXTENSION: Final = rb"\x82.|\x83..|\x84...."
_FRAMING: Final = rb"\x80.|\x95.{8}"


@cache
def run(modern: bool) -> Match:
    """Matches a run of opcodes that refer to nothing, and what ended it, if that is what a group stands for.

    A run ends in front of the operands of a STACK_GLOBAL, not between them: of each string and GET it looks ahead to
    what follows.  In `modern` pickles, of protocol 4 and up, it ends at a PUT too: nobody writes one there, and it
    would upset the counting of memo slots.
    """
    followed = rb"(?!\x94?%s\x94?\x93)" % _OPERAND
    pushes = rb"(?:h.|\x8c%s|j....)%s" % (_payloads(_ASCII, 1), followed)
    passed = _passed(bare=_BARE, pushes=pushes, puts=_NEVER if modern else _PUTS)
    ends = [
        rb"(%s)\x94?(%s)\x94?\x93" % (_OPERAND, _OPERAND),
        rb"c([^\n]*)\n([^\n]*)\n",
        rb"(\.)",
        rb"(%s)" % _EXTENSION,
        rb"(B....|[\x8e\x96].{8})",
        rb"(%s)" % _FRAMING,
        # It matches the empty string too, and so never returns None.
        b"",
    ]
    pattern = rb"(?:%s){0,%d}(?:%s)" % (passed, _ROUNDS, b"|".join(ends))
    return cast(Match, re.compile(pattern, re.DOTALL).match)


_REFERRING: Final = rb"\x93|%s|c[^\n]*\n[^\n]*\n|%s" % (_EXTENSION, _FRAMING)


@cache
def memoized() -> re.Pattern[bytes]:
    """Passes opcodes up to one MEMOIZE; its only group is that, with the short string in front of it, if any."""
    string = rb"\x8c" + _payloads(b".", 1)
    pushes = rb"h.|%s(?!\x94)|j...." % string
    passed = _passed(bare=_BARE.replace("MEMOIZE", ""), pushes=pushes, puts=_NEVER, more=_REFERRING)
    return re.compile(rb"(?:%s){0,%d}(%s\x94|\x94)?" % (passed, _ROUNDS, string), re.DOTALL)


@cache
def plain() -> Match:
    """Matches a run of opcodes, whatever they are."""
    pushes = rb"h.|\x8c%s|j...." % _payloads(b".", 1)
    passed = _passed(bare=_BARE, pushes=pushes, puts=_PUTS, more=_REFERRING)
    return cast(Match, re.compile(rb"(?:%s){0,%d}" % (passed, _ROUNDS), re.DOTALL).match)


@cache
def traffic() -> Match:
    """Matches a run of opcodes and the MEMOIZE, GET or PUT after it; its only group, empty, marks where that stands."""
    pushes = rb"\x8c" + _payloads(b".", 1)
    passed = _passed(bare=_BARE.replace("MEMOIZE", ""), pushes=pushes, puts=_NEVER, more=_REFERRING)
    passed = passed.replace(rb"[Ig]", b"I")
    return cast(
        Match, re.compile(rb"(?:%s){0,%d}(?:()(?:\x94|h.|j....|q.|r....))?" % (passed, _ROUNDS), re.DOTALL).match
    )


@cache
def forgetful() -> re.Pattern[bytes]:
    """Matches a run of opcodes that leave the memo alone, and the MEMOIZEs after it, as its two groups."""
    pushes = rb"\x8c" + _payloads(b".", 1)
    passed = _passed(bare=_BARE.replace("MEMOIZE", ""), pushes=pushes, puts=_NEVER, more=_REFERRING)
    return re.compile(rb"((?:%s){0,%d})(\x94*)" % (passed.replace(rb"[Ig]", b"I"), _ROUNDS), re.DOTALL)


@cache
def fetching() -> Match:
    """Matches a run of opcodes and the GET or PUT after it; its only group, empty, marks where that stands."""
    pushes = rb"\x8c" + _payloads(b".", 1)
    passed = _passed(bare=_BARE, pushes=pushes, puts=_NEVER, more=_REFERRING).replace(rb"[Ig]", b"I")
    return cast(Match, re.compile(rb"(?:%s){0,%d}(?:()(?:h.|j....|q.|r....))?" % (passed, _ROUNDS), re.DOTALL).match)
