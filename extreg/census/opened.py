"""The places that a process reads: opened when the first part of each is, and closed at the end."""

from collections.abc import Callable, Iterator, Sequence
from types import TracebackType
from typing import NamedTuple

from extreg.census.naming import Naming
from extreg.census.position import Options, Position, Step
from extreg.census.steps import Pace, steps
from extreg.stores.file_store import FileStore
from extreg.stores.opening import installed, open_store
from extreg.stores.store import Store


class Work(NamedTuple):
    """What to read and how: the ``places``, as they are opened, and every how many seconds there is a step.

    All who read together read ``rate`` cells a second at most, where there is one.
    """

    places: Sequence[str]
    options: Options
    every: float
    rate: float | None = None


class Opened:
    """The places of a piece of work, as far as they are open."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._stores: dict[int, Store] = {}

    def steps(
        self, position: Position, pace: Pace | None = None, announce: Callable[[Step], None] | None = None
    ) -> Iterator[Step]:
        """Yield the steps of a part behind `position`; raise `PlaceError` where the place does not answer."""
        store = self.store(position.place)
        every = self._work.every if announce is None else 0.0
        name = Naming(store.place, isinstance(store, FileStore))
        return steps(store, position, self._work.options, naming=name, every=every, pace=pace, announce=announce)

    def store(self, number: int) -> Store:
        """Return the place of that number, open."""
        if number not in self._stores:
            self._stores[number] = opened(self._work.places[number])
        return self._stores[number]

    @property
    def size(self) -> int | None:
        """About how many cells there are in all the places that are open; None where one of them cannot tell."""
        sizes = [store.size() for store in self._stores.values()]
        return None if None in sizes else sum(size for size in sizes if size is not None)

    @property
    def shown(self) -> list[str]:
        """The places as they are written down: they can be opened by whoever has the credentials in the environment."""
        return [self.store(number).place for number in range(len(self._work.places))]

    def __enter__(self) -> "Opened":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for store in self._stores.values():
            store.close()
        self._stores.clear()


def opened(place: str) -> Store:
    """Open a place; what other packages open is asked for only where there is a scheme."""
    return open_store(place, installed() if ":" in place else None)
