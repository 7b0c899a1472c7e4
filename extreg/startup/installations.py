"""What happens to installations: entering beside others, leaving, reloading; each of it all or nothing."""

from extreg.startup import (
    CACHE,
    INSTALLED,
    POLICIES,
    VARIABLE,
    Installation,
    Owner,
    cold,
    hooks,
    ledger,
    nothing,
    watch,
)
from extreg.startup.sources import read
from extreg.startup.transition import Change, Refused, change

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from extreg.registry.model import Registry
    from extreg.startup import Rows
    from extreg.startup.cold import Bound


def enter(source: "str | Registry", owner: Owner, watch_reloads: bool) -> Installation:
    """Install the rows of `owner`, or count one more for whom they are installed already."""
    cached = dict(CACHE)
    try:
        installation, made = ledger.locked(_enter, source, owner, watch_reloads)
        _announce(made)
        return installation  # noqa: TRY300 - even an interrupt at this line must undo the change
    except BaseException:
        withdraw(owner, cached)
        raise


def withdraw(owner: Owner, cached: "dict[int, object]") -> None:
    """Undo what an interrupted install did: nobody could uninstall what nobody was given."""
    ledger.locked(_withdraw, owner, cached)


def leave(installation: Installation) -> None:
    """Count one less for whom the rows are installed; take them out after the last."""
    _announce(ledger.locked(_leave, installation))


def leave_all() -> None:
    """Take all installations out."""
    _announce(ledger.locked(_leave_all))


def reload(chosen: "list[Installation] | None") -> "frozenset[int]":
    """Read the `chosen` installations (None: all) again; return the codes whose meaning changed."""
    made = ledger.locked(_read_again, chosen)
    cold.finish(made, everything=True)
    return made.codes if made is not None else frozenset()


def set_aside(*, keep: bool) -> "Callable[[], None]":
    """Return a function that brings what extreg knows of installations back to how it is now, copyreg not included.

    Until then it knows of none, unless `keep`.  For isolated tests.
    """
    known = [(entry, entry._count, entry._owner, entry._bound, entry._watches) for entry in INSTALLED]
    former = ledger.owners, ledger.outside, ledger.stand
    if not keep:
        INSTALLED.clear()
        ledger.owners, ledger.outside, ledger.stand = (), nothing(), nothing()

    def restore() -> None:
        kept = [entry for entry, *_ in known]
        ledger.locked(_take_out, [entry for entry in INSTALLED if entry not in kept])
        ledger.owners, ledger.outside, ledger.stand = former
        INSTALLED[:] = kept
        for entry, count, owner, bound, watches in known:
            entry._count, entry._owner, entry._bound, entry._watches = count, owner, bound, watches

    return restore


def bad_policy(policy: str, argument: str) -> Exception:
    """Return the error for an `on_conflict` that there is not."""
    from extreg.errors import ExtregError

    place = "on_conflict" if policy == argument else f"${VARIABLE}"
    return ExtregError(f"{place} is {policy!r}, expected one of {', '.join(map(repr, POLICIES))}")


def _enter(source: "str | Registry", owner: Owner, watch_reloads: bool) -> "tuple[Installation, Change | None]":
    installation = _same(source, owner)
    made = None
    if installation is None:
        ledger.watch_forks()
        installation = Installation(source, owner)
        INSTALLED.append(installation)  # first: a child forked in between must know whose the rows are
        made = _change((*ledger.owners, owner), (owner,))
        installation._bound = _bind(owner)
    if watch_reloads and not installation._watches:
        watch.start()
        installation._watches = True
    installation._count += 1
    return installation, made


def _withdraw(owner: Owner, cached: "dict[int, object]") -> None:
    entered = [entry for entry in INSTALLED if entry._owner is owner]
    if entered or owner in ledger.owners:
        _take_out(entered, owner)
        CACHE.update(cached)


def _same(source: "str | Registry", owner: Owner) -> "Installation | None":
    """Return the installation of the very same rows under the same policy, if there is one."""
    for installation in INSTALLED:
        other = installation._owner
        same = installation._source == source and (other.on_conflict, other.layers) == (owner.on_conflict, owner.layers)
        if same and other in ledger.owners:
            return installation
    return None


def _leave(installation: Installation) -> "Change | None":
    made = _take_out([installation]) if installation._count == 1 else None
    installation._count = max(0, installation._count - 1)
    return made


def _leave_all() -> Change:
    leaving = list(INSTALLED)
    made = _take_out(leaving)
    for installation in leaving:
        installation._count = 0
    return made


def _take_out(leaving: "list[Installation]", *owners: Owner) -> Change:
    """Take the installations that are `leaving`, and `owners` without one, out of copyreg; counts are the caller's."""
    going = (*owners, *(installation._owner for installation in leaving))
    made = _change(tuple(owner for owner in ledger.owners if owner not in going))
    for installation in leaving:
        _unbind(installation)
        if installation._watches:
            watch.stop()
            installation._watches = False
    INSTALLED[:] = [entry for entry in INSTALLED if entry not in leaving]
    return made


def _read_again(chosen: "list[Installation] | None") -> "Change | None":
    wanted = [entry for entry in INSTALLED if entry._owner in ledger.owners and (chosen is None or entry in chosen)]
    fresh = {entry: Owner(_read(entry._source), entry._owner.on_conflict) for entry in wanted}
    fresh = {entry: owner for entry, owner in fresh.items() if owner.layers != entry._owner.layers}
    return _exchange(fresh) if fresh else None


def _exchange(fresh: "dict[Installation, Owner]") -> Change:
    """Give each installation its fresh owner, all of them or none."""
    former = ledger.owners
    replacements = {entry._owner: owner for entry, owner in fresh.items()}
    try:
        made = _change(tuple(replacements.get(owner, owner) for owner in former), replacements.values())
        _exchange_reducers(fresh)
    except BaseException:
        change(former)
        raise
    for entry, owner in fresh.items():
        entry._owner = owner
    return made


def _exchange_reducers(fresh: "dict[Installation, Owner]") -> None:
    """Bind the reducers of fresh owners in place of the former ones, where they differ; all of them or none."""
    differing = [entry for entry, owner in fresh.items() if _reducers(owner) != _reducers(entry._owner)]
    try:
        for entry in differing:
            _unbind(entry)
        for entry in differing:
            entry._bound = _bind(fresh[entry])
    except BaseException:
        for entry in differing:
            _unbind(entry)
        for entry in differing:
            entry._bound = _bind(entry._owner)
        raise


def _reducers(owner: Owner) -> "list[dict[str, str]]":
    return [rows.reducers for rows in owner.layers]


def _unbind(installation: Installation) -> None:
    if installation._bound is not None:
        installation._bound.undo()
        installation._bound = None


def _change(owners: "tuple[Owner, ...]", changed: "Collection[Owner]" = ()) -> Change:
    try:
        return change(owners, changed)
    except Refused as refused:
        layers = tuple(rows for owner in owners for rows in owner.layers)
        raise cold.conflict_error(refused.clashes, layers) from None


def _announce(made: "Change | None") -> None:
    """Finish a change outside the lock: see to it that no load brings back what is gone, and call the callbacks."""
    if made is None:
        return
    if made.stale:
        cold.finish(made)
    else:
        hooks.tell(made.coming)


def _read(source: "str | Registry") -> "tuple[Rows, ...]":
    return read(source) if isinstance(source, str) else cold.rows_of(source)


def _bind(owner: Owner) -> "Bound | None":
    """Bind the reducers of an owner's rows, as their types' modules are imported; None when there are none."""
    return cold.bind(owner) if any(_reducers(owner)) else None
