"""Reading a part of a place, in steps that can each be written down."""

from collections.abc import Callable, Iterator
from copy import deepcopy
from functools import partial
from time import monotonic, sleep
from typing import Final

from extreg.census.adder import Adder
from extreg.census.examine import CLEAR, KILLED, Examined, Look, examine, look_at
from extreg.census.naming import Naming
from extreg.census.position import Options, Position, Step
from extreg.census.search import Search
from extreg.stores.items import Fault, Passed
from extreg.stores.store import Cell, PlaceError, Store

# After how many bytes the clock is looked at, where each cell counts as some more.
_UNWATCHED: Final = 1 << 12
_EACH: Final = 1 << 8


class Pace:
    """Lets through so many cells a second; all of them where there is no ``rate``."""

    def __init__(self, rate: float | None = None) -> None:
        self.rate = rate
        self._due = monotonic()

    def wait(self) -> None:
        """Wait until the next cell is due.  What was not used for a while is not made up for."""
        if self.rate is not None:
            now = monotonic()
            if self._due > now:
                sleep(self._due - now)
            self._due = max(self._due, now) + 1 / self.rate


def steps(
    store: Store,
    position: Position,
    options: Options,
    *,
    naming: Naming,
    every: float,
    pace: Pace | None = None,
    announce: Callable[[Step], None] | None = None,
) -> Iterator[Step]:
    """Yield what was counted in a part behind `position`, about `every` so many seconds, and at its end.

    Cells are called as `naming` says.  A step ends behind a cell, so that its cursor and its counts
    are of the same cells; what cannot be read and has no cursor is counted with the cell that follows.  With `announce`
    each cell is a step, and before it is read that hears which step there is to be if nothing follows.  Raises
    `PlaceError` where the place stops answering, after what was read until then.
    """
    look = _look(options)
    each = not naming.files and not options.carve and announce is None
    adder = Adder(naming.split, position.group, code=options.code, each=each)
    plain = adder.plain
    wait = pace.wait if pace is not None and pace.rate is not None else None
    often = wait is not None or announce is not None
    due = monotonic() + every
    cursor = position.cursor
    late: list[Fault | Passed] = []
    left = _UNWATCHED
    try:
        for item in store.cells(position.part, position.cursor):
            if type(item) is not Cell:
                late.append(item)  # type: ignore[arg-type]
                continue
            key, data, cursor = item
            if late:
                adder.note_all(late)
                late.clear()
            if wait is not None:
                wait()
            if announce is not None:
                announce(_killed(adder, item, position))
            if plain is None or type(data) is not bytes or not plain(data):
                found = look(data) if type(data) is bytes else look_at(data, look)
                if found is CLEAR and not naming.files:
                    adder.counts.cells += 1  # most cells, where a code is looked for
                    adder.counts.holding += 1
                else:
                    adder.add(key, found)
            left -= _EACH + len(data)
            if left < 0 or often:
                left = _UNWATCHED
                if monotonic() >= due:
                    yield _step(position, cursor, adder)
                    due = monotonic() + every
    except PlaceError:
        # What `late` holds is behind the last cell, and comes again.
        yield _step(position, cursor, adder)
        raise
    adder.note_all(late)
    adder.close()
    yield Step(position._replace(cursor=None, done=True, group=None), adder.take())


def _step(position: Position, cursor: str | None, adder: Adder) -> Step:
    return Step(position._replace(cursor=cursor, group=deepcopy(adder.group)), adder.take())


def _killed(adder: Adder, cell: Cell, position: Position) -> Step:
    """Return the step that there is to be where reading `cell` kills this process."""
    other = deepcopy(adder)
    other.add(cell.key, Examined(0, 0, {}, {}, 0, [KILLED], {}))
    return Step(position._replace(cursor=cell.cursor, group=other.group), other.take())


def _look(options: Options) -> Look:
    if options.code is None:
        return partial(examine, carve=options.carve)
    return Search(options.code, carve=options.carve).look
