"""install, reload and uninstall: registries into copyreg and out again, all or nothing."""

import os
import sys

from extreg.startup import cold, hooks
from extreg.startup.find import find
from extreg.startup.ledger import Change, Owner, Refused, ledger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection
    from types import TracebackType
    from typing import Literal

    from extreg.registry.model import Registry
    from extreg.startup.rows import Rows

    OnConflict = Literal["error", "replace", "keep"]

POLICIES = ("error", "replace", "keep")
VARIABLE = "EXTREG_ON_CONFLICT"

_installations: "list[Installation]" = []


class Installation:
    """A registry as it stands in copyreg; returned by `install`.

    Use it as a context manager to uninstall at the end of a block.
    """

    __slots__ = ("_bound", "_count", "_owner", "_source", "_watches")

    def __init__(self, source: "str | Registry", owner: Owner) -> None:
        self._source = source
        self._owner = owner
        self._count = 0
        self._bound: cold.Bound | None = None
        self._watches = False

    @property
    def registry(self) -> "Registry":
        """The registry that is installed, as it was when it was last read; without what it includes."""
        return cold.registry_of(self._owner.layers[0])

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that say what all the rows installed here mean, included packages too."""
        return cold.fingerprint_of(self._owner.layers)

    @property
    def installed(self) -> bool:
        """Whether the rows are in copyreg; False once every `install` has been taken back by an `uninstall`."""
        return self._count > 0

    def reload(self) -> "frozenset[int]":
        """Read the registry and all it includes again and apply the difference; see `extreg.reload`."""
        return _reload([self])

    def uninstall(self) -> None:
        """Take back one `install` of this registry; the last one takes its rows out of copyreg.

        Rows that another installation or code outside extreg also has stay.  Calling it once too often does nothing.
        """
        change = None
        with ledger.lock:
            if self._count == 1:
                change = _take_out([self])
            self._count = max(0, self._count - 1)
        _announce(change)

    def __enter__(self) -> "Installation":
        return self

    def __exit__(
        self,
        kind: "type[BaseException] | None",
        error: "BaseException | None",
        traceback: "TracebackType | None",
    ) -> None:
        self.uninstall()

    def __repr__(self) -> str:
        rows = self._owner.layers
        live = sum(len(layer.live) for layer in rows)
        loaded = sum(len(layer.inverted) for layer in rows)
        parts = [f"{live} live", f"{loaded - live} load-only"]
        if len(rows) > 1:
            parts.append(f"from {len(rows)} files")
        if not self.installed:
            parts.append("uninstalled")
        return f"<extreg.Installation of {rows[0].path}: {', '.join(parts)}>"


def install(
    source: "str | os.PathLike[str] | Registry | None" = None,
    *,
    on_conflict: "OnConflict" = "error",
    watch_reloads: bool = False,
) -> Installation:
    """Put the codes of a registry into copyreg, all of them or none.

    `source` is a path, the name of a package that carries a registry.toml (it is not imported), a `Registry`, or
    nothing: then ``$EXTREG_REGISTRY``, else the nearest registry.toml upward from the calling module's file, else
    upward from the working directory.  No target is imported.

    `on_conflict` says what happens when copyreg already means something else by a code or a target: ``"error"``
    raises, ``"replace"`` takes it over until it is uninstalled, ``"keep"`` leaves the other owner in place.
    ``$EXTREG_ON_CONFLICT`` overrides it.  With `watch_reloads`, ``importlib.reload`` of a module leaves none of its
    former classes in the extension cache.

    Installing the same registry again changes nothing and returns the same `Installation`, which then wants to be
    uninstalled as many times.  Raises `ConflictError` naming every conflict, `RegistryError` naming every fault of a
    file, and `ExtregError` when there is no registry; copyreg is then as it was.
    """
    policy = os.environ.get(VARIABLE) or on_conflict
    if policy not in POLICIES:
        raise _bad_policy(policy, on_conflict)
    if source is None or isinstance(source, (str, os.PathLike)):
        source = find(source, sys._getframe(1).f_globals)
    return _install(source, Owner(_read(source), policy), watch_reloads)


def reload() -> "frozenset[int]":
    """Read every installed registry and all they include again, and apply the difference.

    All or nothing: a file that became invalid or rows that clash raise as in `install` and leave everything as it was.
    The extension cache is cleared and the callbacks of `on_clear` are called.  Returns the codes whose meaning changed.
    A load or dump, in another thread, of a code that is the same before and after never fails.
    """
    return _reload(None)


def uninstall() -> None:
    """Take every registry that extreg installed in this process out of copyreg again."""
    with ledger.lock:
        installations = list(_installations)
        change = _take_out(installations)
        for installation in installations:
            installation._count = 0
    _announce(change)


def _read(source: "str | Registry") -> "tuple[Rows, ...]":
    return cold.read(source) if isinstance(source, str) else cold.rows_of(source)


def _install(source: "str | Registry", owner: Owner, watch_reloads: bool) -> Installation:
    cached = ledger.cached()
    try:
        with ledger.lock:
            installation, change = _enter(source, owner)
            if watch_reloads and not installation._watches:
                cold.watch_reloads(True)
                installation._watches = True
        _announce(change)
        return installation  # noqa: TRY300 - even an interrupt at this line must undo the change
    except BaseException:
        # Nobody could uninstall what nobody was given.
        with ledger.lock:
            _take_out([entry for entry in _installations if entry._owner is owner])
            if owner in ledger.owners:
                ledger.change(tuple(other for other in ledger.owners if other is not owner))
            ledger.cache_again(cached)
        raise


def _enter(source: "str | Registry", owner: Owner) -> "tuple[Installation, Change | None]":
    installation = _same(source, owner)
    change = None
    if installation is None:
        ledger.watch_forks()
        installation = Installation(source, owner)
        change = _change((*ledger.owners, owner), (owner,))
        installation._bound = cold.bind(owner)
        _installations.append(installation)
    installation._count += 1
    return installation, change


def _same(source: "str | Registry", owner: Owner) -> "Installation | None":
    """Return the installation of the very same rows under the same policy, if there is one."""
    for installation in _installations:
        other = installation._owner
        if installation._source == source and other.on_conflict == owner.on_conflict and other.layers == owner.layers:
            return installation
    return None


def _take_out(installations: "list[Installation]") -> "Change | None":
    """Take `installations` out of copyreg and out of the list; the caller holds the lock and sets their counts."""
    going = [installation._owner for installation in installations]
    change = _change(tuple(owner for owner in ledger.owners if owner not in going))
    for installation in installations:
        if installation._bound is not None:
            installation._bound.undo()
            installation._bound = None
        if installation._watches:
            cold.watch_reloads(False)
            installation._watches = False
    _installations[:] = [entry for entry in _installations if entry not in installations]
    return change


def _reload(chosen: "list[Installation] | None") -> "frozenset[int]":
    with ledger.lock:
        installations = [entry for entry in _installations if chosen is None or entry in chosen]
        fresh = {entry: Owner(_read(entry._source), entry._owner.on_conflict) for entry in installations}
        fresh = {entry: owner for entry, owner in fresh.items() if owner.layers != entry._owner.layers}
        change = _exchange(fresh) if fresh else None
    codes = change.codes if change is not None else frozenset()
    _settle(change)
    hooks.clear_cache(codes)
    return codes


def _exchange(fresh: "dict[Installation, Owner]") -> Change:
    """Give each installation its fresh owner, all of them or none."""
    former = ledger.owners
    replacements = {entry._owner: owner for entry, owner in fresh.items()}
    bound: dict[Installation, cold.Bound | None] = {}
    try:
        change = _change(tuple(replacements.get(owner, owner) for owner in former), replacements.values())
        for entry, owner in fresh.items():
            bound[entry] = cold.bind(owner)
    except BaseException:
        ledger.change(former)
        for binding in bound.values():
            if binding is not None:
                binding.undo()
        raise
    for entry, owner in fresh.items():
        if entry._bound is not None:
            entry._bound.undo()
        entry._owner, entry._bound = owner, bound[entry]
    return change


def _change(owners: "tuple[Owner, ...]", changed: "Collection[Owner]" = ()) -> Change:
    try:
        return ledger.change(owners, changed)
    except Refused as refused:
        layers = tuple(rows for owner in owners for rows in owner.layers)
        raise cold.conflict_error(refused.clashes, layers) from None


def _announce(change: "Change | None") -> None:
    """Finish a change outside the lock: see to it that no load brings back what is gone, and call the callbacks."""
    if change is None:
        return
    if change.stale:
        _settle(change)
        hooks.evict(change.codes)
    else:
        hooks.tell(change.coming)


def _settle(change: "Change | None") -> None:
    if change is not None and change.stale:
        cold.settle({module for module, _ in change.stale.values()}, change.stale)


def _bad_policy(policy: str, argument: str) -> Exception:
    from extreg.errors import ExtregError

    place = "on_conflict" if policy == argument else f"${VARIABLE}"
    return ExtregError(f"{place} is {policy!r}, expected one of {', '.join(map(repr, POLICIES))}")
