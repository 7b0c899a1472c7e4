"""The difference of two registries: what changed, and who can still read whom."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, NamedTuple

from extreg.registry.model import Registry, State

Kind = Literal[
    "added", "promoted", "demoted", "retired", "revived", "moved", "reassigned", "deleted", "recorded", "aliased"
]
Verdict = Literal["identical", "any-order", "readers-first", "writers-first", "two-steps", "never"]


class Row(NamedTuple):
    """What one registry says about one code: its state, its target, former targets, oldest first, and aliases."""

    state: State
    target: str
    former: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()


def rows(registry: Registry) -> Mapping[int, Row]:
    """Return every row of `registry` by its code."""
    return registry.derived(_rows)


def _rows(registry: Registry) -> Mapping[int, Row]:
    states: tuple[tuple[State, Mapping[int, str]], ...] = (
        ("live", registry.codes),
        ("load-only", registry.load_only),
        ("retired", registry.retired),
    )
    found = {code: Row(state, target) for state, table in states for code, target in table.items()}
    for code in {*registry.moved, *registry.aliases}:
        found[code] = found[code]._replace(former=registry.moved.get(code, ()), aliases=registry.aliases.get(code, ()))
    return MappingProxyType(found)


def same_meaning(one: Row, two: Row) -> bool:
    """Whether two rows of a code mean the same class, under the same name or since it moved from one to the other."""
    return one.target == two.target or one.target in two.former or two.target in one.former


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One code that is not the same on both sides; a side that lacks it is None."""

    code: int
    old: Row | None
    new: Row | None

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What happened to the code; a class that moved while its code was promoted gives two."""
        if self.old is None:
            return ("added",)
        if self.new is None:
            return ("deleted",)
        found = (*self._target_kinds(self.old, self.new), *self._state_kinds(self.old, self.new))
        if set(self.old.aliases) != set(self.new.aliases):
            found = (*found, "aliased")
        return found or ("recorded",)

    @staticmethod
    def _target_kinds(old: Row, new: Row) -> Iterator[Kind]:
        if old.target != new.target:
            yield "moved" if same_meaning(old, new) else "reassigned"

    @staticmethod
    def _state_kinds(old: Row, new: Row) -> Iterator[Kind]:
        if old.state == new.state:
            return
        if old.state == "retired":
            yield "revived"
        elif new.state == "retired":
            yield "retired"
        else:
            yield "promoted" if new.state == "live" else "demoted"

    def __str__(self) -> str:
        """The change in words, after the code."""
        if self.old is None:
            assert self.new is not None
            return f"added as {self.new.state}: {self.new.target}"
        if self.new is None:
            return f"deleted: it was {self.old.state} and meant {self.old.target}"
        words = ", ".join(
            _WORDS[kind].format(old=self.old, new=self.new, aliases=", ".join(self.new.aliases) or "none")
            for kind in self.kinds
        )
        return f"{words}: {self.new.target}" if self.old.target == self.new.target else words


_WORDS: dict[Kind, str] = {
    "promoted": "promoted from load-only to live",
    "demoted": "demoted from live to load-only",
    "retired": "retired (it was {old.state})",
    "revived": "revived: it was retired and is {new.state}",
    "moved": "moved from {old.target} to {new.target}",
    "reassigned": "reassigned from {old.target} to {new.target}, and no move says that they are the same",
    "recorded": "former targets changed",
    "aliased": "other names are now {aliases}",
}


class Setting(NamedTuple):
    """A range, rename, reducer or included package that is not the same on both sides, each in words or None."""

    table: Literal["former-names", "include", "ranges", "renamed", "reducers"]
    name: str
    old: str | None
    new: str | None

    def __str__(self) -> str:
        """The change in words."""
        if self.table == "former-names":
            return f"former-names: {self.old} became {self.new}"
        what = {"include": "included package", "ranges": "range", "renamed": "rename of", "reducers": "reducer of"}[
            self.table
        ]
        if self.old is None or self.new is None:
            shown = self.old or self.new
            verb = "added" if self.old is None else "removed"
            return f"{what} {self.name}: {verb}" + (f" ({shown})" if shown != self.name else "")
        return f"{what} {self.name}: {self.old} became {self.new}"


class StateVersion(NamedTuple):
    """How the pickled state of a class is versioned on both sides (`extreg.reduce.versioned`), in words.

    ``unread_by_new`` says that new readers refuse what old writers write of it, ``unread_by_old`` that old readers
    refuse what new writers do; None where only running the code would tell.
    """

    code: int
    target: str
    old: str
    new: str
    unread_by_new: bool | None
    unread_by_old: bool | None

    @property
    def judged(self) -> bool:
        """Whether it is known who reads whom."""
        return self.unread_by_new is not None and self.unread_by_old is not None

    def __str__(self) -> str:
        """The change in words, after the code."""
        return f"state of {self.target}: {self.old} became {self.new}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What turns one registry into another, and what that means for programs that hold either.

    ``changes`` are the codes that differ, ascending; ``settings`` the ranges, renames, reducers and includes.  Of the
    codes,
    ``unread_by_new`` are those that old writers dump and new readers cannot load as the same class, ``unread_by_old``
    those that new writers dump and old readers cannot; ``ended`` are those that old readers loaded though nobody dumped
    them any more, and that new readers do not: pickles from before their demotion.  ``versions`` are the classes whose
    state has another version, or writes another one; what one side refuses of them is among the unread codes.
    """

    changes: tuple[Change, ...]
    settings: tuple[Setting, ...]
    unread_by_new: tuple[int, ...]
    unread_by_old: tuple[int, ...]
    ended: tuple[int, ...]
    versions: tuple[StateVersion, ...] = ()

    @classmethod
    def of(cls, old: Registry, new: Registry, versions: Iterable[StateVersion] = ()) -> "Difference":
        """Return the difference that leads from `old` to `new`, and from old to new `versions` of states."""
        states = tuple(versions)
        before, after = rows(old), rows(new)
        ended = {code for code, row in before.items() if row.state == "load-only" and not _loads(after.get(code), row)}
        return cls(
            changes=tuple(
                Change(code=code, old=before.get(code), new=after.get(code))
                for code in sorted(before.keys() | after.keys())
                if before.get(code) != after.get(code)
            ),
            settings=tuple(_settings(old, new)),
            unread_by_new=_with(_unread(before, after), (state.code for state in states if state.unread_by_new)),
            unread_by_old=_with(_unread(after, before), (state.code for state in states if state.unread_by_old)),
            ended=tuple(sorted(ended)),
            versions=states,
        )

    @property
    def contradictory(self) -> tuple[int, ...]:
        """The codes that mean one thing to one side and another to the other, so that no order of deploys helps."""
        return tuple(change.code for change in self.changes if "reassigned" in change.kinds)

    @property
    def unjudged(self) -> tuple[Setting, ...]:
        """The settings that pickles may notice and that two registries alone do not tell: reducers and includes."""
        return tuple(setting for setting in self.settings if setting.table not in ("ranges", "renamed", "former-names"))

    @property
    def verdict(self) -> Verdict:
        """In which order readers and writers may be deployed."""
        if not self.changes and not self.settings and not self.versions:
            return "identical"
        if self.contradictory:
            return "never"
        if self.unread_by_new:
            return "two-steps" if self.unread_by_old else "writers-first"
        return "readers-first" if self.unread_by_old else "any-order"

    @property
    def safe(self) -> bool:
        """Whether every order is safe, nothing stops loading, and nothing had to be left unjudged."""
        judged = not self.unjudged and all(state.judged for state in self.versions)
        return self.verdict in ("identical", "any-order") and not self.ended and judged


def _with(codes: tuple[int, ...], more: Iterable[int]) -> tuple[int, ...]:
    return tuple(sorted({*codes, *more}))


def _loads(reader: Row | None, dumped: Row) -> bool:
    return reader is not None and reader.state != "retired" and same_meaning(reader, dumped)


def _unread(writer: Mapping[int, Row], reader: Mapping[int, Row]) -> tuple[int, ...]:
    """Return the codes that `writer` dumps and `reader` cannot load as the same class."""
    return tuple(
        sorted(code for code, row in writer.items() if row.state == "live" and not _loads(reader.get(code), row))
    )


def _settings(old: Registry, new: Registry) -> Iterator[Setting]:
    if old.former_names != new.former_names:
        yield Setting("former-names", "", *(str(side.former_names).lower() for side in (old, new)))
    for package in dict.fromkeys((*old.include, *new.include)):
        sides = [package if package in registry.include else None for registry in (old, new)]
        if sides[0] != sides[1]:
            yield Setting("include", package, *sides)
    for name in dict.fromkeys((*old.ranges, *new.ranges)):
        if old.ranges.get(name) != new.ranges.get(name):
            yield Setting("ranges", name, _range_words(old, name), _range_words(new, name))
    for name in dict.fromkeys((*old.renamed, *new.renamed)):
        if old.renamed.get(name) != new.renamed.get(name):
            yield Setting("renamed", name, old.renamed.get(name), new.renamed.get(name))
    for kind in dict.fromkeys((*old.reducers, *new.reducers)):
        if old.reducers.get(kind) != new.reducers.get(kind):
            yield Setting("reducers", kind, old.reducers.get(kind), new.reducers.get(kind))


def _range_words(registry: Registry, name: str) -> str | None:
    span = registry.ranges.get(name)
    if span is None:
        return None
    modules = f", for {', '.join(span.modules)}" if span.modules else ""
    return f"{span.first} to {span.last} by {span.allocate}{modules}"
