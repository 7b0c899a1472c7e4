"""Codes for names where the memo is in use: every slot that is fetched keeps its number."""

from bisect import bisect_left
from collections.abc import Sequence
from typing import NamedTuple

from extreg.pickles.rewriting.plan import Edit, Pickle
from extreg.pickles.rewriting.row import FREE, Bond
from extreg.pickles.walking.memo import Traffic, fetches, traffic
from extreg.pickles.walking.opcodes import Buffer

_SHORT_BINUNICODE, _BINGET = b"\x8ch"
# From this size on it is worth a search to learn that the rest of a pickle does not fetch some slots.
FAR = 1 << 14
# A place that keeps its name may make another keep its own; when that goes on and on, nobody wrote it to be read.
_ROUNDS = 8


class Place(NamedTuple):
    """A reference that stands in ``data[start:end]`` and can become ``code``; ``strings`` if its operands are such."""

    start: int
    end: int
    code: int
    strings: bool


def extension(code: int) -> bytes:
    """Return the shortest opcode for `code`, as pickle writes it."""
    if code < 1 << 8:
        return b"\x82%c" % code
    return b"\x83" + code.to_bytes(2, "little") if code < 1 << 16 else b"\x84" + code.to_bytes(4, "little")


def grown(edit: Edit) -> bool:
    """Tell whether `edit` makes a pickle longer."""
    start, end, new = edit
    return len(new) > end - start


def spliced(pickle: Pickle, places: Sequence[Place], bond: Bond) -> tuple[dict[Place, Edit], Traffic]:
    """Return the edits that keep the number of every memo slot that is fetched; those that would grow are missing.

    Also who uses the memo, up to the last place at least.
    """
    data, stop = pickle.data, pickle.stop
    far = stop - places[-1].end > FAR and bond is FREE
    seen = traffic(data, pickle.begin, places[-1].end + 1 if far else stop)
    whole = seen.end >= stop
    if not whole and fetches(data, seen.end, stop, [slot for place in places for slot in _slots(seen, place)]):
        seen, whole = traffic(data, pickle.begin, stop), True
    if seen.explicit:
        return {}, seen
    # How often each slot is fetched by what stays; what a place fetches goes with it.
    fetched: dict[int, int] = {}
    for _, slot in seen.fetched:
        fetched[slot] = fetched.get(slot, 0) + 1
    for place in places:
        _count(seen, place, fetched, -1)
    for slot in range(len(seen.filled)) if bond.needed is None else bond.needed:
        fetched[slot] = max(fetched.get(slot, 0), 0) + len(places) + 1
    for _ in range(_ROUNDS):
        # Beyond the highest slot that is fetched, no slot needs its number.
        last = max((slot for slot, count in fetched.items() if count > 0), default=-1)
        highest = last if whole and not bond.pinned else len(seen.filled)
        edits = {place: _edit(data, seen, place, fetched, highest) for place in places}
        kept = [place for place, edit in edits.items() if not grown(edit)]
        if len(kept) == len(places):
            return edits, seen
        # What a name fetches that is to stay may be what another place fills.
        for place in set(places) - set(kept):
            _count(seen, place, fetched, 1)
        places = kept
    return {}, seen


def _slots(seen: Traffic, place: Place) -> range:
    """The slots that `place` fills."""
    return range(bisect_left(seen.filled, place.start), bisect_left(seen.filled, place.end))


def _count(seen: Traffic, place: Place, fetched: dict[int, int], by: int) -> None:
    """Add `by` to how often the slots that `place` fetches are fetched."""
    first, last = bisect_left(seen.fetched, (place.start,)), bisect_left(seen.fetched, (place.end,))
    for _, slot in seen.fetched[first:last]:
        fetched[slot] += by


def _edit(data: Buffer, seen: Traffic, place: Place, fetched: dict[int, int], highest: int) -> Edit:
    """Return what replaces `place`: its code, the strings that are fetched elsewhere, and fillers for other slots."""
    code = extension(place.code)
    if not place.strings:
        return place.start, place.end, code
    new, written = b"", False
    start = place.start
    for slot in _slots(seen, place):
        memoize = seen.filled[slot]
        if fetched.get(slot, 0) > 0:
            # The string itself stays, is memoized, and taken from the stack again.
            new += bytes(data[_last_push(data, start, memoize) : memoize + 1]) + b"0"
        elif slot <= highest:
            new += b"\x94" if written else code + b"\x94"
            written = True
        start = memoize + 1
    end = place.end
    follower = bisect_left(seen.filled, end)
    if highest < follower < len(seen.filled) and seen.filled[follower] == end:
        end += 1
    return place.start, end, new if written else new + code


def _last_push(data: Buffer, start: int, memoize: int) -> int:
    """Return where the push right before `memoize` begins; there is at most one other between it and `start`."""
    width = 2 + data[start + 1] if data[start] == _SHORT_BINUNICODE else 2 if data[start] == _BINGET else 5
    return start if start + width == memoize else start + width
