"""Whether a census allows a code to be retired: what it says, and whether it was taken late enough."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

from extreg.census.places import covers
from extreg.census.record import Census, written
from extreg.errors import ExtregError, UnreadableError

# How far ahead of ours another machine's clock may be.
_SKEW = timedelta(minutes=10)
_WRITERS = (
    "every program that writes pickles must have run the release that demoted it before a census that counts: deploy "
    "that release everywhere, then take the census, then retire"
)
_SHOWN = 5


class Demotion(NamedTuple):
    """The ``commit`` that made a code load-only, and its ``time`` as the committer's clock had it."""

    commit: str
    time: datetime


def check_covers(census: Census, name: str, places: Sequence[str]) -> None:
    """Raise `ExtregError` unless the census called `name` is whole, understood everything, and covers `places`."""
    if census.finished is None:
        raise ExtregError(
            f"{name} is not finished: {len(census.parts)} of its parts are still to be read",
            "the command that began it goes on where it stopped",
        )
    if census.shares != 1:
        raise ExtregError(
            f"{name} is part {census.share}/{census.shares} of a census",
            f"add up all of them: extreg census merge {name} FILE --output WHOLE",
        )
    missing = [place for place in places if not any(covers(taken, place) for taken in census.names)]
    if missing:
        raise ExtregError(
            f"{name} does not cover {_listed(missing)}, where [tool.extreg] places says that pickles live; it covers "
            f"{_listed(census.names)}",
            "extreg scan --journal FILE reads all of them",
        )
    empty = [place for place in census.empty if any(covers(place, wanted) for wanted in places)]
    if empty:
        raise ExtregError(
            f"{name} found nothing at all in {_listed(empty)}: that proves nothing, it may not have been mounted",
            "where no pickles live any more, take it out of [tool.extreg] places",
        )
    counts = census.counts
    if not counts.whole:
        kinds = ", ".join(f"{count} {kind}" for kind, count in sorted(counts.opaque.items()))
        wrong = [
            f"{counts.faults} could not be read" if counts.faults else "",
            f"passed over: {kinds}" if kinds else "",
        ]
        first = counts.unreadable[0].path if counts.unreadable else next(iter(counts.unknown), ("",))[0]
        raise ExtregError(
            f"{name} did not understand everything that it saw ({'; '.join(filter(None, wrong))}), the first in "
            f"{first}; nobody can say that a code is in none of it",
            "mend, delete or move away what it names, then take the census anew: extreg scan --journal FILE",
        )


def check_unused(census: Census, name: str, code: int, target: str) -> None:
    """Raise `ExtregError` unless the census called `name` looked for `code`, and found none."""
    if census.options.code not in {None, code}:
        raise ExtregError(
            f"{name} looked for code {census.options.code} alone, not for {code}",
            f"extreg scan --code {code} --journal FILE",
        )
    use = census.counts.codes.get(code)
    if use is not None:
        raise ExtregError(
            f"code {code} ({target}) is in use: {name} counts it in {use.pickles} pickle{'s' * (use.pickles != 1)}",
            f"extreg scan --code {code} says where",
        )


def check_time(census: Census, name: str, code: int, demotion: Demotion | None, now: datetime) -> None:
    """Raise `ExtregError` where the census called `name` was started before `code` was load-only.

    None for `demotion` means that the code never was live.  What is compared is when the census was started, by the
    clock of the machine that took it, and the date of the commit, by the clock of the committer.
    """
    if census.started > now + _SKEW:
        raise UnreadableError(
            f"{name} was started at {written(census.started)}, and here it is {written(now)}: a clock is wrong",
            "set the clocks, and take the census anew: extreg scan --journal FILE",
        )
    if demotion is not None and census.started < demotion.time:
        raise ExtregError(
            f"{name} was started at {written(census.started)}, before code {code} was demoted: commit "
            f"{demotion.commit[:10]} has the date {written(demotion.time)} (the clocks are those of the machine "
            "that took the census, and of the committer); programs dumped the code until then",
            _WRITERS,
        )


def seen(census: Census, name: str) -> str:
    """Return what the census called `name` saw, in one line."""
    places = len(census.places)
    return (
        f"{name} counts it in none of {census.counts.cells} cells in {places} place{'s' * (places != 1)}, started at "
        f"{written(census.started)}. That holds only if every program that writes pickles ran the release that "
        "demoted it before then"
    )


def _listed(names: Sequence[str]) -> str:
    shown = ", ".join(names[:_SHOWN])
    return shown + (f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else "")


def first_demotion(versions: Iterator[tuple[str, datetime, Mapping[int, str]]], code: int) -> Demotion | None:
    """Return which of the `versions`, the newest first, is the first in a row of those that do not have `code` live.

    Each is a commit, its time, and the live codes in it.  None where no version had it live.
    """
    since: Demotion | None = None
    for commit, time, live in versions:
        if code in live:
            return since
        since = Demotion(commit, time)
    return None
