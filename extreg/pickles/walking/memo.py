"""Who uses the memo: which slots a pickle of protocol 4 or 5 fills, where, and which of them it fetches."""

import re
from bisect import bisect_left
from collections.abc import Sequence
from itertools import accumulate
from typing import NamedTuple

from extreg.pickles.walking import patterns
from extreg.pickles.walking.opcodes import Buffer, passed

_GETS = {0x68: 2, 0x6A: 5}
_IN_TEXT = frozenset(b"gp")
_MEMOIZE, _STOP = b"\x94."
_SHORT_BINUNICODE = 0x8C
# How far it takes, after a GET, until it is worth a try that nothing is fetched for a while.
_DENSE = 256


class Traffic(NamedTuple):
    """``filled[slot]`` is where the MEMOIZE of a slot stands; ``fetched`` are GETs, as ``(offset, slot)``, both in
    order.

    ``explicit`` says that there is a PUT or a GET in text, as no pickler writes under these protocols; ``puts`` are
    those in binary, like ``fetched``, and ``in_text`` says that there are others.  ``end`` is how far this goes.
    """

    filled: list[int]
    fetched: list[tuple[int, int]]
    explicit: bool
    end: int
    puts: list[tuple[int, int]]
    in_text: bool


def after_head(data: Buffer, begin: int) -> int:
    """Return where the pickle at `begin` goes on after its PROTO and FRAME, which no skimming passes."""
    if data[begin : begin + 1] != b"\x80":
        return begin
    return begin + (11 if data[begin + 2 : begin + 3] == b"\x95" else 2)


def traffic(data: Buffer, begin: int, until: int) -> Traffic:
    """Return what happens to the memo in the pickle at `begin`, up to `until` or a little further, or its STOP."""
    match, skim = patterns.traffic(), patterns.forgettable()
    filled: list[int] = []
    fetched: list[tuple[int, int]] = []
    puts: list[tuple[int, int]] = []
    in_text = False
    position = skimming = after_head(data, begin)
    while position < until:
        if position >= skimming:
            end = skim(data, position).end()
            skimming = end + _DENSE
            # Up to here nothing is fetched, and every byte of its value is a MEMOIZE.
            lengths = [len(part) + 1 for part in bytes(data[position:end]).split(b"\x94")]
            filled += list(accumulate(lengths[:-1], initial=position - 1))[1:]
            position = end
        found = match(data, position)
        at, end = found.start(1), found.end()
        if at >= 0:
            byte = data[at]
            if byte == _MEMOIZE:
                filled.append(at)
            elif byte in _GETS:
                fetched.append((at, int.from_bytes(data[at + 1 : end], "little")))
            else:
                puts.append((at, int.from_bytes(data[at + 1 : end], "little")))
        elif end == position:
            if position == len(data) or data[position] == _STOP:
                break
            in_text = in_text or data[position] in _IN_TEXT
            end = passed(data, position)
        position = end
    return Traffic(filled, fetched, in_text or bool(puts), position, puts, in_text)


def slots(seen: Traffic) -> dict[int, int] | None:
    """Return where the opcode stands that fills each slot, in order; None if one is filled twice, or in text.

    By MEMOIZE or by PUT: where there are both, a slot's number depends on more than their order.
    """
    if seen.in_text or (seen.puts and seen.filled):
        return None
    if not seen.puts:
        return dict(enumerate(seen.filled))
    found = {slot: at for at, slot in seen.puts}
    return found if len(found) == len(seen.puts) else None


def outside(seen: Traffic, edits: Sequence[tuple[int, int, bytes]]) -> list[int]:
    """Return where a MEMOIZE stands that is in none of `edits`."""
    return [at for at in seen.filled if not (nth := bisect_left(edits, (at + 1,))) or edits[nth - 1][1] <= at]


def forgotten(data: Buffer, start: int, end: int) -> bytes | None:
    """Return ``data[start:end]`` without its MEMOIZEs; None if it uses the memo in another way, or no pattern knows."""
    position = patterns.forgettable()(data, start, end).end()
    if position == end:
        return bytes(data[start:end]).translate(None, b"\x94")
    if data[position] in _GETS:
        return None
    kept = dropped = b""
    if pairs := patterns.forgetful().findall(data, start, end):
        kept, dropped = map(b"".join, zip(*pairs, strict=True))
    # What the pattern does not know it steps over, and it is missing.
    return kept if len(kept) + len(dropped) == end - start else None


def untouched(data: Buffer, begin: int, stop: int, spans: Sequence[tuple[int, int]]) -> bool:
    """Tell whether the pickle at `begin` has no GET or PUT but within `spans`: beyond them, its memo is of no use."""
    match, position, span = patterns.fetching(), begin, 0
    while position < stop:
        found = match(data, position)
        at, end = found.start(1), found.end()
        if at >= 0:
            while span < len(spans) and spans[span][1] <= at:
                span += 1
            if span == len(spans) or at < spans[span][0] or data[at] not in _GETS:
                return False
        elif end == position:
            if data[position] in _IN_TEXT:
                return False
            end = passed(data, position)
        position = end
    return True


def fetches(data: Buffer, start: int, stop: int, slots: list[int]) -> bool:
    """Tell whether the opcodes in ``data[start:stop]`` fetch one of `slots`, or anything by a GET in text.

    A search finds the bytes of such GETs in what a run passes, and a shorter run tells whether they are an opcode or
    part of one.
    """
    one = b"".join(b"\\x%02x" % slot for slot in slots if slot < 256)
    four = b"|".join(re.escape(slot.to_bytes(4, "little")) for slot in slots)
    search = re.compile(rb"j(?=%s)" % four + (b"|h(?=[%s])" % one if one else b""), re.DOTALL).finditer
    match, position = patterns.plain(), start
    while position < stop:
        end = match(data, position).end()
        if end == position:
            if data[position] in _IN_TEXT:
                return True
            end = passed(data, position)
        else:
            for hit in search(data, position, end):
                # From opcode to opcode, and so never over the same bytes again.
                position = match(data, position, hit.start()).end()
                if position == hit.start():
                    return True
        position = end
    return False


class Memo:
    """The memo of a pickle of protocol 4 or later, or of those from there on together, as much of it as is asked for.

    Counting memo slots would cost as much as the walk, so it is put off until a GET is found to be an operand, and
    then done up to there.  Slots are known as long as MEMOIZE alone fills the memo, and strings are memoized where
    they are pushed; anything else is left to the symbolic machine.
    """

    __slots__ = ("_counted", "_data", "_slots")

    def __init__(self, data: Buffer, begin: int) -> None:
        self._data = data
        # A MEMOIZE without a string in front of it is one byte.
        self._slots: list[bytes] = []
        self._counted = begin

    def operands(self, run: "re.Match[bytes]") -> list[bytes] | None:
        """Return the two SHORT_BINUNICODE that are the operands of a STACK_GLOBAL, or None if one is not known."""
        found = []
        for group, raw in enumerate(run.group(1, 2), 1):
            pushed: bytes | None = raw
            if raw[0] != _SHORT_BINUNICODE:
                pushed = self.fetched(int.from_bytes(raw[1:], "little"), run.start(group))
            if pushed is None:
                return None
            found.append(pushed)
        return found

    def fetched(self, slot: int, get: int) -> bytes | None:
        """Return the SHORT_BINUNICODE that the GET at `get` fetches from `slot`, or None if it is not known."""
        # It fetches what was memoized before it: what is passed up to here can be counted, and nothing after.
        data, slots, position, match = self._data, self._slots, self._counted, patterns.memoized()
        while len(slots) <= slot and position < get:
            run = match(data, position, get)
            ended, end = run.lastindex, run.end()
            if ended == patterns.MEMOIZED:
                slots.append(run[ended])
            elif ended == patterns.SKIPPED:
                end += int.from_bytes(run[ended][1:], "little")
            elif end == position:
                end = passed(data, position)
            position = end
        self._counted = position
        if slot >= len(slots) or len(slots[slot]) == 1:
            return None
        return slots[slot][:-1]
