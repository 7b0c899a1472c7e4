"""Moving copyreg's dictionaries from one stand to another, in an order in which nobody dumps what cannot be loaded."""

import copyreg

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

    from extreg.ledger import Key, Stand

_CODES: "dict[Key, int]" = copyreg._extension_registry  # type: ignore[attr-defined]
_INVERTED: "dict[int, Key]" = copyreg._inverted_registry  # type: ignore[attr-defined]
_CACHE: "dict[int, object]" = copyreg._extension_cache  # type: ignore[attr-defined]

# Every key that was ever taken out of the inverted registry.  Up to CPython 3.13 at least, `load_extension` in
# Modules/_pickle.c goes on using a row's strings without a reference of its own while it imports; if another thread
# dropped the last one, it would read freed memory.  A key that comes back is taken from here, so that the attic grows
# with the number of different keys and not with the number of changes.
_attic: "dict[Key, Key]" = {}
_attic_twins: "list[Key]" = []


class Change:
    """What a transition changed: ``coming`` are the rows that load now, ``stale`` those that did so before."""

    __slots__ = ("coming", "stale")

    def __init__(self, coming: "Mapping[int, Key]", stale: "Mapping[int, Key]") -> None:
        self.coming = coming
        self.stale = stale

    @property
    def codes(self) -> "frozenset[int]":
        """The codes whose meaning changed."""
        return frozenset(self.coming).union(self.stale)


def _keep_alive(key: "Key | None") -> None:
    if key is not None and _attic.setdefault(key, key) is not key:
        _attic_twins.append(key)


def move(before: "Stand", after: "Stand") -> Change:
    """Turn what stands in copyreg from `before` into `after`; return the codes whose meaning changed.

    Live rows that go are taken out first: their target is dumped by name for a moment, which always loads.  Then the
    inverted rows come in, then the live ones that need them, and only then do the inverted rows that nobody can dump
    any more go.  Each ``update`` is one C call under the interpreter lock: other threads see all of it or nothing.
    """
    coming, live = after.inverted, after.live
    stale: dict[int, Key] = {}
    if before.live or before.inverted:
        coming = {code: key for code, key in coming.items() if before.inverted.get(code) != key}
        live = {key: code for key, code in live.items() if before.live.get(key) != code}
        stale = {code: key for code, key in before.inverted.items() if after.inverted.get(code) != key}
        for code in stale:
            _keep_alive(_INVERTED.get(code))
    if _attic:
        coming = {code: _attic.get(key, key) for code, key in coming.items()}
    for key in [key for key, code in before.live.items() if after.live.get(key) != code]:
        _CODES.pop(key, None)
    _INVERTED.update(coming)
    _CODES.update(live)
    for code in stale:
        if code not in coming:
            _INVERTED.pop(code, None)
    made = Change(coming, stale)
    if _CACHE:
        for code in made.codes.intersection(_CACHE):
            _CACHE.pop(code, None)
    return made
