"""The slots of the memo for names that are written once and fetched after that.

A MEMOIZE more would shift every slot behind it.  So a name takes a slot that is free: the one that is filled next in
the pickle, if what is in it is never fetched, by a MEMOIZE or PUT that goes.  Behind an instance's class that is most
often the instance.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final, NamedTuple

from extreg.pickles.rewriting.plan import Pickle, Plan
from extreg.pickles.walking.memo import slots, traffic

GET_WIDTHS: Final = {0x68: 2, 0x6A: 5}
MEMO_WIDTHS: Final = {0x94: 1, 0x71: 2, 0x72: 5}
_MEMOIZE: Final = b"\x94"
_BYTE: Final = 1 << 8


class Place(NamedTuple):
    """A reference that stands in ``data[start:end]``, by `code`, and which it is of all the pickle has."""

    start: int
    end: int
    code: int
    reference: int


def recalled(plan: Plan, pickle: Pickle, places: Sequence[Place]) -> dict[int, bytes]:
    """Return by number of place what is done there with the memo: the opcode that fills a slot, or fetches it.

    Those that go for it are put into the `plan`.
    """
    data = pickle.data
    seen = plan.seen = traffic(data, pickle.begin, pickle.stop)
    filled = slots(seen)
    if filled is None:
        return {}
    numbers, offsets = list(filled), list(filled.values())
    fetched = {slot for _, slot in seen.fetched}
    explicit = pickle.protocol < 4
    if explicit == bool(seen.filled):
        return {}  # no pickler's
    left: dict[int, int] = {}
    for place in places:
        left[place.code] = left.get(place.code, 0) + 1
    done: dict[int, bytes] = {}
    held: dict[int, int] = {}
    taken: set[int] = set()
    for nth, place in enumerate(places):
        left[place.code] -= 1
        slot = held.get(place.code)
        if slot is not None:
            done[nth] = b"h%c" % slot if slot < _BYTE else b"j" + slot.to_bytes(4, "little")
            continue
        after = bisect_left(offsets, place.end)
        if after == len(offsets) or after in taken or not left[place.code]:
            continue
        slot, at = numbers[after], offsets[after]
        if at != place.end:
            if slot in fetched:
                continue
            done[nth] = _put(slot) if explicit else _MEMOIZE
            plan.memos.append((at, at + MEMO_WIDTHS[data[at]], b""))
        held[place.code] = slot
        taken.add(after)
    plan.recalls = bool(held)
    return done


def _put(slot: int) -> bytes:
    return b"q%c" % slot if slot < _BYTE else b"r" + slot.to_bytes(4, "little")
