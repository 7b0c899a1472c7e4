"""How far a part of a place was read, and what was counted up to there: one unit, so that nothing counts twice."""

from dataclasses import dataclass, field
from typing import NamedTuple

from extreg.census.counts import Counts, Name


@dataclass(slots=True)
class Group:
    """What was seen so far of a file that has several cells, so that it counts as one file.

    ``holds`` is whether it has a pickle, ``wrong`` whether something in it was not understood; ``codes`` and
    ``globals`` are those that it was counted for.
    """

    key: str
    holds: bool = False
    wrong: bool = False
    codes: set[int] = field(default_factory=set)
    globals: set[Name] = field(default_factory=set)


class Position(NamedTuple):
    """A ``part`` of the place of that number: read to its end (``done``), or behind the cell at ``cursor``.

    ``group`` is the file of that cell, which may go on.
    """

    place: int
    part: str
    cursor: str | None = None
    done: bool = False
    group: Group | None = None


class Step(NamedTuple):
    """Where the reading of a part stands now, and what was counted since it stood at the position before."""

    position: Position
    counts: Counts


class Options(NamedTuple):
    """What a census looks for: everything, or one ``code`` alone; whether it ``carves``."""

    code: int | None = None
    carve: bool = False

    def __str__(self) -> str:
        words = ["" if self.code is None else f"--code {self.code}", "--carve" if self.carve else ""]
        return " ".join(filter(None, words)) or "neither --code nor --carve"
