"""Taking a census on the command line: of which places, by whom, with a journal or without."""

import argparse
from contextlib import ExitStack
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

from extreg.census.counts import Counts, Told
from extreg.census.crews import Alone, Crew, Failure, Processes
from extreg.census.journal import Journal
from extreg.census.opened import Opened, Work
from extreg.census.places import canonical, configured_places, distinct, is_url
from extreg.census.position import Options, Position
from extreg.census.record import Census, Place, begin
from extreg.census.running import EVERY, Share, check_same, cut, take
from extreg.cli.output import note
from extreg.cli.progress import Bar
from extreg.errors import UnreadableError
from extreg.registry.model import Registry
from extreg.stores.faults import holding_none
from extreg.stores.store import PlaceError

# How many parts there are for each process, so that none waits long for the last one.
_PARTS_EACH = 4
_DASK = "dask:"


class Taken(NamedTuple):
    """What was counted in a ``share`` of all parts; the ``noun`` is for what holds pickles: a file, or a cell."""

    counts: Counts
    noun: str
    share: Share


def taken(arguments: argparse.Namespace, options: Options, registry: Registry | None) -> Taken:
    """Return what was counted as the arguments of ``scan`` say."""
    places = distinct(arguments.places or configured_places(Path.cwd()))
    noun = "cell" if any(map(is_url, places)) else "file"
    work = Work(places, options, EVERY, arguments.rate)
    with ExitStack() as stack:
        journal = stack.enter_context(Journal(arguments.journal)) if arguments.journal is not None else None
        census = _new(arguments, work, registry)
        failures: list[Failure] = []
        if journal is not None and journal.census is not None:
            check_same(journal.census, census, str(journal.path))
            census = journal.census
        if census.finished is not None:
            note(f"{arguments.journal} is finished, and is what follows; to count anew: rm {arguments.journal}")
        else:
            crew, parts = _crew(arguments)
            with Opened(work) as opened:
                if journal is None or journal.census is None:
                    failures += _cut(census, opened, parts, go_on=journal is None)
                size = opened.size
                work = work._replace(places=crew.places(work, opened))
            with Bar(noun, size // arguments.part.of if size else None, census.total.cells) as bar:
                failures += take(census, work, crew, journal=journal, progress=bar.add)
    counts = Counts()
    counts.add(census.total)
    _tell(counts, census, places, failures, arguments.journal)
    return Taken(counts, noun, arguments.part)


def _new(arguments: argparse.Namespace, work: Work, registry: Registry | None) -> Census:
    return begin(
        map(canonical, work.places),
        work.options,
        datetime.now(timezone.utc),
        share=arguments.part.number,
        shares=arguments.part.of,
        registry=registry.fingerprint if registry is not None else None,
    )


def _crew(arguments: argparse.Namespace) -> tuple[Crew, int]:
    """Return who is to read, and into how many parts a place is best cut for that."""
    if arguments.on is not None:
        if not arguments.on.startswith(_DASK) or arguments.jobs != 1:
            raise UnreadableError(
                f"--on {arguments.on}: expected dask:ADDRESS, and no --jobs", "--on dask:tcp://scheduler.example:8786"
            )
        from extreg.census.cluster import Cluster

        cluster = Cluster(arguments.on.removeprefix(_DASK))
        return cluster, _PARTS_EACH * cluster.threads
    if arguments.jobs > 1:
        return Processes(arguments.jobs), _PARTS_EACH * arguments.jobs
    return Alone(), 1


def _cut(census: Census, opened: Opened, parts: int, *, go_on: bool) -> list[Failure]:
    """Give the census the parts of its places; return which cannot be opened, if it is to `go_on` without."""
    failures = []
    share = Share(census.share, census.shares)
    digests = []
    for number in range(len(census.places)):
        try:
            positions, digest = cut(opened.store(number), number, share, parts)
        except PlaceError as error:
            if not go_on:
                raise
            failures.append(Failure(Position(number, ""), error.message, error.hint))
            continue
        census.expect(positions)
        digests.append(digest)
    census.cut = ",".join(digests)
    return failures


def _tell(counts: Counts, census: Census, places: list[str], failures: list[Failure], journal: Path | None) -> None:
    """Add to `counts` what was not read, and that nothing proves anything where there is nothing."""
    for failure in failures:
        number = failure.position.place
        name = places[number] if not is_url(places[number]) else census.places[number].place
        message = failure.message.removeprefix(f"{places[number]}: ").removeprefix(f"{name}: ")
        counts.tell(1, [Told(name, "", message)])
    if any(failure.position.part for failure in failures):
        note(
            f"{journal} holds what was counted: the same command goes on from there"
            if journal is not None
            else "with --journal FILE the same command goes on where it stopped"
        )
    failed = {failure.position.place for failure in failures}
    for number, place in enumerate(census.places):
        what = _nothing(place, places[number], counts, census) if number not in failed else None
        if what is not None:
            counts.tell(1, [Told(place.place if is_url(places[number]) else places[number], "", what)])


def _nothing(place: Place, given: str, counts: Counts, census: Census) -> str | None:
    """Return what is said of a place in which there is nothing, which may be a mistake, or not mounted."""
    if place.holding or (census.shares > 1 and not place.cells):
        return None
    if is_url(given):
        return None if place.cells else "there is nothing in it"
    if Path(given).is_dir():
        # Only where an answer rests on it.
        return "a folder without a file" if census.options.code is not None and not place.cells else None
    if any(told.path == given for told in counts.unreadable):
        return None
    return holding_none(kind for path, kind in counts.unknown if path == given).message
