"""The ledger: who put which rows into copyreg, and the one way in which rows get in and out.

copyreg's dictionaries are process-wide and pickle holds on to the objects themselves, so they are changed in place and
never replaced.  Every change is a transition from what stands to what should stand, in an order in which at no instant
a row stands in ``_extension_registry`` alone: such a row would be dumped and could not be loaded.
"""

import copyreg
import os
from _thread import RLock

from extreg.startup.rows import Stand, merge, nothing

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping
    from typing import Any, TypeVar

    from extreg.startup.rows import Clash, Key, Rows

    T = TypeVar("T")

_codes: "dict[Key, int]" = copyreg._extension_registry  # type: ignore[attr-defined]
_inverted: "dict[int, Key]" = copyreg._inverted_registry  # type: ignore[attr-defined]
_cache: "dict[int, object]" = copyreg._extension_cache  # type: ignore[attr-defined]

# Every key that was ever taken out of the inverted registry.  Up to CPython 3.12 at least, `load_extension` in
# Modules/_pickle.c goes on using a row's strings without a reference of its own while it imports; if another thread
# dropped the last one, it would read freed memory.  A key that comes back is taken from here, so that the attic grows
# with the number of different keys and not with the number of changes.
_attic: "dict[Key, Key]" = {}
_attic_twins: "list[Key]" = []


class Owner:
    """One installation's rows, one `Rows` per file, and how they get on with those of others."""

    __slots__ = ("layers", "on_conflict")

    def __init__(self, layers: "tuple[Rows, ...]", on_conflict: str) -> None:
        self.layers = layers
        self.on_conflict = on_conflict


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


class Refused(Exception):  # noqa: N818 - never leaves the start-up layer; install turns it into a ConflictError
    """The transition was not made because of `clashes`."""

    def __init__(self, clashes: "list[Clash]") -> None:
        super().__init__(clashes)
        self.clashes = clashes


class Ledger:
    """What extreg knows of this process's copyreg.

    ``owners`` are the installations in order; ``outside`` holds the rows of code outside extreg that concern one of
    them, because it has the same row or one that clashes; ``stand`` is what these add up to.
    """

    __slots__ = ("forks", "lock", "moving", "outside", "owners", "stand")

    def __init__(self) -> None:
        self.lock = RLock()
        self.owners: tuple[Owner, ...] = ()
        self.outside = nothing()
        self.stand = nothing()
        self.moving: tuple[Stand, Stand] | None = None
        self.forks = False

    def change(self, owners: "tuple[Owner, ...]", changed: "Collection[Owner]" = ()) -> "Change":
        """Let `owners` be the owners, in this order; return the codes whose meaning changed.

        `changed` are the owners whose rows are new and are held to their policy; the others were let in before.  All
        or nothing: raises `Refused` when rows clash, and whatever else interrupts it leaves copyreg as it was.
        Called through `locked`.
        """
        if self.moving is not None:
            raise RuntimeError("extreg is changing copyreg further down this very stack (in a signal handler?)")
        layers = [(rows, _policy(owner, changed)) for owner in owners for rows in owner.layers]
        outside, before = self._look_around([rows for rows, _ in layers])
        after, clashes = merge(outside, layers, before.inverted)
        if clashes:
            raise Refused(clashes)
        former = self.owners, self.outside, self.stand
        cached = self.cached()
        try:
            self.moving = before, after
            change = _move(before, after)
            self.owners = owners
            self.outside, self.stand = (outside, after) if owners else (nothing(), nothing())
            self.moving = None
            return change  # noqa: TRY300 - even an interrupt at this line must undo the change
        except BaseException:
            _move(after, before)
            self.cache_again(cached)
            self.owners, self.outside, self.stand = former
            self.moving = None
            raise

    def _look_around(self, layers: "Iterable[Rows]") -> "tuple[Stand, Stand]":
        """Return the rows from outside extreg that concern us, and what stands in all, after a look at copyreg.

        Rows that other code took out since the last look are forgotten.  Rows of its own that share a key or a code
        with one of `layers` are noted, because they must be there still when we are gone.
        """
        expected = self.stand
        stand = Stand(
            {key: code for key, code in expected.live.items() if _codes.get(key) == code},
            {code: key for code, key in expected.inverted.items() if _inverted.get(code) == key},
            expected.retired,
        )
        # A row from outside that is not there was taken out by its owner, unless it was we who took its place.
        outside = Stand(
            {key: code for key, code in self.outside.live.items() if _present(key, code, _codes, expected.live)},
            {
                code: key
                for code, key in self.outside.inverted.items()
                if _present(code, key, _inverted, expected.inverted)
            },
            {},
        )
        for rows in layers:
            if not (
                _codes.keys().isdisjoint(rows.live)
                and _inverted.keys().isdisjoint(rows.inverted)
                and _inverted.keys().isdisjoint(rows.retired)
            ):
                outside, stand = _note_strangers(rows, outside, stand)
        return outside, stand

    def locked(self, action: "Callable[..., T]", *arguments: "Any") -> "T":
        """Call `action` with `arguments` under the lock."""
        # On one line, so that no tracer or debugger can stop between the body and the release and leave us locked.
        with self.lock: return action(*arguments)  # noqa: E701  # fmt: skip

    def cached(self) -> "dict[int, object]":
        """Return a copy of the extension cache."""
        return dict(_cache)

    def cache_again(self, cached: "dict[int, object]") -> None:
        """Put back what was `cached` before a change that was undone."""
        _cache.update(cached)

    def set_aside(self) -> "Callable[[], None]":
        """Forget all owners, leaving copyreg alone; return the function that remembers them.  For isolated tests."""
        former = self.owners, self.outside, self.stand
        self.owners, self.outside, self.stand = (), nothing(), nothing()

        def restore() -> None:
            self.owners, self.outside, self.stand = former

        return restore

    def after_fork(self) -> None:
        """Put right, in a forked child, what another thread of the parent was in the middle of."""
        self.lock._at_fork_reinit()  # type: ignore[attr-defined]
        if self.moving is not None:
            before, after = self.moving
            _move(after, before)
            self.moving = None

    def watch_forks(self) -> None:
        """See to it that a forked child gets a usable ledger; once, and not before something is installed."""
        if not self.forks and hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self.after_fork)
        self.forks = True


ledger = Ledger()


def _policy(owner: Owner, changed: "Collection[Owner]") -> str:
    return "settle" if owner.on_conflict == "error" and owner not in changed else owner.on_conflict


def _present(key: "Any", value: "Any", standing: "dict[Any, Any]", expected: "dict[Any, Any]") -> bool:
    return bool(standing.get(key) == value or expected.get(key) != value)


def _note_strangers(rows: "Rows", outside: Stand, stand: Stand) -> "tuple[Stand, Stand]":
    """Add to `outside` and `stand` what stands in copyreg by other hands under a key or code of `rows`."""
    live = {key: _codes[key] for key in rows.live if key in _codes and stand.live.get(key) != _codes[key]}
    inverted = {
        code: _inverted[code]
        for code in (*rows.inverted, *rows.retired, *live.values())
        if code in _inverted and stand.inverted.get(code) != _inverted[code]
    }
    halves = {key: code for code, key in inverted.items() if _codes.get(key) == code}
    live.update({key: code for key, code in halves.items() if stand.live.get(key) != code})
    return (
        Stand({**outside.live, **live}, {**outside.inverted, **inverted}, {}),
        Stand({**stand.live, **live}, {**stand.inverted, **inverted}, stand.retired),
    )


def _keep_alive(key: "Key | None") -> None:
    if key is not None and _attic.setdefault(key, key) is not key:
        _attic_twins.append(key)


def _move(before: Stand, after: Stand) -> Change:
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
            _keep_alive(_inverted.get(code))
    if _attic:
        coming = {code: _attic.get(key, key) for code, key in coming.items()}
    for key in [key for key, code in before.live.items() if after.live.get(key) != code]:
        _codes.pop(key, None)
    _inverted.update(coming)
    _codes.update(live)
    for code in stale:
        if code not in coming:
            _inverted.pop(code, None)
    change = Change(coming, stale)
    if _cache:
        for code in change.codes.intersection(_cache):
            _cache.pop(code, None)
    return change
