"""The patterns that carry the walk: regular expressions over opcodes, made from the table.

A regular expression passes an opcode in 10 to 30 ns where a Python loop needs 100 and `pickletools.genops` 400.  Five
things keep it exact and fast:

- The unit of a run is an opcode with an argument and those without in front of it, so that most opcodes cost a look
  at a set of bytes and no more.
- A payload's length cannot be counted by a regular expression, so each short length is an alternative of its own:
  ``\x00|\x01.|\x02..`` and so on.  Longer payloads are left to the loop, which steps over them by their length.
- Text passes only if it is ASCII, and so valid; anything else is for the loop to decode.  Where whoever reads it next
  decodes it in any case, all of it passes.
- A run may be empty, so a match never fails and never goes back into what it has passed; where Python's `re` can, it
  is told so, and keeps nothing to go back to.
- Every repetition of a group is bounded, because where it cannot be told the `re` module keeps a frame per round.

They take some milliseconds to compile, so each is compiled when it is first asked for.
"""

import re
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import cache, lru_cache
from typing import Final, cast

from extreg.pickles.walking.opcodes import TABLE

Match = Callable[..., "re.Match[bytes]"]

# Payloads below this size pass by pattern: above, the loop's step costs little per byte.
_SHORT: Final = 64
# What a length of one byte counts.
_BYTE: Final = 256
# So many lengths are alternatives of one another.
_FLAT: Final = 16
# Up to this size, one dot a byte is faster than a counted repeat that the `re` module can go back into.
_SPELLED: Final = 32
_ROUNDS: Final = 256

# Repeats and groups that never go back.  They came with 3.11, and took wrong turns until 3.11.5 (gh-106052).
_POSSESSIVE, _ATOMIC = (b"+", b">") if sys.version_info >= (3, 11, 5) else (b"", b":")

# The last group of a match of `run` says what ended the run: the two operands of a STACK_GLOBAL, or itself without
# them, the two lines of a GLOBAL, and so on; of a payload it is the opcode and the length.
# There is none if the run had its fill, or if it is something else.
OPERANDS: Final = 2
STACK_GLOBAL: Final = 3
GLOBAL: Final = 5
STOP: Final = 6
EXTENSION: Final = 7
PAYLOAD: Final = 8
FRAMING: Final = 9

# Which run: in a pickle of protocol 4 or later; looking ahead for operands; ending at PROTO and FRAME; and so on.
MODERN: Final = 1
AHEAD: Final = 2
FRAMED: Final = 4
# Passing texts whether or not they can be decoded.
TEXTS: Final = 8

# The groups of a match of `memoized`.
MEMOIZED: Final = 1
SKIPPED: Final = 2

# The groups of a match of `getting`.
GOT: Final = 1
ENDED: Final = 2


def _any_of(names: str) -> bytes:
    return b"[%s]" % b"".join(b"\\x%02x" % opcode.byte for opcode in TABLE.values() if opcode.name in names.split())


def _payloads(one: bytes, width: int, below: int = _SHORT) -> bytes:
    """A length of `width` bytes, and as many times `one`.

    Alternatives are tried one after the other, so that the longer ones are behind a look at where their length lies.
    """
    zeros = rb"\x00" * (width - 1)

    def each(first: int, last: int) -> bytes:
        return b"|".join(b"\\x%02x%s%s" % (length, zeros, _times(one, length)) for length in range(first, last))

    branches = [each(0, min(below, _FLAT))]
    first = _FLAT
    while first < below:
        last = min(below, 2 * first)
        rows = range(first, last, _FLAT)
        inner = [rb"(?=[\x%02x-\x%02x])(?:%s)" % (row, row + _FLAT - 1, each(row, row + _FLAT)) for row in rows]
        branches.append(rb"(?=[\x%02x-\x%02x])(?:%s)" % (first, last - 1, b"|".join(inner)))
        first = last
    return b"(?%s%s)" % (_ATOMIC, b"|".join(branches))


def _times(one: bytes, count: int) -> bytes:
    if count < 3 or (count <= _SPELLED and not _POSSESSIVE):
        return one * count
    return b"%s{%d}%s" % (one, count, _POSSESSIVE)


_BARE: Final = " ".join(
    opcode.name for opcode in TABLE.values() if opcode.argument == "0" and opcode.name not in {"STACK_GLOBAL", "STOP"}
)
_UNMEMOIZED: Final = _BARE.replace("MEMOIZE", "")

_NEVER: Final = rb"(?!)"
_ASCII: Final = rb"[\x00-\x7f]"
_GET_LINE: Final = rb"g-?[0-9]{1,20}\n"
_GETS: Final = rb"h.|j....|" + _GET_LINE
_PUTS: Final = rb"q.|r....|p-?[0-9]{1,20}\n"
_STRING: Final = rb"\x8c" + _payloads(b".", 1)
_TEXT: Final = rb"X" + _payloads(b".", 4)
_STRINGS: Final = _STRING + b"|" + _TEXT
_EXTENSION: Final = rb"\x82.|\x83..|\x84...."
_FRAMING: Final = rb"\x80.|\x95.{8}"
_REFERRING: Final = rb"\x93|%s|c[^\n]*\n[^\n]*\n|%s" % (_EXTENSION, _FRAMING)
# T and LONG4 are not here: their length has a sign.
_PAYLOAD: Final = rb"[\x8cCU\x8a].|[XB]....|[\x8d\x8e\x96].{8}"


def _arguments(*, gets: bytes = _GETS, strings: bytes = _STRINGS, more: bytes = _NEVER, one: bytes = b".") -> bytes:
    """The opcodes with an argument that a run passes, the frequent first; none needs a further check.

    ``one`` is any byte of an argument in binary.
    """
    return b"|".join(
        [
            gets,
            strings,
            _any_of("BININT1") + one,
            more,
            _any_of("BININT2") + one * 2,
            _any_of("BININT") + one * 4,
            _any_of("BINFLOAT") + one * 8,
            _any_of("SHORT_BINBYTES SHORT_BINSTRING LONG1") + _payloads(one, 1, _BYTE),
            rb"I-?[0-9]{1,20}\n",
            rb"L-?[0-9]{1,20}L?\n",
            rb"F-?[0-9]{1,20}(?:\.[0-9]{1,20})?\n",
            rb"S'[^\\'\n]{0,256}'\n",
            rb"V[^\\\n]{0,256}\n",
        ]
    )


def _run(arguments: bytes, bare: str = _BARE) -> bytes:
    """As many opcodes as possible, of `arguments` and `bare` ones."""
    some = _any_of(bare) + b"*" + _POSSESSIVE
    return b"(?:%s(?:%s)){0,%d}%s%s" % (some, arguments, _ROUNDS, _POSSESSIVE, some)


# What a class is named by, or where that stands in the memo.
_NAME: Final = rb"\x8c%s|h.|j...." % _payloads(b".", 1, 128)
_MEMOIZE: Final = rb"\x94?" + _POSSESSIVE
_OPERANDS: Final = rb"(%s)%s(%s)%s\x93" % (_NAME, _MEMOIZE, _NAME, _MEMOIZE)
# The second of them, and what it is the second of.
_OPERAND: Final = rb"(?:%s)%s\x93" % (_NAME, _MEMOIZE)


@lru_cache(maxsize=64)
def run(kind: int, known: bytes = b"") -> Match:
    """Matches a run of opcodes that refer to nothing, and what ended it, if that is what a group stands for.

    References by the codes that are `known` (see `of_codes`) are passed too.

    In `MODERN` pickles a run ends at a PUT: nobody writes one there, and it would upset the counting of memo slots.
    PROTO and FRAME end it only where it is to be `FRAMED`.

    A run that looks `AHEAD` ends in front of the operands of a STACK_GLOBAL, and the others at the STACK_GLOBAL
    itself.  To look ahead of each string and GET costs half of the time, but to go back to the operands costs more
    where there are some in every other run, as in the beginning of most pickles.
    """
    framing = _FRAMING if kind & FRAMED else _NEVER
    follow = rb"(?!%s%s)" % (_MEMOIZE, _OPERAND) if kind & AHEAD else b""
    letter, below = (b".", _BYTE) if kind & TEXTS else (_ASCII, _SHORT)
    string, text = rb"\x8c%s%s" % (_payloads(letter, 1, below), follow), rb"X" + _payloads(letter, 4, below)
    # Before protocol 4 a PUT follows each text.
    strings = string + b"|" + text if kind & MODERN else rb"%s(?:q.)?%s|%s" % (text, _POSSESSIVE, string)
    gets = rb"h.%s|j....%s|%s" % (follow, follow, _GET_LINE)
    more = b"|".join([_NEVER if kind & MODERN else _PUTS, _NEVER if kind & FRAMED else _FRAMING, known or _NEVER])
    ends = [
        _OPERANDS if kind & AHEAD else b"()()" + _NEVER,
        rb"(\x93)",
        rb"c([^\n]*)\n([^\n]*)\n",
        rb"(\.)",
        rb"(%s)" % _EXTENSION,
        rb"(%s)" % _PAYLOAD,
        rb"(%s)" % framing,
        # It matches the empty string too, and so never returns None.
        b"",
    ]
    pattern = _run(_arguments(gets=gets, strings=strings, more=more)) + b"(?:%s)" % b"|".join(ends)
    return cast(Match, re.compile(pattern, re.DOTALL).match)


@cache
def operands() -> Callable[..., "re.Match[bytes] | None"]:
    """Matches what two runs pass and a STACK_GLOBAL, if its operands, the two groups, stand right in front of it.

    This one goes back: it passes the operands like any other opcode, and then takes what it passed last.
    """
    # Whatever a run passes, which may be `TEXTS` of any length.
    strings = rb"\x8c%s|X%s" % (_payloads(b".", 1, _BYTE), _payloads(b".", 4, _BYTE))
    arguments = _arguments(strings=strings, more=b"|".join([_PUTS, _FRAMING, _EXTENSION]))
    # It is two runs long, because the operands may be the last of one and the first of the next.
    pattern = b"(?:%s*(?:%s)){0,%d}%s*" % (_any_of(_BARE), arguments, 2 * _ROUNDS, _any_of(_BARE))
    return re.compile(pattern + _OPERANDS, re.DOTALL).match


@cache
def memoized() -> Match:
    """Passes opcodes up to one MEMOIZE; its first group is that, with the short string in front of it, if any.

    Or up to a payload, whose opcode and length are the second group.
    """
    strings = rb"%s(?!\x94)|%s" % (_STRING, _TEXT)
    passed = _run(_arguments(strings=strings, more=_REFERRING), _UNMEMOIZED)
    return cast(Match, re.compile(rb"%s(?:(%s\x94|\x94)|(%s)|)" % (passed, _STRING, _PAYLOAD), re.DOTALL).match)


@cache
def plain() -> Match:
    """Matches a run of opcodes, whatever they are but GET and PUT in text."""
    arguments = _arguments(gets=rb"h.|j....", more=rb"q.|r....|" + _REFERRING)
    return cast(Match, re.compile(_run(arguments), re.DOTALL).match)


@cache
def traffic() -> Match:
    """Matches a run of opcodes and the MEMOIZE, GET or PUT after it; its only group, empty, marks where that stands."""
    passed = _run(_arguments(gets=_NEVER, more=_REFERRING), _UNMEMOIZED)
    return cast(Match, re.compile(rb"%s(?:()(?:\x94|h.|j....|q.|r....))?" % passed, re.DOTALL).match)


@cache
def forgettable() -> Match:
    """Matches a run of opcodes that leave the memo alone but for MEMOIZEs, which are the only bytes of their value."""
    one = rb"[^\x94]"
    strings = rb"\x8c%s|X%s" % (_payloads(one, 1), _payloads(one, 4))
    return cast(
        Match, re.compile(_run(_arguments(gets=_NEVER, strings=strings, more=rb"\x93", one=one)), re.DOTALL).match
    )


@cache
def forgetful() -> re.Pattern[bytes]:
    """Matches a run of opcodes that leave the memo alone, and the MEMOIZEs after it, as its two groups."""
    return re.compile(rb"(%s)(\x94*)" % _run(_arguments(gets=_NEVER, more=_REFERRING), _UNMEMOIZED), re.DOTALL)


Parts = Callable[..., list[tuple[bytes, bytes, bytes]]]


@cache
def brief() -> Parts:
    """Takes apart what small messages of protocols 4 and 5 are made of, unless they use the memo.

    Into a run of opcodes, MEMOIZEs included, which are the only bytes of their value; and the name after it, a global's
    by both strings, or otherwise a code or STOP.  Texts are ASCII.  What it does not know is in no part.
    """
    name = rb"\x8c" + _payloads(b".", 1, 128)
    named = rb"%s%s%s%s\x93" % (name, _MEMOIZE, name, _MEMOIZE)
    follow = rb"(?!%s%s%s\x93)" % (_MEMOIZE, name, _MEMOIZE)
    strings = rb"\x8c%s%s|X%s" % (_payloads(_ASCII, 1), follow, _payloads(_ASCII, 4))
    run = _run(_arguments(gets=_NEVER, strings=strings, one=rb"[^\x94]"))
    return _findall(rb"(%s)(?:(%s)|(%s|\.)|.+)" % (run, named, _EXTENSION))


@cache
def brief_old() -> Parts:
    """The same of protocols 2 and 3: into a run, the PUT or GET after it, and the GLOBAL, code or STOP after that."""
    run = _run(_arguments(gets=_NEVER, strings=rb"X" + _payloads(_ASCII, 4)), _UNMEMOIZED)
    return _findall(
        rb"(%s)(?:(?=[qrhjc\x82-\x84.])(q.|r....|h.|j....|)(c[^\n]*\n[^\n]*\n|%s|\.|)|.+)" % (run, _EXTENSION)
    )


@cache
def linear() -> Parts:
    """Takes apart what messages of protocols 4 and 5 are made of.

    Into a run of opcodes that leave the memo alone; the string, STACK_GLOBAL, code or STOP after it; and the MEMOIZE or
    GET after that.  Texts in runs are ASCII; whether a string can be decoded is for others to see.
    """
    alone = rb"(?![\x94\x93\x8chj])"
    string = rb"\x8c" + _payloads(b".", 1, _BYTE)
    strings = rb"\x8c%s%s|X%s" % (_payloads(_ASCII, 1), alone, _payloads(_ASCII, 4))
    run = _run(_arguments(gets=_NEVER, strings=strings), _UNMEMOIZED)
    return _findall(
        rb"(%s)(?:(?=[\x8c\x93\x94hj\x82-\x84.])(%s|\x93|%s|\.|)(\x94|h.|j....|)|.+)" % (run, string, _EXTENSION)
    )


def _findall(pattern: bytes) -> Parts:
    return re.compile(pattern, re.DOTALL).findall


@cache
def fetching() -> Match:
    """Matches a run of opcodes and the GET or PUT after it; its only group, empty, marks where that stands."""
    passed = _run(_arguments(gets=_NEVER, more=_REFERRING))
    return cast(Match, re.compile(rb"%s(?:()(?:h.|j....|q.|r....))?" % passed, re.DOTALL).match)


@cache
def getting() -> Match:
    """Matches a run of opcodes, what they do to the memo included, up to a GET or STOP, which are its two groups.

    One in text it stands in front of.
    """
    passed = _run(_arguments(gets=_NEVER, more=_PUTS + b"|" + _REFERRING))
    return cast(Match, re.compile(rb"%s(?:(h.|j....)|(\.)|)" % passed, re.DOTALL).match)


def opcode_of(code: int) -> bytes:
    """Return the opcode that refers to `code`, with its argument, as picklers write it."""
    if code < 1 << 8:
        return b"\x82" + code.to_bytes(1, "little")
    return b"\x83" + code.to_bytes(2, "little") if code < 1 << 16 else b"\x84" + code.to_bytes(4, "little")


def of_codes(codes: Iterable[int]) -> bytes:
    """Return the pattern of the opcodes that refer to `codes`, as picklers write them."""
    branches: dict[bytes, set[bytes]] = {}
    for raw in map(opcode_of, codes):
        branches.setdefault(raw[:-1], set()).add(b"\\x%02x" % raw[-1])
    return b"|".join(re.escape(begin) + b"[%s]" % b"".join(sorted(last)) for begin, last in sorted(branches.items()))


@lru_cache(maxsize=64)
def harmless(codes: tuple[int, ...], names: tuple[tuple[str, str], ...] = ()) -> Match:
    """Matches a whole pickle that refers to nothing but `codes` and `names`, as picklers write them.

    Whether a text can be decoded is not looked at.
    """
    known = of_codes(codes) or _NEVER
    named, heads, fetched = _by_name(names)
    put = rb"(?:q.)?" + _POSSESSIVE
    lines = [rb"c%s\n%s\n%s" % (*map(re.escape, name), put) for name in _encoded(names)]
    text = rb"X%s%s" % (_payloads(b".", 4, _BYTE), put)
    old = _arguments(strings=text, gets=b"|".join([rb"h.|j....|q.|r....", *lines]), more=known)
    # A name begins as a text does, and one that is fetched as what else is fetched.  Where a slot is known to hold a
    # module, nothing may be put into it.
    texts = b"|".join([*named, rb"\x8c" + _payloads(b".", 1, _BYTE)])
    new = _arguments(strings=texts, gets=b"|".join([*fetched, rb"h.|j...."]), more=known)
    head = rb"(?:\x95.{8})?(?:%s|)" % b"|".join(heads)
    pattern = rb"\x80(?:[\x02\x03]%s|[\x04\x05]%s%s)\." % (_once(_run(old), b"old"), head, _once(_run(new), b"new"))
    return cast(Match, re.compile(pattern, re.DOTALL).match)


def _once(passed: bytes, name: bytes) -> bytes:
    """Return the pattern such that nothing of what it has passed is tried again; it may need a group of that `name`."""
    # What a lookahead has found is not gone back into, and the group is that.
    return passed if _POSSESSIVE else rb"(?=(?P<%s>%s))(?P=%s)" % (name, passed, name)


@cache
def coding() -> Callable[..., Iterator["re.Match[bytes]"]]:
    """Finds the codes in what `harmless` matches: each match ends with one, its only group, the last with the STOP."""
    strings = rb"\x8c%s|X%s" % (_payloads(b".", 1, _BYTE), _payloads(b".", 4, _BYTE))
    passed = _run(_arguments(gets=rb"h.|j....", strings=strings, more=rb"q.|r....|\x93|c[^\n]*\n[^\n]*\n|" + _FRAMING))
    return re.compile(rb"%s(?:(%s)|\.)" % (passed, _EXTENSION), re.DOTALL).finditer


def _encoded(names: Iterable[tuple[str, str]]) -> list[tuple[bytes, bytes]]:
    return [(module.encode(), name.encode()) for module, name in names]


def _by_name(names: Iterable[tuple[str, str]]) -> tuple[list[bytes], list[bytes], list[bytes]]:
    """Return what passes references by `names`, modules and names in them, as picklers write them from protocol 4 on.

    First those by both names as they stand.  Then those that may be the first in a pickle, such that the slot of the
    module in the memo is known: the first, or the second behind that of a list and its like; that it is there is what a
    group stands for.  Then the references that fetch the module from there.
    """
    named: list[bytes] = []
    modules: dict[bytes, list[bytes]] = {}
    for found in _encoded(names):
        one, two = (b"\\x%02x%s" % (len(text), re.escape(text)) for text in found)
        if max(map(len, found)) < _BYTE:
            named.append(rb"\x8c%s%s\x8c%s%s\x93" % (one, _MEMOIZE, two, _MEMOIZE))
            modules.setdefault(one, []).append(two)
    heads, fetched = [], []
    for number, (one, inner) in enumerate(modules.items()):
        for slot, before in enumerate([b"", rb"[\]}\x8f]\x94\(?"] if len(inner) > 1 else []):
            held = rb"(?:%s)%s\x93" % (b"|".join(inner), _MEMOIZE)
            heads.append(rb"%s\x8c%s\x94(?P<m%d_%d>)\x8c%s" % (before, one, slot, number, held))
            fetched.append(rb"h\x%02x%s\x8c(?(m%d_%d)%s|(?!))" % (slot, _MEMOIZE, slot, number, held))
    return named, heads, fetched
