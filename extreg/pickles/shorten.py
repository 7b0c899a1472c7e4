"""Names to codes, in one pickle."""

from bisect import bisect_left
from typing import NamedTuple, Protocol

from extreg.pickles.events import Event
from extreg.pickles.frames import Edit
from extreg.pickles.memo import Traffic, fetches, forgotten, traffic, untouched
from extreg.pickles.names import loaded
from extreg.pickles.opcodes import Buffer
from extreg.pickles.plan import VARYING, Pickle, Plan

_SHORT_BINUNICODE, _BINGET, _MEMOIZE = b"\x8ch\x94"
# From this size on it is worth a search to learn that the rest of a pickle does not fetch some slots.
_FAR = 1 << 14
_SMALL = 1 << 10
# The size of the longest opcode for a code: what is replaced and as long does not grow.
_LONGEST = 5
# A place that keeps its name may make another keep its own; when that goes on and on, nobody wrote it to be read.
_ROUNDS = 8
_WOULD_GROW = "the code is longer than the name"


class Codes(Protocol):
    """What is asked of a registry here."""

    def code(self, target: str, /) -> int | None:
        """Return the live code of `target`, or None."""


class _Place(NamedTuple):
    """A reference that stands in ``data[start:end]`` and can become ``code``; ``nth`` is its place among them all."""

    nth: int
    start: int
    end: int
    code: int
    strings: bool


def shortened(pickle: Pickle, registry: Codes) -> Plan:
    """Plan to put the live codes of `registry` in the place of the names that have one; never longer than before."""
    plan = Plan()
    if pickle.protocol == VARYING:
        plan.leave("a protocol that changes on the way", len(pickle.references))
        return plan
    if pickle.protocol < 2:
        plan.leave("no codes below protocol 2", len(pickle.references))
        return plan
    places = []
    for index, event in enumerate(pickle.references):
        plan.meanings.append(event[3:6])
        place = _place(index, event, pickle, registry)
        if isinstance(place, str):
            plan.leave(place)
        elif place is not None:
            places.append(place)
    memos = _forgotten(pickle, places)
    if memos is not None:
        # In a small message that fetches nothing, one byte in ten is a MEMOIZE.
        plan.memos = memos
        for place in places:
            plan.edits.append(Edit(place.start, place.end, extension(place.code)))
            plan.meanings[place.nth] = (None, None, place.code)
        return plan
    for place, edit in zip(places, _edits(pickle, places), strict=True):
        if edit is None:
            plan.leave(_WOULD_GROW)
        else:
            plan.edits.append(edit)
            plan.meanings[place.nth] = (None, None, place.code)
    if places and len(plan.edits) == len(places) and _untouched(pickle, places):
        spans = [(edit.start, edit.end) for edit in plan.edits]
        plan.memos = [Edit(at, at + 1, b"") for at in _outside(traffic(pickle.data, pickle.begin, pickle.stop), spans)]
    return plan


def _forgotten(pickle: Pickle, places: list[_Place]) -> list[Edit] | None:
    """Return edits that take the MEMOIZEs out of all that is around `places`.

    None if this is no small pickle as picklers write it, or if the memo is in use. A long payload or text is for
    `_untouched` to find out about.
    """
    if pickle.protocol < 4 or not places or pickle.stop - pickle.begin > _SMALL or len(pickle.frames) > 1:
        return None
    done = pickle.begin + 2
    if pickle.frames:
        frame = pickle.frames[0]
        if frame.offset != done or done + 9 + (frame.number or 0) != pickle.stop + 1:
            return None
        done += 9
    made = []
    for start, end in [*((place.start, place.end) for place in places), (pickle.stop, pickle.stop)]:
        kept = forgotten(pickle.data, done, start) if done < start else b""
        if kept is None or (end > start and end - start < _LONGEST):
            return None
        if len(kept) < start - done:
            made.append(Edit(done, start, kept))
        done = end
    return made


def _untouched(pickle: Pickle, places: list[_Place]) -> bool:
    """Tell whether this is a small pickle of which only `places` that all become codes use the memo."""
    if pickle.protocol < 4 or pickle.stop - pickle.begin > _SMALL:
        return False
    return untouched(pickle.data, pickle.begin, pickle.stop, [(place.start, place.end) for place in places])


def _outside(seen: Traffic, spans: list[tuple[int, int]]) -> list[int]:
    """Return where a MEMOIZE stands that is in none of `spans`."""
    return [at for at in seen.filled if not (nth := bisect_left(spans, (at + 1,))) or spans[nth - 1][1] <= at]


def _edits(pickle: Pickle, places: list[_Place]) -> "list[Edit | None]":
    """Return the edit for each place, or None where the code would be longer than the name."""
    data = pickle.data
    if pickle.protocol < 4 or not any(place.strings for place in places):
        return [_no_longer(Edit(place.start, place.end, extension(place.code))) for place in places]
    if pickle.stop - pickle.begin < _FAR and untouched(
        data, pickle.begin, pickle.stop, [place[1:3] for place in places]
    ):
        # Nobody fetches anything, so strings and MEMOIZE go together, the global's own included.
        return [
            _no_longer(Edit(place.start, place.end + (data[place.end] == _MEMOIZE), extension(place.code)))
            for place in places
        ]
    edits = _spliced(pickle, places)
    return [edits.get(place) for place in places]


def _no_longer(edit: Edit) -> Edit | None:
    return edit if len(edit.new) <= edit.end - edit.start else None


def _place(index: int, event: Event, pickle: Pickle, registry: Codes) -> _Place | str | None:
    """Return where `event` can become a code, or why it cannot, or None where it is one."""
    if event.kind == "code":
        return None
    if event.module is None or event.name is None:
        return "operands that only an execution would tell"
    module, name = loaded(event.module, event.name, pickle.protocol)
    # Whatever has more colons than one is no target, and so none of the registry's.
    code = registry.code(f"{module}:{name}")
    if code is None:
        return "no live code"
    if event.opcode == "INST" or (event.opcode == "STACK_GLOBAL" and event.begin is None):
        return "operands that stand apart"
    if pickle.protocol < 4 and "." in name:
        return "a nested name below protocol 4"
    if loaded(module, name, pickle.protocol) != (module, name):
        return "Python 2 had another global of that name"
    if event.begin is not None:
        return _Place(index, event.begin, event.offset + 1, code, True)
    width = 3 + len(event.module.encode()) + len(event.name.encode())
    return _Place(index, event.offset, event.offset + width, code, False)


def extension(code: int) -> bytes:
    """Return the shortest opcode for `code`, as pickle writes it."""
    if code < 1 << 8:
        return b"\x82%c" % code
    return b"\x83" + code.to_bytes(2, "little") if code < 1 << 16 else b"\x84" + code.to_bytes(4, "little")


def _spliced(pickle: Pickle, places: list[_Place]) -> "dict[_Place, Edit]":
    """Return the edits that keep the number of every memo slot that is fetched; those that would grow are missing."""
    data, stop = pickle.data, pickle.stop
    seen = traffic(data, pickle.begin, places[-1].end + 1 if stop - places[-1].end > _FAR else stop)
    whole = seen.end >= stop
    if not whole and fetches(data, seen.end, stop, [slot for place in places for slot in _slots(seen, place)]):
        seen, whole = traffic(data, pickle.begin, stop), True
    if seen.explicit:
        return {}
    # How often each slot is fetched by what stays; what a place fetches goes with it.
    fetched: dict[int, int] = {}
    for _, slot in seen.fetched:
        fetched[slot] = fetched.get(slot, 0) + 1
    for place in places:
        _count(seen, place, fetched, -1)
    for _ in range(_ROUNDS):
        # Beyond the highest slot that is fetched, no slot needs its number.
        highest = max((slot for slot, count in fetched.items() if count > 0), default=-1) if whole else len(seen.filled)
        edits = {place: _edit(data, seen, place, fetched, highest) for place in places}
        kept = [place for place, edit in edits.items() if len(edit.new) <= edit.end - edit.start]
        if len(kept) == len(places):
            return edits
        # What a name fetches that is to stay may be what another place fills.
        for place in set(places) - set(kept):
            _count(seen, place, fetched, 1)
        places = kept
    return {}


def _slots(seen: Traffic, place: _Place) -> range:
    """The slots that `place` fills."""
    return range(bisect_left(seen.filled, place.start), bisect_left(seen.filled, place.end))


def _count(seen: Traffic, place: _Place, fetched: dict[int, int], by: int) -> None:
    """Add `by` to how often the slots that `place` fetches are fetched."""
    first, last = bisect_left(seen.fetched, (place.start,)), bisect_left(seen.fetched, (place.end,))
    for _, slot in seen.fetched[first:last]:
        fetched[slot] += by


def _edit(data: Buffer, seen: Traffic, place: _Place, fetched: dict[int, int], highest: int) -> Edit:
    """Return what replaces `place`: its code, the strings that are fetched elsewhere, and fillers for other slots."""
    code = extension(place.code)
    if not place.strings:
        return Edit(place.start, place.end, code)
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
    return Edit(place.start, end, new if written else new + code)


def _last_push(data: Buffer, start: int, memoize: int) -> int:
    """Return where the push right before `memoize` begins; there is at most one other between it and `start`."""
    width = 2 + data[start + 1] if data[start] == _SHORT_BINUNICODE else 2 if data[start] == _BINGET else 5
    return start if start + width == memoize else start + width
