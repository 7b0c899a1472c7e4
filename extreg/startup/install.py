"""install, reload and uninstall: registries into copyreg and out again, all or nothing."""

import os
import sys

from extreg.startup.find import find
from extreg.startup.ledger import Change, Owner, Refused, ledger
from extreg.startup.sources import read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from types import TracebackType
    from typing import Literal

    from extreg.registry.model import Registry
    from extreg.startup.cold import Bound
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
        self._bound: Bound | None = None
        self._watches = False

    @property
    def registry(self) -> "Registry":
        """The registry that is installed, as it was when it was last read; without what it includes."""
        from extreg.startup import cold

        return cold.registry_of(self._owner.layers[0])

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that say what all the rows installed here mean, included packages too."""
        from extreg.startup import cold

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
        _announce(ledger.locked(_leave, self))

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
    _announce(ledger.locked(_leave_all))


def set_aside(*, keep: bool) -> "Callable[[], None]":
    """Return a function that brings the list of installations back to how it is now, copyreg not included.

    Until then it is empty, unless `keep`.  For isolated tests.
    """
    installations = [(entry, entry._count, entry._owner, entry._bound, entry._watches) for entry in _installations]
    remember = ledger.locked(ledger.set_aside)
    if keep:
        remember()
    else:
        _installations.clear()

    def restore() -> None:
        kept = [entry for entry, *_ in installations]
        ledger.locked(_take_out, [entry for entry in _installations if entry not in kept])
        ledger.locked(remember)
        _installations[:] = [entry for entry, *_ in installations]
        for entry, count, owner, bound, watches in installations:
            entry._count, entry._owner, entry._bound, entry._watches = count, owner, bound, watches

    return restore


def _read(source: "str | Registry") -> "tuple[Rows, ...]":
    if isinstance(source, str):
        return read(source)
    from extreg.startup import cold

    return cold.rows_of(source)


def _bind(owner: Owner) -> "Bound | None":
    """Bind the reducers of an owner's rows, as their types' modules are imported; None when there are none."""
    if not any(rows.reducers for rows in owner.layers):
        return None
    from extreg.startup import cold

    return cold.bind(owner)


def _watch(wanted: bool) -> None:
    """Want the reload watcher, or want it no longer."""
    from extreg.startup import watch

    if wanted:
        watch.start()
    else:
        watch.stop()


def _install(source: "str | Registry", owner: Owner, watch_reloads: bool) -> Installation:
    cached = ledger.cached()
    try:
        installation, change = ledger.locked(_enter, source, owner, watch_reloads)
        _announce(change)
        return installation  # noqa: TRY300 - even an interrupt at this line must undo the change
    except BaseException:
        ledger.locked(_withdraw, owner, cached)
        raise


def _enter(source: "str | Registry", owner: Owner, watch_reloads: bool) -> "tuple[Installation, Change | None]":
    installation = _same(source, owner)
    change = None
    if installation is None:
        ledger.watch_forks()
        installation = Installation(source, owner)
        change = _change((*ledger.owners, owner), (owner,))
        installation._bound = _bind(owner)
        _installations.append(installation)
    if watch_reloads and not installation._watches:
        _watch(True)
        installation._watches = True
    installation._count += 1
    return installation, change


def _withdraw(owner: Owner, cached: "dict[int, object]") -> None:
    """Undo what an interrupted install did: nobody could uninstall what nobody was given."""
    entered = [entry for entry in _installations if entry._owner is owner]
    if entered or owner in ledger.owners:
        _take_out(entered, owner)
        ledger.cache_again(cached)


def _same(source: "str | Registry", owner: Owner) -> "Installation | None":
    """Return the installation of the very same rows under the same policy, if there is one."""
    for installation in _installations:
        other = installation._owner
        if installation._source == source and other.on_conflict == owner.on_conflict and other.layers == owner.layers:
            return installation
    return None


def _leave(installation: Installation) -> "Change | None":
    change = _take_out([installation]) if installation._count == 1 else None
    installation._count = max(0, installation._count - 1)
    return change


def _leave_all() -> Change:
    installations = list(_installations)
    change = _take_out(installations)
    for installation in installations:
        installation._count = 0
    return change


def _take_out(installations: "list[Installation]", *owners: Owner) -> Change:
    """Take `installations`, and `owners` without one, out of copyreg; their counts are the caller's."""
    going = (*owners, *(installation._owner for installation in installations))
    change = _change(tuple(owner for owner in ledger.owners if owner not in going))
    for installation in installations:
        if installation._bound is not None:
            installation._bound.undo()
            installation._bound = None
        if installation._watches:
            _watch(False)
            installation._watches = False
    _installations[:] = [entry for entry in _installations if entry not in installations]
    return change


def _reload(chosen: "list[Installation] | None") -> "frozenset[int]":
    change = ledger.locked(_read_again, chosen)
    from extreg.startup import cold

    cold.finish(change, everything=True)
    return change.codes if change is not None else frozenset()


def _read_again(chosen: "list[Installation] | None") -> "Change | None":
    installations = [entry for entry in _installations if chosen is None or entry in chosen]
    fresh = {entry: Owner(_read(entry._source), entry._owner.on_conflict) for entry in installations}
    fresh = {entry: owner for entry, owner in fresh.items() if owner.layers != entry._owner.layers}
    return _exchange(fresh) if fresh else None


def _exchange(fresh: "dict[Installation, Owner]") -> Change:
    """Give each installation its fresh owner, all of them or none."""
    former = ledger.owners
    replacements = {entry._owner: owner for entry, owner in fresh.items()}
    bound: dict[Installation, Bound | None] = {}
    try:
        change = _change(tuple(replacements.get(owner, owner) for owner in former), replacements.values())
        for entry, owner in fresh.items():
            bound[entry] = _bind(owner)
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
        from extreg.startup import cold

        layers = tuple(rows for owner in owners for rows in owner.layers)
        raise cold.conflict_error(refused.clashes, layers) from None


def _announce(change: "Change | None") -> None:
    """Finish a change outside the lock: see to it that no load brings back what is gone, and call the callbacks."""
    if change is None:
        return
    if change.stale:
        from extreg.startup import cold

        cold.finish(change)
    elif "extreg.startup.hooks" in sys.modules:  # else nobody can have subscribed
        sys.modules["extreg.startup.hooks"].tell(change.coming)


def _bad_policy(policy: str, argument: str) -> Exception:
    from extreg.errors import ExtregError

    place = "on_conflict" if policy == argument else f"${VARIABLE}"
    return ExtregError(f"{place} is {policy!r}, expected one of {', '.join(map(repr, POLICIES))}")
