"""Names to codes, in one pickle."""

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass

from extreg.pickles.events import Event
from extreg.pickles.frames import Edit
from extreg.pickles.memo import Traffic, surely_unfetched, traffic
from extreg.pickles.names import loaded, target
from extreg.pickles.opcodes import Buffer
from extreg.pickles.plan import Pickle, Plan, meaning
from extreg.registry.model import Registry

_SHORT_BINUNICODE, _BINGET, _MEMOIZE = b"\x8ch\x94"
_WOULD_GROW = "the code is longer than the name"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Place:
    """A reference that stands in ``data[start:end]`` and can become `code`; ``index`` is its number among all references."""

    index: int
    start: int
    end: int
    code: int
    strings: bool


def shortened(pickle: Pickle, registry: Registry) -> Plan:
    """Plan to put the live codes of `registry` in the place of the names that have one; never longer than before."""
    plan = Plan()
    if pickle.protocol < 2:
        plan.left["no codes below protocol 2"] = len(pickle.references)
        return plan
    places = []
    for index, event in enumerate(pickle.references):
        plan.meanings.append(meaning(event))
        place = _place(index, event, pickle, registry)
        if isinstance(place, str):
            plan.left[place] += 1
        elif place is not None:
            places.append(place)
    if any(place.strings for place in places):
        edits = _spliced(pickle, places)
    else:
        edits = {place: Edit(place.start, place.end, extension(place.code)) for place in places}
    for place in places:
        edit = edits.get(place)
        if edit is None or len(edit.new) > edit.end - edit.start:
            plan.left[_WOULD_GROW] += 1
        else:
            plan.edits.append(edit)
            plan.meanings[place.index] = (None, None, place.code)
    return plan


def _place(index: int, event: Event, pickle: Pickle, registry: Registry) -> _Place | str | None:
    """Return where `event` can become a code, or why it cannot, or None where it is one."""
    if event.kind == "code":
        return None
    if event.module is None or event.name is None:
        return "operands that only an execution would tell"
    module, name = loaded(event.module, event.name, pickle.protocol)
    spelled = target(module, name)
    code = registry.code(spelled) if spelled is not None else None
    if code is None:
        return "no live code"
    if event.opcode == "INST" or (event.opcode == "STACK_GLOBAL" and event.begin is None):
        return "operands that stand apart"
    if pickle.protocol < 4 and "." in name:
        return "a nested name below protocol 4"
    if loaded(module, name, pickle.protocol) != (module, name):
        return "Python 2 had another global of that name"
    if event.begin is not None:
        return _Place(index=index, start=event.begin, end=event.offset + 1, code=code, strings=True)
    width = 3 + len(event.module.encode()) + len(event.name.encode())
    return _Place(index=index, start=event.offset, end=event.offset + width, code=code, strings=False)


def extension(code: int) -> bytes:
    """Return the shortest opcode for `code`, as pickle writes it."""
    if code < 1 << 8:
        return b"\x82%c" % code
    return b"\x83" + code.to_bytes(2, "little") if code < 1 << 16 else b"\x84" + code.to_bytes(4, "little")


def _spliced(pickle: Pickle, places: list[_Place]) -> "dict[_Place, Edit]":
    """Return the edits that keep the number of every memo slot that is fetched; those that would grow are missing."""
    data = pickle.data
    seen = traffic(data, pickle.begin, places[-1].end + 1)
    own = [slot for place in places for slot in _slots(seen, place)]
    to_the_end = not surely_unfetched(data, seen.end, pickle.stop, own)
    if to_the_end:
        seen = traffic(data, pickle.begin, pickle.stop)
    if seen.explicit:
        return {}
    # How often each slot is fetched by what stays; what a place fetches goes with it.
    fetched = Counter(slot for _, slot in seen.fetched)
    for place in places:
        fetched.subtract(_fetched(seen, place))
    edits: dict[_Place, Edit] = {}
    rest = places
    while rest:
        # Beyond the highest slot that is fetched, no slot needs its number.
        highest = max((slot for slot, count in fetched.items() if count > 0), default=-1) if to_the_end else len(seen.filled)
        edits = {place: _edit(data, seen, place, fetched, highest) for place in rest}
        kept = [place for place in rest if len(edits[place].new) <= edits[place].end - edits[place].start]
        if len(kept) == len(rest):
            break
        for place in set(rest) - set(kept):
            fetched.update(_fetched(seen, place))
        rest = kept
    return {place: edits[place] for place in rest}


def _slots(seen: Traffic, place: _Place) -> range:
    """The slots that `place` fills."""
    return range(bisect_left(seen.filled, place.start), bisect_left(seen.filled, place.end))


def _fetched(seen: Traffic, place: _Place) -> list[int]:
    """The slots that `place` fetches."""
    first, last = bisect_left(seen.fetched, (place.start,)), bisect_left(seen.fetched, (place.end,))
    return [slot for _, slot in seen.fetched[first:last]]


def _edit(data: Buffer, seen: Traffic, place: _Place, fetched: "Counter[int]", highest: int) -> Edit:
    """Return what takes the place of `place`: its code, the strings that are fetched elsewhere, and fillers for the other slots."""
    code = extension(place.code)
    if not place.strings:
        return Edit(place.start, place.end, code)
    new, written = b"", False
    start = place.start
    for slot in _slots(seen, place):
        memoize = seen.filled[slot]
        if fetched[slot] > 0:
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
