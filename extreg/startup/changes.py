"""What happens to installations: entering beside others, leaving, reloading; each of it all or nothing."""

import sys

from extreg.ledger import INSTALLED, Owner, clearing, ledger, nothing, settle
from extreg.ledger.moves import Change
from extreg.ledger.transition import Refused, change
from extreg.startup import read, wants_former, watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Collection

    from extreg.ledger import Entry, Rows
    from extreg.registry.model import Registry


class Entering:
    """One call of `install` under way: ``installation`` is whose it becomes, or None as long as it has no effect."""

    __slots__ = ("fresh", "installation", "watch_reloads", "watching")

    def __init__(self, fresh: "Entry", watch_reloads: bool) -> None:
        self.fresh = fresh
        self.watch_reloads = watch_reloads
        self.installation: Entry | None = None
        self.watching = False  # whether it was this call that began to watch


def enter(fresh: "Entry", watch_reloads: bool) -> "Entry":
    """Install the rows of the `fresh` installation and return it, or the same one of before, counted once more."""
    entering = Entering(fresh, watch_reloads)
    try:
        installation, made = ledger.locked(_enter, entering)
        _announce(made)
        return installation  # noqa: TRY300 - even an interrupt at this line must undo the change
    except BaseException:
        ledger.locked(_withdraw, entering)
        raise


def withdraw(installation: "Entry") -> None:
    """Undo what an interrupted first install did: nobody could uninstall what nobody was given."""
    ledger.locked(_take_out, [installation])


def leave(installation: "Entry") -> None:
    """Count one less for whom the rows are installed; take them out after the last."""
    _announce(ledger.locked(_leave, installation))


def leave_all() -> None:
    """Take all installations out."""
    _announce(ledger.locked(_leave_all))


def reload(chosen: "list[Entry] | None") -> "frozenset[int]":
    """Read the `chosen` installations (None: all) again; return the codes whose meaning changed."""
    made = ledger.locked(_read_again, chosen)
    finish(made, everything=True)
    return made.codes if made is not None else frozenset()


def set_aside(*, keep: bool) -> "Callable[[], None]":
    """Return a function that brings what extreg knows of installations back to how it is now, copyreg not included.

    Until then it knows of none, unless `keep`.  For isolated tests.
    """
    known = [(entry, entry._count, entry._owner, entry._bound, watch.watched_for(entry)) for entry in INSTALLED]
    former = ledger.owners, ledger.outside, ledger.stand
    if not keep:
        for entry in INSTALLED:
            _heal(entry, None)
        INSTALLED.clear()
        ledger.owners, ledger.outside, ledger.stand = (), nothing(), nothing()

    def restore() -> None:
        kept = [entry for entry, *_ in known]
        ledger.locked(_take_out, [entry for entry in INSTALLED if entry not in kept])
        ledger.owners, ledger.outside, ledger.stand = former
        INSTALLED[:] = kept
        for entry, count, owner, bound, watched in known:
            entry._count, entry._owner, entry._bound = count, owner, bound
            (watch.start if watched else watch.stop)(entry)
            _heal(entry, owner)

    return restore


def _enter(entering: Entering) -> "tuple[Entry, Change | None]":
    """Enter, all or nothing; from the moment that ``entering.installation`` is set on it takes a `_withdraw`."""
    installation, made = _same(entering.fresh) or entering.fresh, None
    before = installation._count
    try:
        try:
            if installation is entering.fresh:
                made = _put_in(installation)
            if entering.watch_reloads and not watch.watched_for(installation):
                entering.watching = True
                watch.start(installation)
            installation._count = before + 1
            entering.installation = installation
            return installation, made  # noqa: TRY300 - even an interrupt at this line must undo the change
        except BaseException:
            _turn_away(entering, installation, before)
            raise
    except BaseException:
        # Once more: an interrupt may have come while what was refused was being undone.
        _turn_away(entering, installation, before)
        raise


def _turn_away(entering: Entering, installation: "Entry", before: int) -> None:
    """Undo what an `_enter` did, for an installation that was wanted `before` times; twice is once."""
    entering.installation = None
    _stop_watching(entering, installation)
    installation._count = before
    if not before:
        _take_out([installation])


def _put_in(installation: "Entry") -> Change:
    """Put an installation's rows in, and its reducers; whoever is interrupted here takes it out again."""
    ledger.watch_forks()
    INSTALLED.append(installation)  # first: a child forked in between must know whose the rows are
    made = _change((*ledger.owners, installation._owner), (installation._owner,))
    _bind(installation, installation._owner)
    _heal(installation, installation._owner)
    return made


def _withdraw(entering: Entering) -> None:
    installation = entering.installation
    if installation is not None:
        entering.installation = None
        _stop_watching(entering, installation)
        _leave(installation)


def _stop_watching(entering: Entering, installation: "Entry") -> None:
    if entering.watching:
        watch.stop(installation)


def _same(fresh: "Entry") -> "Entry | None":
    """Return the installation of the very same rows under the same policy, if there is one."""
    owner = fresh._owner
    for installation in INSTALLED:
        other = installation._owner
        alike = (other.on_conflict, other.layers) == (owner.on_conflict, owner.layers)
        heals = [wants_former(entry._owner.layers, entry._former) for entry in (installation, fresh)]
        same = installation._source == fresh._source and alike and heals[0] == heals[1]
        if same and other in ledger.owners:
            return installation
    return None


def _leave(installation: "Entry") -> "Change | None":
    if installation._count == 1:
        return _take_out([installation])
    installation._count = max(0, installation._count - 1)
    return None


def _leave_all() -> Change:
    return _take_out(list(INSTALLED))


def _take_out(leaving: "list[Entry]") -> Change:
    """Take the installations that are `leaving` out, with all that belongs to them, or none of it."""
    going = [installation._owner for installation in leaving]
    try:
        # Where no rows came in, copyreg is not looked at.
        staying = tuple(owner for owner in ledger.owners if owner not in going)
        made = _change(staying) if len(staying) < len(ledger.owners) else Change({}, {})
        _forget(leaving)
        return made  # noqa: TRY300 - even an interrupt at this line must finish it
    except BaseException:
        if not any(owner in ledger.owners for owner in going):
            _forget(leaving)  # the rows are gone, and so goes the rest
        raise


def _forget(leaving: "list[Entry]") -> None:
    """Take reducers, watches and counts of what has no rows any more; twice is once."""
    for installation in leaving:
        _unbind(installation)
        watch.stop(installation)
        _heal(installation, None)
        installation._count = 0
    INSTALLED[:] = [entry for entry in INSTALLED if entry not in leaving]


def _read_again(chosen: "list[Entry] | None") -> "Change | None":
    wanted = [entry for entry in INSTALLED if entry._owner in ledger.owners and (chosen is None or entry in chosen)]
    fresh = {entry: Owner(_read(entry._source, entry._former), entry._owner.on_conflict) for entry in wanted}
    fresh = {entry: owner for entry, owner in fresh.items() if owner.layers != entry._owner.layers}
    return _exchange(fresh) if fresh else None


def _exchange(fresh: "dict[Entry, Owner]") -> Change:
    """Give each installation its fresh owner, all of them or none."""
    former = ledger.owners
    owned = {entry: entry._owner for entry in fresh}
    replacements = {owned[entry]: owner for entry, owner in fresh.items()}
    differing = [entry for entry, owner in fresh.items() if _reducers(owner) != _reducers(owned[entry])]
    try:
        try:
            made = _change(tuple(replacements.get(owner, owner) for owner in former), replacements.values())
            _rebind(differing, fresh)
            for entry, owner in fresh.items():
                entry._owner = owner
                _heal(entry, owner)
            return made  # noqa: TRY300 - even an interrupt at this line must undo the change
        except BaseException:
            _give_back(owned, differing, former)
            raise
    except BaseException:
        # Once more: an interrupt may have come while what was refused was being undone.
        _give_back(owned, differing, former)
        raise


def _give_back(owned: "dict[Entry, Owner]", differing: "list[Entry]", former: "tuple[Owner, ...]") -> None:
    for entry, owner in owned.items():
        entry._owner = owner
        _heal(entry, owner)
    _rebind(differing, owned)
    change(former)


def _rebind(entries: "list[Entry]", owners: "dict[Entry, Owner]") -> None:
    """Bind the reducers of `owners` in the place of those that the `entries` have."""
    for entry in entries:
        _unbind(entry)
    for entry in entries:
        _bind(entry, owners[entry])


def _reducers(owner: Owner) -> "list[dict[str, str]]":
    return [rows.reducers for rows in owner.layers]


def _unbind(installation: "Entry") -> None:
    if installation._bound is not None:
        installation._bound.undo()
        installation._bound = None


def _change(owners: "tuple[Owner, ...]", changed: "Collection[Owner]" = ()) -> Change:
    try:
        return change(owners, changed)
    except Refused as refused:
        layers = tuple(rows for owner in owners for rows in owner.layers)
        from extreg.startup.conflicts import conflict_error

        raise conflict_error(refused.clashes, layers) from None


def _announce(made: "Change | None") -> None:
    """Finish a change outside the lock: see to it that no load brings back what is gone, and call the callbacks."""
    if made is None:
        return
    if made.stale:
        finish(made)
    else:
        clearing.tell(made.coming)


def _read(source: "str | Registry", former_names: "bool | None") -> "tuple[Rows, ...]":
    if isinstance(source, str):
        return read(source, former_names)
    from extreg.startup.values import rows_of

    return rows_of(source, former_names=former_names)


def _heal(installation: "Entry", owner: "Owner | None") -> None:
    """Let plain pickle find the former names of an owner's rows, if it is to; none where there is no owner any more."""
    if owner is not None and wants_former(owner.layers, installation._former):
        from extreg.healing import start

        start(installation, [rows.rest["former"] for rows in owner.layers])
    elif "extreg.healing" in sys.modules:
        from extreg.healing import stop

        stop(installation)


def _bind(installation: "Entry", owner: Owner) -> None:
    """Bind the reducers of an owner's rows, as their types' modules are imported, if there are any."""
    if any(_reducers(owner)):
        from extreg.startup.reducers import binding_of

        # Kept before it begins, so that it can be undone wherever it is interrupted.
        installation._bound = binding_of(owner)
        installation._bound.begin()


def finish(made: "Change | None", *, everything: bool = False) -> None:
    """Finish a change of codes outside the ledger's lock: nothing of what they meant before may come back.

    Waits until no load in another thread can do that, evicts the codes (or all codes, for `everything`), and calls the
    callbacks.  Warns with RuntimeWarning when such a load has not ended in time.
    """
    if made is not None and made.stale and not settle.settle({module for module, _ in made.stale.values()}):
        from warnings import warn

        warn(
            f"another thread is still inside a load that began before these codes changed: {sorted(made.stale)}; it "
            f"has been waiting {settle.PATIENCE:.0f} seconds for an import or a find_class. Call extreg.clear_cache() "
            "once that has ended.",
            RuntimeWarning,
            stacklevel=4,
        )
    codes = made.codes if made is not None else frozenset()
    if everything:
        clearing.clear_cache(codes)
    else:
        clearing.evict(codes)
