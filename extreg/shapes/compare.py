"""Two shapes of one class: what pickles that the one side dumps do to the other, which loads them.

Which side is older is not asked: lint turns them round for old readers of new data.
"""

from collections.abc import Callable, Iterator

from extreg.shapes.arguments import argument_changes, function_changes
from extreg.shapes.bases import base_changes
from extreg.shapes.change import Change, listed, quoted
from extreg.shapes.cures import add_values, as_list, migration, next_version
from extreg.shapes.enums import enum_changes
from extreg.shapes.shape import Shape
from extreg.shapes.signatures import Parameters

Function = Callable[[str], "Parameters | None"]


def compare(wrote: Shape, reads: Shape, function: Function) -> tuple[Change, ...]:
    """Return what pickles of `wrote` meet at `reads`; `function` gives the parameters of one of the reading side."""
    if wrote.unknown or reads.unknown or wrote.kind != reads.kind:
        return ()
    if wrote.kind == "function":
        return tuple(function_changes(wrote, reads))
    return (*_breaks(wrote, reads, function), *_pickling(wrote, reads))


def _breaks(wrote: Shape, reads: Shape, function: Function) -> Iterator[Change]:
    crossed = list(base_changes(wrote, reads))
    if crossed:
        yield from crossed
        return
    if wrote.enum is not None and reads.enum is not None:
        yield from enum_changes(wrote, reads)
        return
    refusals = list(argument_changes(wrote, reads, function))
    yield from refusals
    if refusals or wrote.tuple_fields is not None or wrote.builds:
        return
    if wrote.reduces is None:
        versions = list(_versions(wrote, reads))
        yield from versions
        if not versions:
            yield from _state(wrote, reads)


def _versions(wrote: Shape, reads: Shape) -> Iterator[Change]:
    """Look at the versions of `extreg.reduce.versioned`."""
    ours, theirs = reads.version, wrote.version
    if ours is None:
        if theirs is not None and theirs.writes is not None and not theirs.plain:
            yield Change(
                rule="version-lowered",
                wrote=f"versioned({theirs.writes})",
                reads="no versioned",
                when="load",
                effect=f"TypeError: {reads.name!r} object does not support item assignment",
                edits=(f"put @versioned({theirs.writes}, ...) back",),
            )
        return
    if ours.number is None or (theirs is not None and theirs.writes is None):
        return
    found = _written(wrote, reads)
    if found is None:
        return
    said = f"{found}, this program's class has {ours.number}"
    said = f"StateVersionError: {reads.target}: the pickled state has version {said}"
    if found > ours.number:
        edit = f"@versioned({found}, ...) again, or a higher version with a migration from {found}"
        yield Change(
            rule="version-lowered",
            wrote=f"version {found}",
            reads=f"version {ours.number}",
            when="load",
            effect=said,
            edits=(edit,),
        )
    elif found < ours.number and ours.steps is not None and found not in ours.steps:
        edit = f"migrations={{{found}: lambda state: {{**state}}, ...}} up to version {ours.number}"
        reach = f"migrations from {listed(map(str, sorted(ours.steps)))}" if ours.steps else "no migration"
        yield Change(
            rule="missing-migration",
            wrote=f"version {found}",
            reads=f"version {ours.number} with {reach}",
            when="load",
            effect=said,
            edits=(edit,),
        )


def _written(wrote: Shape, reads: Shape) -> int | None:
    """Return which version the reading side, which is versioned, takes a pickle for; None where that cannot be told."""
    if wrote.version is not None and not wrote.version.plain:
        return wrote.version.writes
    return reads.version.unversioned if reads.version is not None else None


def _state(wrote: Shape, reads: Shape) -> Iterator[Change]:
    if wrote.version is not None and wrote.version.back:
        return  # the state of an earlier version, which `reverse` makes
    if reads.restores is None and reads.version is None:
        slots = list(_slots(wrote, reads))
        yield from slots
        if slots:
            return
    elif reads.restores is None:
        yield from _lost(wrote, reads, rule="missing-migration" if not _migrates(wrote, reads) else "")
    yield from _gained(wrote, reads)


def _slots(wrote: Shape, reads: Shape) -> Iterator[Change]:
    kept = sorted(wrote.certain)
    if wrote.form == "dict" and kept and not (set(kept) <= wrote.slots):
        if reads.generated == "list":
            yield Change(
                rule="slots-gained",
                wrote=f"a __dict__ with {quoted(kept)}",
                reads=f"slots alone ({listed(reads.sequence)}) and frozen",
                when="silent",
                effect="loads with the names of attributes for their values",
                edits=(migration(reads, as_list(reads, "state")), f"leave slots out of {reads.name}"),
            )
        elif not reads.has_dict and not reads.generated:
            yield Change(
                rule="slots-gained",
                wrote=f"a __dict__ with {quoted(kept)}",
                reads=f"slots alone ({listed(sorted(reads.slots))})",
                when="load",
                effect=f"AttributeError: {reads.name!r} object has no attribute '__dict__'",
                edits=(migration(reads, "state"), f"leave the slots out of {reads.name}"),
            )
            return
    yield from _lost(wrote, reads, rule="slot-lost")


def _lost(wrote: Shape, reads: Shape, rule: str) -> Iterator[Change]:
    if (
        not rule
        or reads.has_dict
        or reads.generated
        or wrote.generated
        or reads.sets_with_care
        or wrote.form == "custom"
    ):
        return
    lost = sorted((wrote.slots & wrote.certain) - reads.slots - reads.values)
    if lost and not reads.values_open:
        dropped = "{name: value for name, value in state[1].items() if name in {" + quoted(lost) + "}}"
        dropped = dropped.replace("if name in", "if name not in")
        yield Change(
            rule=rule,
            wrote=f"slots {quoted(sorted(wrote.slots))}",
            reads=f"slots {quoted(sorted(reads.slots))} and no __dict__",
            when="load",
            effect=f"AttributeError: {reads.name!r} object has no attribute {lost[0]!r}",
            edits=(f"keep {quoted(lost)} in __slots__", migration(reads, f"(state[0], {dropped})")),
        )


def _migrates(wrote: Shape, reads: Shape) -> bool:
    """Whether a migration of the reading side runs on what the writing side dumps."""
    if reads.version is None or reads.version.number is None:
        return True
    found = _written(wrote, reads)
    return found is None or found < reads.version.number


def _gained(wrote: Shape, reads: Shape) -> Iterator[Change]:
    if reads.getattr or reads.layout == "BaseException" or wrote.open or reads.values_open:
        return
    if reads.restores is not None and reads.restores.any:
        return
    names = reads.certain - wrote.possible - wrote.values - reads.values - reads.guarded
    if reads.restores is not None:
        names -= reads.restores.names
    names -= {name for name in names if name.startswith("__") and name.endswith("__")}
    names -= _migrated(wrote, reads, names)
    quiet = {name for name in names if name.startswith("_") and name not in reads.read}
    for group, note in ((names - quiet, False), (quiet, True)):
        if group:
            yield _gain(wrote, reads, sorted(group), note=note)


def _migrated(wrote: Shape, reads: Shape, names: frozenset[str]) -> frozenset[str]:
    """Return those of `names` that a migration gives, or may give."""
    if reads.version is None or reads.version.number is None or not _migrates(wrote, reads):
        return frozenset() if reads.version is None or reads.version.number is not None else names
    found = _written(wrote, reads)
    given: set[str] = set()
    if reads.version.steps is None or found is None:
        return names
    for step in range(found, reads.version.number):
        mentioned = reads.version.names.get(step)
        if mentioned is None:
            return names
        given |= mentioned
    return frozenset(given)


def _gain(wrote: Shape, reads: Shape, names: list[str], *, note: bool) -> Change:
    gone = sorted(wrote.certain - reads.possible - reads.values)
    versioned = reads.version is not None
    first = names[0]
    effect = (
        f"AttributeError: {reads.name!r} object has no attribute {first!r}"
        if first not in reads.slots
        else f"AttributeError: object has no attribute {first!r}"
    )
    return Change(
        rule="missing-migration" if versioned and not note else "field-gained",
        wrote=f"no {quoted(names)}" + (f" at version {next_version(wrote) - 1}" if versioned else ""),
        reads=f"{quoted(names)} in every new instance",
        when="used",
        effect=effect,
        edits=add_values(wrote, reads, names, gone),
        gone=quoted(gone),
        note=note,
    )


def _pickling(wrote: Shape, reads: Shape) -> Iterator[Change]:
    names = [name for name in {**wrote.hooks, **reads.hooks} if wrote.hooks.get(name) != reads.hooks.get(name)]
    if names:
        yield Change(
            rule="pickling-changed",
            wrote=_described(wrote, names),
            reads=_described(reads, names),
            when="silent",
            effect="may be read otherwise than it was meant",
            edits=("load a pickle of the other side to see",),
        )


def _described(shape: Shape, names: list[str]) -> str:
    have = [name for name in names if name in shape.hooks]
    lack = [name for name in names if name not in shape.hooks]
    parts = [f"{listed(have)} of its own"] if have else []
    return " and ".join([*parts, *([f"no {listed(lack)}"] if lack else [])])
