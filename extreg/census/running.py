"""Taking a census: cutting places into parts, having them read, adding up what comes, and writing that down."""

from collections.abc import Callable
from datetime import datetime, timezone
from hashlib import sha256
from time import monotonic
from typing import NamedTuple

from extreg.census.counts import Counts
from extreg.census.crews import Crew, Failure
from extreg.census.journal import Journal
from extreg.census.opened import Work
from extreg.census.position import Position, Step
from extreg.census.record import Census
from extreg.errors import UnreadableError
from extreg.stores.store import Store

# How often there is a step, and the journal is written, in seconds; writing may take a twentieth of the time.
EVERY = 0.25
_SELDOM = 20


class Share(NamedTuple):
    """The ``number``-th of ``of`` shares of all parts, counted from 1."""

    number: int = 1
    of: int = 1

    def __str__(self) -> str:
        return f"{self.number}/{self.of}"


def cut(store: Store, number: int, share: Share, parts: int) -> tuple[list[Position], str]:
    """Return the parts of the place of that number that are in `share`, and a digest of all.

    The digest tells whether another share was cut from the same.  Of one share alone there are about as many as
    `parts`.
    """
    texts = list(store.parts(share.of if share.of > 1 else parts))
    digest = sha256(repr(texts).encode()).hexdigest()[:16]
    return [Position(number, text) for text in texts[share.number - 1 :: share.of]], digest


def take(
    census: Census,
    work: Work,
    crew: Crew,
    *,
    journal: Journal | None = None,
    progress: Callable[[int], None] = lambda _: None,
) -> list[Failure]:
    """Have all parts read that are left of `census`, and add up what is counted; return those that were given up.

    The journal is written now and then, and at the end: also where this is interrupted.  `progress` hears how many
    cells were read.
    """
    taking = _Taking(census, journal)
    try:
        for answer in crew.read(work, [part.position for part in census.parts]):
            if isinstance(answer, Failure):
                taking.fail(answer)
            else:
                taking.add(answer)
                progress(answer.counts.cells)
        if not taking.failures:
            census.finish(_now())
    finally:
        taking.write()
    return taking.failures


def _now() -> datetime:
    return datetime.now(timezone.utc).replace(microsecond=0)


class _Taking:
    """A census that is being taken."""

    def __init__(self, census: Census, journal: Journal | None) -> None:
        self.failures: list[Failure] = []
        self._census = census
        self._journal = journal
        self._parts = {_key(part.position): part for part in census.parts}
        self._due = monotonic() + EVERY
        self._adding = False

    def add(self, step: Step) -> None:
        """Add a step: its counts and where they end, both or neither."""
        self._adding = True
        census, key = self._census, _key(step.position)
        part = self._parts[key]
        place = census.places[step.position.place]
        place.cells += step.counts.cells
        place.holding += step.counts.holding
        part.counts.add(step.counts)
        part.position = step.position
        if step.position.done:
            census.counts.add(part.counts)
            census.parts.remove(part)
            del self._parts[key]
        self._adding = False
        if monotonic() >= self._due:
            self.write()

    def fail(self, failure: Failure) -> None:
        """Note that a part was given up; where its cursor means nothing any more, forget what it counted."""
        self.failures.append(failure)
        if failure.stale:
            part = self._parts[_key(failure.position)]
            place = self._census.places[failure.position.place]
            place.cells -= part.counts.cells
            place.holding -= part.counts.holding
            part.position, part.counts = Position(failure.position.place, failure.position.part), Counts()

    def write(self) -> None:
        """Write the journal, if there is one; not where an interrupt came while something was added."""
        if self._journal is not None and not self._adding:
            begun = monotonic()
            self._journal.write(self._census)
            now = monotonic()
            self._due = now + max(EVERY, _SELDOM * (now - begun))


def _key(position: Position) -> tuple[int, str]:
    return position.place, position.part


def check_same(journal: Census, census: Census, path: str) -> None:
    """Raise `UnreadableError` unless the `journal` in the file at `path` is of what `census` is to be."""
    differences = [
        (f"places {', '.join(journal.names)}", f"{', '.join(census.names)}") if journal.names != census.names else None,
        (f"part {journal.share}/{journal.shares}", f"part {census.share}/{census.shares}")
        if (journal.share, journal.shares) != (census.share, census.shares)
        else None,
        (str(journal.options), str(census.options)) if journal.options != census.options else None,
    ]
    for difference in filter(None, differences):
        found, wanted = difference
        raise UnreadableError(
            f"{path} is the journal of another scan: of {found}, and this one is of {wanted}",
            "give another file to --journal; or remove that one, and count anew",
        )
