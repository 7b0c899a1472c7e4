"""Names to codes, in one pickle."""

from collections.abc import Sequence
from typing import Protocol

from extreg.pickles.rewriting.frames import UNFRAMED, around
from extreg.pickles.rewriting.plan import VARYING, Edit, Pickle, Plan
from extreg.pickles.rewriting.row import FREE, Bond, in_full
from extreg.pickles.rewriting.splice import FAR, Place, extension, grown, spliced
from extreg.pickles.walking.memo import forgotten, outside, traffic, untouched
from extreg.pickles.walking.names import loaded
from extreg.pickles.walking.walker import Found

_MEMOIZE = 0x94
# The size of the longest opcode for a code: what is replaced and as long does not grow.
_LONGEST = 5
NO_LIVE_CODE = "no live code"
_WOULD_GROW = "the code is longer than the name"
_KEPT = "the code is longer with what other pickles may fetch from the memo (--independent: they do not)"
_FOREIGN = "it is fetched from a memo that may be another pickle's (--independent: it is not)"


class Codes(Protocol):
    """What is asked of a registry here."""

    def code(self, target: str, /) -> int | None:
        """Return the live code of `target`, or None."""

    def current(self, target: str, /) -> str:
        """Return what `target` is called today, or `target`."""


# The fields of a `Place`, of which making a plain tuple takes a fifth of the time.
_Place = tuple[int, int, int, bool]


def shortened(pickle: Pickle, registry: Codes, bond: Bond = FREE) -> Plan:
    """Plan to put the live codes of `registry` in the place of the names that have one; never longer than before.

    A former name has the code of what it is called today.
    What `bond` says is kept for other pickles of the row.
    """
    plan, protocol = Plan(), pickle.protocol
    if protocol == VARYING:
        plan.leave("a protocol that changes on the way", len(pickle.references))
        return plan
    if protocol < 2:
        plan.leave("no codes below protocol 2", len(pickle.references))
        return plan
    places: list[_Place] = []
    nths = []
    for nth, found in enumerate(pickle.references):
        plan.meanings.append(found[3:6])
        place = _place(found, protocol, registry)
        if bond.foreign and isinstance(place, tuple) and place[3] and not in_full(pickle.data, place[0]):
            place = _FOREIGN
        if isinstance(place, tuple):
            places.append(place)
            nths.append(nth)
        elif place is not None:
            plan.leave(place)
    if not places:
        return plan
    if protocol >= 4 and bond is FREE:
        plan.whole = _forgotten(pickle, places)
    if protocol < 4 or plan.whole is not None:
        plan.edits = [(start, end, extension(code)) for start, end, code, _ in places]
        for nth, place in zip(nths, places, strict=True):
            plan.meanings[nth] = (None, None, place[2])
        return plan
    _shorten_some(plan, pickle, places, nths, bond)
    return plan


def _place(found: Found, protocol: int, registry: Codes) -> _Place | str | None:
    """Return where `found` can become a code, or why it cannot, or None where it is one."""
    kind, offset, opcode, module, name, _, begin = found
    if kind == "code":
        return None
    if module is None or name is None:
        return "operands that only an execution would tell"
    path, word = (module, name) if protocol >= 3 else loaded(module, name, protocol)
    # Whatever has more colons than one is no target, and so none of the registry's.
    named = f"{path}:{word}"
    code = registry.code(named)
    if code is None or protocol < 4:
        # What follows below protocol 4 is about what the code will load, which a former or other name is not.
        today = registry.current(named)
        code = registry.code(today) if code is None else code
        if code is None:
            return NO_LIVE_CODE
        path, _, word = today.partition(":")
    if opcode == "GLOBAL":
        begin, end = offset, offset + 3 + len(module.encode()) + len(name.encode())
    elif begin is None:
        return "operands that stand apart"
    elif protocol < 4:
        return "a STACK_GLOBAL below protocol 4"
    else:
        end = offset + 1
    if protocol < 4 and ("." in name or "." in word):
        return "a nested name below protocol 4"
    if protocol < 3 and loaded(path, word, protocol) != (path, word):
        return "Python 2 had another global of that name"
    # No GLOBAL is shorter than the longest opcode for a code.
    return begin, end, code, opcode != "GLOBAL"


def _forgotten(pickle: Pickle, places: Sequence[_Place]) -> bytes | None:
    """Return the pickle with codes in `places` and without a MEMOIZE: in a small message one byte in ten is one.

    None if this is no small pickle of protocol 4 as picklers write it, or if the memo is in use.  A long payload or
    text is for `_unused` to find out about.
    """
    data, stop = pickle.data, pickle.stop
    done = around(pickle.frames, pickle.begin, stop)
    if done is None or stop - pickle.begin > UNFRAMED:
        return None
    pieces = [bytes(data[pickle.begin : pickle.begin + 2])]
    for start, end, code, _ in places:
        kept = forgotten(data, done, start) if done < start else b""
        if kept is None or end - start < _LONGEST:
            return None
        pieces += kept, extension(code)
        done = end
    kept = forgotten(data, done, stop)
    if kept is None:
        return None
    pieces += kept, b"."
    return b"".join(pieces)


def _shorten_some(plan: Plan, pickle: Pickle, places: Sequence[_Place], nths: Sequence[int], bond: Bond) -> None:
    """Plan for a pickle of protocol 4 or later that uses its memo, is not small, or shares a memo."""
    unused = bond is FREE and _unused(pickle, places)
    for nth, place, edit in zip(nths, places, _edits(plan, pickle, places, unused, bond), strict=True):
        if edit is None:
            plan.leave(_WOULD_GROW if bond is FREE else _KEPT)
        else:
            plan.edits.append(edit)
            plan.meanings[nth] = (None, None, place[2])
    if unused and pickle.stop - pickle.begin <= UNFRAMED and len(plan.edits) == len(places):
        seen = traffic(pickle.data, pickle.begin, pickle.stop)
        plan.memos = [(at, at + 1, b"") for at in outside(seen, plan.edits)]


def _unused(pickle: Pickle, places: Sequence[_Place]) -> bool:
    """Tell whether this is a pickle of no great size of which only `places` use the memo."""
    if pickle.stop - pickle.begin >= FAR:
        return False
    return untouched(pickle.data, pickle.begin, pickle.stop, [place[:2] for place in places])


def _edits(plan: Plan, pickle: Pickle, places: Sequence[_Place], unused: bool, bond: Bond) -> list[Edit | None]:
    """Return the edit for each place in a pickle of protocol 4 or later, or None where it would grow."""
    if not any(strings for _, _, _, strings in places):
        return [(start, end, extension(code)) for start, end, code, _ in places]
    if unused:
        # Nobody fetches anything, so strings and MEMOIZE go together, the global's own included.
        data = pickle.data
        edits = [(start, end + (data[end] == _MEMOIZE), extension(code)) for start, end, code, _ in places]
        return [None if grown(edit) else edit for edit in edits]
    whole = list(map(Place._make, places))
    found, plan.seen = spliced(pickle, whole, bond)
    return list(map(found.get, whole))
