"""What the pickles in many files refer to, counted in one process or in several, with the same result."""

import os
import signal
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple, TypeVar

from extreg.errors import UnreadableError
from extreg.files.found import Found
from extreg.files.stored import Fault, contents
from extreg.pickles.tally import Use, tally

_Key = TypeVar("_Key")
# How many files are handed to the processes at a time, so that a walk over millions of them begins at once.
_AT_A_TIME = 4096
# How many faults of one file are told one by one: an archive of a few kilobytes may hold tens of thousands.
_TOLD = 20


class Report(NamedTuple):
    """What one file holds: ``pickles``, which take ``size`` bytes, what they refer to, and what is wrong."""

    found: Found
    pickles: int
    size: int
    globals: dict[tuple[str, str], Use]
    codes: dict[int, Use]
    unresolved: int
    faults: tuple[Fault, ...]

    @property
    def without(self) -> bool:
        """Whether the file was read and holds no pickle."""
        return not self.pickles and not self.faults


class Total(NamedTuple):
    """The use of one global or code in all files together."""

    files: int
    pickles: int
    references: int
    bytes: int

    def plus(self, use: Use) -> "Total":
        """Return the total with one more file's use."""
        return Total(
            self.files + 1, self.pickles + use.pickles, self.references + use.references, self.bytes + use.bytes
        )


@dataclass(slots=True)
class Survey:
    """The sum of reports: ``holding`` files hold pickles, and ``without`` none; ``faults`` by file.

    What cannot be read is in neither number.
    """

    holding: int = 0
    without: int = 0
    pickles: int = 0
    size: int = 0
    unresolved: int = 0
    globals: dict[tuple[str, str], Total] = field(default_factory=dict)
    codes: dict[int, Total] = field(default_factory=dict)
    faults: list[tuple[Found, Fault]] = field(default_factory=list)

    @property
    def read(self) -> int:
        """How many files could be read, or some of each."""
        return self.holding + self.without

    def add(self, report: Report) -> None:
        """Add one file's report."""
        self.holding += report.pickles > 0
        self.without += report.without
        self.pickles += report.pickles
        self.size += report.size
        self.unresolved += report.unresolved
        self.faults += [(report.found, fault) for fault in report.faults]
        _sum(self.globals, report.globals)
        _sum(self.codes, report.codes)


def report_on(found: Found) -> Report:
    """Return what one file holds."""
    named: dict[tuple[str, str], Use] = {}
    codes: dict[int, Use] = {}
    faults: list[Fault] = []
    pickles = size = unresolved = 0
    for item in contents(found):
        if isinstance(item, Fault):
            faults.append(item)
            continue
        result = tally(item.data)
        pickles += result.pickles
        size += result.whole
        unresolved += result.unresolved
        _join(named, result.globals)
        _join(codes, result.codes)
        if result.fault is not None:
            faults.append(Fault(item.member, after(result.pickles, str(result.fault))))
    if found.named and not pickles and not faults:
        faults.append(Fault("", "holds no pickle"))
    return Report(found, pickles, size, named, codes, unresolved, tuple(capped(faults)))


def capped(faults: list[Fault]) -> list[Fault]:
    """Return the first faults of a file, and how many more there are."""
    if len(faults) <= _TOLD:
        return faults
    return [*faults[:_TOLD], Fault("", f"and {len(faults) - _TOLD} more")]


def after(pickles: int, fault: str) -> str:
    """Say what is wrong after so many whole pickles."""
    if not pickles:
        return f"no whole pickle: {fault}"
    return f"after {pickles} whole pickle{'s' if pickles != 1 else ''}: {fault}"


def reports(files: Iterable[Found], jobs: int = 1) -> Iterator[Report]:
    """Yield a report on each of `files`, in their order, worked out by so many processes.

    By one on Windows with Python 3.10, which has no way to keep modules in the working directory out of the others.
    """
    if jobs == 1 or (not hasattr(os, "fork") and sys.version_info < (3, 11)):
        yield from map(report_on, files)
        return
    from concurrent.futures import ProcessPoolExecutor
    from concurrent.futures.process import BrokenProcessPool
    from multiprocessing import get_context

    waiting = iter(files)
    # Not spawned where that can be helped: a fresh interpreter would import from the working directory first.
    forks = hasattr(os, "fork") and (sys.platform != "darwin" or sys.version_info < (3, 11))
    if not forks:
        os.environ["PYTHONSAFEPATH"] = "1"
    pool = ProcessPoolExecutor(jobs, get_context("fork" if forks else "spawn"), initializer=_quiet)
    try:
        while batch := list(islice(waiting, _AT_A_TIME)):
            yield from pool.map(report_on, batch, chunksize=max(1, min(16, len(batch) // (4 * jobs))))
    except BrokenProcessPool:
        raise UnreadableError(
            "a process that was reading files was killed", "with --jobs 1 it is seen at which file"
        ) from None
    finally:
        pool.shutdown(cancel_futures=True)


def _quiet() -> None:
    # An interrupt goes to all processes of the terminal; the first one alone has something to say of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


def _join(uses: dict[_Key, Use], more: dict[_Key, Use]) -> None:
    for key, use in more.items():
        have = uses.get(key)
        uses[key] = use if have is None else Use(*map(_add, have, use))


def _add(one: int, other: int) -> int:
    return one + other


def _sum(totals: dict[_Key, Total], uses: dict[_Key, Use]) -> None:
    for key, use in uses.items():
        totals[key] = totals.get(key, Total(0, 0, 0, 0)).plus(use)
