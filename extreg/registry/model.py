"""The registry: which code means which global, for ever."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from functools import partial
from operator import itemgetter
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast

from extreg.errors import RegistryError
from extreg.registry.fingerprint import fingerprint
from extreg.registry.invariants import (
    alias_problems,
    moved_problems,
    name_problems,
    range_problems,
    renamed_problems,
    row_problems,
    setting_problems,
    table_problems,
)
from extreg.registry.ranges import BUILT_IN, Range
from extreg.registry.renames import Names, names_of

if TYPE_CHECKING:
    from extreg.registry.toml.schema import Tables

State = Literal["live", "load-only", "retired"]
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Registry:
    """One registry.toml as a value: frozen, checked, comparable, picklable.

    Attributes are read-only mappings: ``codes``, ``load_only`` and ``retired`` map a code (int) to its target
    (``"module:qualname"``), ``moved`` maps a code to its former targets (oldest first), ``aliases`` maps a code to the
    other names that its target has elsewhere, ``renamed`` maps former names of targets without a code, and of modules,
    to newer ones, ``reducers`` maps a type's target to its reduction function's, ``ranges`` maps a name to a `Range`,
    built-in ones included, and ``include`` names the packages whose own registry belongs to this one.
    ``former_names`` says that plain pickle finds former names where this registry is installed.

    Raises `RegistryError` when the tables contradict each other.
    """

    include: tuple[str, ...] = ()
    former_names: bool = False
    ranges: Mapping[str, Range] = field(default_factory=dict)
    codes: Mapping[int, str] = field(default_factory=dict)
    load_only: Mapping[int, str] = field(default_factory=dict)
    moved: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    retired: Mapping[int, str] = field(default_factory=dict)
    aliases: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    renamed: Mapping[str, str] = field(default_factory=dict)
    reducers: Mapping[str, str] = field(default_factory=dict)
    _live: Mapping[str, int] = field(init=False, repr=False, compare=False)
    _derived: dict[Any, Any] = field(init=False, repr=False, compare=False, default_factory=dict)

    def __post_init__(self) -> None:
        put = partial(object.__setattr__, self)
        problems = list(setting_problems(self.include, self.ranges, self.reducers))
        if problems:
            raise RegistryError(tuple(problems))
        put("ranges", MappingProxyType({**BUILT_IN, **self.ranges}))
        for name in ("codes", "load_only", "moved", "retired", "aliases", "renamed", "reducers"):
            put(name, MappingProxyType(_ordered(getattr(self, name))))
        problems = [*row_problems(self.tables), *name_problems("moved", self.moved)]
        problems += name_problems("aliases", self.aliases)
        if problems:
            raise RegistryError(tuple(problems))
        aliases = {name: code for code, names in self.aliases.items() if code in self.codes for name in names}
        put("_live", {**aliases, **{target: code for code, target in self.codes.items()}})
        problems = [
            *table_problems(self.tables),
            *moved_problems(self.tables, self.moved),
            *moved_problems(self.tables, self.aliases, "aliases"),
            *alias_problems(self.tables, self.aliases),
            *renamed_problems(self.renamed),
            *range_problems({name: (span.first, span.last) for name, span in self.ranges.items()}),
        ]
        if problems:
            raise RegistryError(tuple(problems))

    @classmethod
    def parse(cls, text: str, *, path: str = "<string>") -> "Registry":
        """Return the registry that TOML `text` describes; raise `RegistryError` naming every problem in it."""
        from extreg.registry.toml.page import Page

        page = Page.read(text, path=path)
        if page.problems:
            raise RegistryError(page.problems)
        return cls.of(page.tables)

    @classmethod
    def load(cls, path: "str | Path") -> "Registry":
        """Return the registry in the file at `path`; raise `RegistryError`, or `UnreadableError` without one."""
        from extreg.registry.toml.read_file import read_source

        return cls.parse(read_source(path), path=str(path))

    @classmethod
    def of(cls, tables: "Tables") -> "Registry":
        """Return the registry that the tables of a sound file describe."""
        return cls(
            include=tables.include,
            former_names=tables.former_names,
            ranges={name: Range(**row) for name, row in tables.ranges.items()},
            codes=tables.codes,
            load_only=tables.load_only,
            moved=tables.moved,
            retired=tables.retired,
            aliases=tables.aliases,
            renamed=tables.renamed,
            reducers=tables.reducers,
        )

    @property
    def tables(self) -> dict[str, Mapping[int, str]]:
        """The three code tables by the names they have in the file."""
        return {"codes": self.codes, "load-only": self.load_only, "retired": self.retired}

    @property
    def spent(self) -> set[int]:
        """Every code that was ever given out here: live, load-only and retired."""
        return {*self.codes, *self.load_only, *self.retired}

    def code(self, target: str) -> int | None:
        """Return the live code of `target`, the one it is dumped as, or None; an alias has its target's."""
        return self._live.get(target)

    def target(self, code: int) -> str | None:
        """Return what `code` loads as (live or load-only), or None."""
        return self.codes.get(code) or self.load_only.get(code)

    def current(self, target: str) -> str:
        """Return the name of today of what `target` (``"module:qualname"``) once was or elsewhere is called.

        ``moved``, ``aliases`` and ``renamed`` are followed to their end, of renamed modules the most specific row
        first.  `target` itself comes back where nothing leads on, where its ways part or go in a circle, and where it
        is what a live or load-only code means: that is never read as a former name.
        """
        return self.derived(Names).today(target)

    def names(self, target: str) -> tuple[str, ...]:
        """Return all names of `target`: the one of today first, then its aliases and its former names, newest first."""
        return tuple(names_of(self, target))

    def state(self, code: int) -> State | None:
        """Return in which state `code` is, or None where it was never given out."""
        if code in self.codes:
            return "live"
        if code in self.load_only:
            return "load-only"
        return "retired" if code in self.retired else None

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that say what this registry means to pickles."""
        loaded = {code: names for code, names in self.aliases.items() if code not in self.retired}
        former = dict(self.renamed) if self.former_names else {}
        moved = {code: names for code, names in self.moved.items() if self.former_names and code not in self.retired}
        return fingerprint(self.tables, self.reducers, self.include, loaded, moved, former)

    def __repr__(self) -> str:
        counts = {"live": self.codes, "load-only": self.load_only, "retired": self.retired}
        shown = ", ".join(f"{len(rows)} {state}" for state, rows in counts.items())
        return f"<extreg.Registry {self.fingerprint}: {shown}>"

    def derived(self, make: Callable[["Registry"], _T]) -> _T:
        """Return ``make(self)``, made once and kept as long as this registry: nothing in it can change."""
        try:
            return cast(_T, self._derived[make])
        except KeyError:
            return cast(_T, self._derived.setdefault(make, make(self)))

    def __reduce__(self) -> tuple[Any, ...]:
        # A read-only view cannot be pickled; what it shows can.
        state: dict[str, Any] = {
            entry.name: dict(value) if isinstance(value := getattr(self, entry.name), Mapping) else value
            for entry in fields(self)
            if entry.init
        }
        return partial(Registry, **state), ()

    def __hash__(self) -> int:
        return hash(self.fingerprint)


def _ordered(rows: Mapping[Any, Any]) -> dict[Any, Any]:
    """Return `rows` in ascending order; keys of other types than the rest are at the end, and named as problems."""
    try:
        return dict(sorted(rows.items(), key=itemgetter(0)))
    except TypeError:
        return dict(sorted(rows.items(), key=lambda row: (type(row[0]) is not int, type(row[0]) is int and row[0])))
