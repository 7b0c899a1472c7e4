"""What was counted: plain numbers that add up in any order, and the first of what was not understood, by name."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple, TypeVar

from extreg.pickles.tally import Use

_Key = TypeVar("_Key")
Name = tuple[str, str]

# How many faults, cells with what was passed over, and cells with what is looked for are told one by one; all count.
TOLD = 1000


class Total(NamedTuple):
    """The use of one global or code in all cells together; ``files`` is how many files, or other cells, hold it."""

    files: int
    pickles: int
    references: int
    bytes: int


class Told(NamedTuple):
    """What is wrong with a ``member`` of the cell, or the file, that is called ``path``."""

    path: str
    member: str
    message: str


@dataclass(slots=True)
class Counts:
    """The sum over cells: so many ``cells`` were looked at, in so many files ``holding`` pickles or ``without`` any.

    A place that is no path has one cell for each of its "files".  What cannot be read is in neither of the two numbers:
    ``faults`` and ``opaque`` count it, and the first of both are told.
    """

    cells: int = 0
    holding: int = 0
    without: int = 0
    pickles: int = 0
    bytes: int = 0
    unresolved: int = 0
    faults: int = 0
    codes: dict[int, Total] = field(default_factory=dict)
    globals: dict[Name, Total] = field(default_factory=dict)
    opaque: dict[str, int] = field(default_factory=dict)
    unreadable: list[Told] = field(default_factory=list)
    # How many things of a kind, by the cell or file and the kind.
    unknown: dict[tuple[str, str], int] = field(default_factory=dict)
    # Where the code that is looked for is, by the cell or file.
    where: dict[str, Use] = field(default_factory=dict)

    @property
    def read(self) -> int:
        """How many files, or other cells, could be read, or some of each."""
        return self.holding + self.without

    @property
    def passed(self) -> int:
        """How many things were passed over that may hold pickles."""
        return sum(self.opaque.values())

    @property
    def whole(self) -> bool:
        """Whether every cell was understood."""
        return not self.faults and not self.opaque

    def add(self, other: "Counts") -> None:
        """Add what was counted elsewhere."""
        for name in ("cells", "holding", "without", "pickles", "bytes", "unresolved", "faults"):
            setattr(self, name, getattr(self, name) + getattr(other, name))
        add_totals(self.codes, other.codes)
        add_totals(self.globals, other.globals)
        for kind, count in other.opaque.items():
            self.opaque[kind] = self.opaque.get(kind, 0) + count
        self.unreadable += other.unreadable[: TOLD - len(self.unreadable)]
        for (path, kind), count in other.unknown.items():
            self._note(path, kind, count)
        for path, use in other.where.items():
            self.find(path, use)

    def find(self, path: str, use: Use) -> None:
        """Tell that the code that is looked for is in the cell or file called `path`."""
        have = self.where.get(path)
        if have is not None:
            self.where[path] = plus(have, use)
        elif len(self.where) < TOLD:
            self.where[path] = use

    def tell(self, count: int, faults: Iterable[Told]) -> None:
        """Count so many faults, and tell those in `faults`."""
        self.faults += count
        self.unreadable += list(faults)[: TOLD - len(self.unreadable)]

    def pass_over(self, path: str, kinds: Mapping[str, int]) -> None:
        """Count and tell what of the cell or file called `path` was passed over."""
        for kind, count in kinds.items():
            self.opaque[kind] = self.opaque.get(kind, 0) + count
            self._note(path, kind, count)

    def _note(self, path: str, kind: str, count: int) -> None:
        key = path, kind
        if key in self.unknown or len(self.unknown) < TOLD:
            self.unknown[key] = self.unknown.get(key, 0) + count


def add_uses(totals: dict[_Key, Total], uses: Mapping[_Key, Use], seen: set[_Key]) -> None:
    """Add the `uses` in a part of one file, in whose parts before it stands what was `seen`; note there what is new."""
    for key, (pickles, references, size) in uses.items():
        new = key not in seen
        seen.add(key)
        have = totals.get(key)
        if have is None:
            totals[key] = Total(1 if new else 0, pickles, references, size)
        else:
            totals[key] = Total(have[0] + new, have[1] + pickles, have[2] + references, have[3] + size)


def add_totals(totals: dict[_Key, Total], more: Mapping[_Key, Total]) -> None:
    """Add totals to totals."""
    for key, total in more.items():
        have = totals.get(key)
        totals[key] = total if have is None else Total(*(one + other for one, other in zip(have, total, strict=True)))


def plus(one: Use, other: Use) -> Use:
    """Return two uses as one."""
    return Use(one.pickles + other.pickles, one.references + other.references, one.bytes + other.bytes)
