"""What a place is to those who read it: parts, cells, swap, close."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Protocol
from zlib import crc32

from extreg.errors import UnreadableError
from extreg.pickles.walking.opcodes import Buffer
from extreg.stores.items import Fault, Passed


class PlaceError(UnreadableError):
    """A place that cannot be opened, or stopped answering: what was read before holds, and the rest was not read."""


class StaleCursorError(PlaceError):
    """A cursor that means nothing any more, as after a restart of the server: its part has to be read anew."""


class ReadOnlyError(PlaceError):
    """A place whose cells are not changed here."""


class Cell(NamedTuple):
    """One value in a place.

    ``key`` (str) is how a person is told where it is, unique in its place; it came from elsewhere, so show it by
    `printable`.  ``data`` is what the cell holds, envelopes around it and all, valid until the next cell is asked for.
    ``cursor`` (str) is opaque: ``cells(part, cursor)`` goes on behind this cell.
    """

    key: str
    data: Buffer
    cursor: str


class Change(NamedTuple):
    """What a cell is to hold instead: ``new`` for ``old``, at the ``cursor`` that came with it."""

    cursor: str
    old: bytes
    new: bytes


class Store(Protocol):
    """A place that holds pickles, of whatever kind."""

    place: str
    """The place as it may be shown and written down: without credentials.  It can be opened again as it stands, by
    whoever has the credentials in the environment."""

    def parts(self, count: int) -> Sequence[str]:
        """Return `count` opaque texts for `cells`: together they are everything, and nothing is in two of them.

        They are the same for the same place and count, on every machine and at any time.
        """

    def cells(self, part: str, cursor: str | None = None) -> Iterator[Cell | Fault | Passed]:
        """Yield what is in a part, behind `cursor` if there is one, in an order that holds.

        A Fault is one cell, or what else is named in it, that cannot be read, and that the walk goes on behind.
        Raises `PlaceError` where the place does not answer any more, and `StaleCursorError` where `cursor` cannot be
        gone on from.
        """

    def swap(self, changes: Iterable[Change]) -> Iterator[bool]:
        """Put what is new into cells that hold what is old, and yield of each whether it did.

        A cell that somebody else wrote meanwhile stays theirs.  Raises `ReadOnlyError` where nothing is changed.
        """

    def size(self) -> int | None:
        """Return about how many cells there are, or None where that would take a walk over them."""

    def close(self) -> None:
        """Give back what it takes to read the place."""


Opener = Callable[[str], Store]
Openers = Mapping[str, Opener]


class Part(NamedTuple):
    """One ``of`` so many parts of a place: what is in it is known by the hash of its name, which gives its ``number``
    (from 0).
    """

    number: int
    of: int

    @classmethod
    def parse(cls, text: str) -> "Part":
        """Return the part that `text` is; raises `PlaceError` for what is none."""
        number, _, of = text.partition("/")
        if not (number.isdecimal() and of.isdecimal() and 1 <= int(number) <= int(of)):
            raise PlaceError(f"{text!r} is no part of a place", "parts are written as 1/4, the first of four")
        return cls(int(number) - 1, int(of))

    def has(self, name: bytes) -> bool:
        """Tell whether what is called `name` is in this part."""
        return self.of == 1 or crc32(name) % self.of == self.number


def parts(count: int) -> Sequence[str]:
    """Return the texts of `count` parts."""
    if count < 1:
        raise PlaceError(f"a place cannot be cut into {count} parts", "give 1 or more")
    return [f"{number}/{count}" for number in range(1, count + 1)]


def read_only(place: str) -> ReadOnlyError:
    """Return the error for a change in a place that is only read."""
    return ReadOnlyError(f"{place} is read, and not changed here", "files are what is rewritten in place")
