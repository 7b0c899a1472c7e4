"""Transitions: from the rows that stand in copyreg to those that should stand, all of them or none."""

import sys

from extreg.ledger import CACHE, CODES, INVERTED, Stand, ledger, nothing
from extreg.ledger.layers import merge
from extreg.ledger.moves import Change, move

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from typing import Any

    from extreg.ledger import Owner, Rows
    from extreg.ledger.layers import Clash


class Refused(Exception):  # noqa: N818 - never leaves the start-up layer; install turns it into a ConflictError
    """The transition was not made because of `clashes`."""

    def __init__(self, clashes: "list[Clash]") -> None:
        super().__init__(clashes)
        self.clashes = clashes


def change(owners: "tuple[Owner, ...]", changed: "Collection[Owner]" = ()) -> Change:
    """Let `owners` be the owners, in this order; return the codes whose meaning changed.

    `changed` are the owners whose rows are new and are held to their policy; the others were let in before.  All
    or nothing: raises `Refused` when rows clash, and whatever else interrupts it leaves copyreg as it was.
    Called through `ledger.locked`.
    """
    if ledger.moving is not None:
        raise RuntimeError("extreg is changing copyreg further down this very stack (in a signal handler?)")
    layers = [(rows, _policy(owner, changed)) for owner in owners for rows in owner.layers]
    # First what was let in before: what is new has to get on with it, whoever was installed first.
    layers.sort(key=lambda layer: layer[1] != "settle")
    outside, before = _look_around([rows for rows, _ in layers])
    after, clashes = merge(outside, layers, before.inverted)
    if clashes:
        raise Refused(clashes)
    step = before, after, (ledger.owners, ledger.outside, ledger.stand)
    cached = dict(CACHE)
    try:
        ledger.moving = step
        made = move(before, after)
        ledger.owners = owners
        ledger.outside, ledger.stand = (outside, after) if owners else (nothing(), nothing())
        ledger.moving = None
        return made  # noqa: TRY300 - even an interrupt at this line must undo the change
    except BaseException:
        ledger.move_back(step)
        _put_back(cached)
        raise


def _put_back(cached: "Mapping[int, object]") -> None:
    """Put back into the extension cache what an undone transition took out, if it still is what its code leads to.

    Somebody may have reloaded a module or cleared the cache meanwhile: what was replaced must not be served again.
    """
    for code, found in cached.items():
        key = INVERTED.get(code)
        if code not in CACHE and key is not None and _standing(*key) is found:
            CACHE[code] = found


def _standing(module: str, qualname: str) -> object:
    """Return what stands under a name right now; nothing is imported and no ``__getattr__`` asked."""
    found: object = sys.modules.get(module)
    for name in qualname.split("."):
        found = getattr(found, "__dict__", {}).get(name)
    return found


def _look_around(layers: "Iterable[Rows]") -> "tuple[Stand, Stand]":
    """Return the rows from outside extreg that concern us, and what stands in all, after a look at copyreg.

    Rows that other code took out since the last look are forgotten.  Rows of its own that share a key or a code
    with one of `layers` are noted, because they must be there still when we are gone.
    """
    expected = ledger.stand
    ours_alone = len(CODES) == len(expected.live) and len(INVERTED) == len(expected.inverted)
    if ours_alone and expected.live.items() <= CODES.items() and expected.inverted.items() <= INVERTED.items():
        return ledger.outside, expected  # as it mostly is: everything that stands is what we know of
    stand = Stand(
        {key: code for key, code in expected.live.items() if CODES.get(key) == code},
        {code: key for code, key in expected.inverted.items() if INVERTED.get(code) == key},
        expected.retired,
    )
    # A row from outside that is not there was taken out by its owner, unless it was we who took its place.
    outside = Stand(
        {key: code for key, code in ledger.outside.live.items() if _present(key, code, CODES, expected.live)},
        {
            code: key
            for code, key in ledger.outside.inverted.items()
            if _present(code, key, INVERTED, expected.inverted)
        },
        {},
    )
    for rows in layers:
        if not (CODES.keys().isdisjoint(rows.live) and INVERTED.keys().isdisjoint(rows.inverted)):
            outside, stand = _note_strangers(rows, outside, stand)
    return outside, stand


def _policy(owner: "Owner", changed: "Collection[Owner]") -> str:
    return "settle" if owner.on_conflict == "error" and owner not in changed else owner.on_conflict


def _present(key: "Any", value: "Any", standing: "dict[Any, Any]", expected: "dict[Any, Any]") -> bool:
    return bool(standing.get(key) == value or expected.get(key) != value)


def _note_strangers(rows: "Rows", outside: Stand, stand: Stand) -> "tuple[Stand, Stand]":
    """Add to `outside` and `stand` what stands in copyreg by other hands under a key or code of `rows`."""
    live = {key: CODES[key] for key in rows.live if key in CODES and stand.live.get(key) != CODES[key]}
    inverted = {
        code: INVERTED[code]
        for code in (*rows.inverted, *live.values())
        if code in INVERTED and stand.inverted.get(code) != INVERTED[code]
    }
    halves = {key: code for code, key in inverted.items() if CODES.get(key) == code}
    live.update({key: code for key, code in halves.items() if stand.live.get(key) != code})
    return (
        Stand({**outside.live, **live}, {**outside.inverted, **inverted}, {}),
        Stand({**stand.live, **live}, {**stand.inverted, **inverted}, stand.retired),
    )
