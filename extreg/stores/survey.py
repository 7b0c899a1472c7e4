"""What the pickles in many files refer to, counted in one process or in several, with the same result."""

import os
import signal
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import NamedTuple, TypeVar

from extreg.pickles.tally import Use
from extreg.stores.contents import contents
from extreg.stores.files import Found
from extreg.stores.inside import read
from extreg.stores.items import Fault, Passed
from extreg.stores.mapping import READ_WHOLE

TYPE_CHECKING = False
if TYPE_CHECKING:
    from concurrent.futures import ProcessPoolExecutor

_Key = TypeVar("_Key")
_KILLED = "the process that read it was killed: it was made shorter meanwhile (SIGBUS), or there was no memory left"
# How often a process looks whether it is still wanted, in seconds.
_PULSE = 0.5
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
    # How many things were passed over that may hold pickles, by their kind.
    passed: dict[str, int]

    @property
    def without(self) -> bool:
        """Whether the file was read and holds no pickle."""
        return not self.pickles and not self.faults and not self.passed


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

    What cannot be read is in neither number, nor what was ``passed`` over, by file and kind.
    """

    holding: int = 0
    without: int = 0
    pickles: int = 0
    size: int = 0
    unresolved: int = 0
    globals: dict[tuple[str, str], Total] = field(default_factory=dict)
    codes: dict[int, Total] = field(default_factory=dict)
    faults: list[tuple[Found, Fault]] = field(default_factory=list)
    passed: list[tuple[Found, dict[str, int]]] = field(default_factory=list)

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
        self.passed += [(report.found, report.passed)] if report.passed else []
        _sum(self.globals, report.globals)
        _sum(self.codes, report.codes)


def report_on(found: Found) -> Report:
    """Return what one file holds."""
    named: dict[tuple[str, str], Use] = {}
    codes: dict[int, Use] = {}
    faults: list[Fault] = []
    passed: Counter[str] = Counter()
    pickles = size = unresolved = 0
    for item in read(contents(found)):
        if isinstance(item, Fault):
            faults.append(item)
            continue
        if isinstance(item, Passed):
            passed[item.kind] += 1
            continue
        _, result = item
        pickles += result.pickles
        size += result.whole
        unresolved += result.unresolved
        _join(named, result.globals)
        _join(codes, result.codes)
    if found.named and not pickles and not faults:
        faults.append(holding_none(passed))
    return Report(found, pickles, size, named, codes, unresolved, tuple(capped(faults)), dict(passed))


def holding_none(passed: Iterable[str]) -> Fault:
    """Return what whoever named a file is told that holds no pickle, or none that is read."""
    kinds = ", ".join(sorted(passed))
    return Fault("", f"holds no pickle that is read ({kinds})" if kinds else "holds no pickle")


def capped(faults: list[Fault]) -> list[Fault]:
    """Return the first faults of a file, and how many more there are."""
    if len(faults) <= _TOLD:
        return faults
    return [*faults[:_TOLD], Fault("", f"and {len(faults) - _TOLD} more")]


def reports(files: Iterable[Found], jobs: int = 1) -> Iterator[Report]:
    """Yield a report on each of `files`, in their order, worked out by so many processes.

    By one on Windows with Python 3.10, which has no way to keep modules in the working directory out of the others.  A
    large file is read by a process of its own wherever there is a fork: where somebody makes it shorter meanwhile, that
    one is killed (SIGBUS), and the report says so.
    """
    forks = hasattr(os, "fork")
    if jobs == 1 or (not forks and sys.version_info < (3, 11)):
        guard = _Guard()
        try:
            for found in files:
                yield guard.report_on(found) if forks and _is_mapped(found) else report_on(found)
        finally:
            guard.close()
        return
    waiting = iter(files)
    while batch := list(islice(waiting, _AT_A_TIME)):
        yield from _together(batch, jobs)


def _together(batch: list[Found], jobs: int) -> Iterator[Report]:
    """Yield the reports on a batch of files; where a process is killed, the file is found out and the rest goes on."""
    from concurrent.futures.process import BrokenProcessPool

    done = 0
    pool = _pool(jobs)
    try:
        for report in pool.map(report_on, batch, chunksize=max(1, min(16, len(batch) // (4 * jobs)))):
            yield report
            done += 1
    except BrokenProcessPool:
        guard = _Guard()
        try:
            yield from map(guard.report_on, batch[done:])
        finally:
            guard.close()
    finally:
        pool.shutdown(cancel_futures=True)


class _Guard:
    """Works out reports in another process, one at a time, and survives it."""

    def __init__(self) -> None:
        self._pool: ProcessPoolExecutor | None = None

    def report_on(self, found: Found) -> Report:
        """Return the report on a file, or one that says that reading it has killed a process."""
        from concurrent.futures.process import BrokenProcessPool

        self._pool = self._pool or _pool(1)
        try:
            return self._pool.submit(report_on, found).result()
        except BrokenProcessPool:
            self.close()
            return Report(found, 0, 0, {}, {}, 0, (Fault("", _KILLED),), {})

    def close(self) -> None:
        """End the process."""
        if self._pool is not None:
            self._pool.shutdown(cancel_futures=True)
        self._pool = None


def _pool(jobs: int) -> "ProcessPoolExecutor":
    from concurrent.futures import ProcessPoolExecutor
    from multiprocessing import get_context

    # Not spawned where that can be helped: a fresh interpreter would import from the working directory first.
    forks = hasattr(os, "fork") and (sys.platform != "darwin" or sys.version_info < (3, 11))
    if not forks:
        os.environ["PYTHONSAFEPATH"] = "1"
    return ProcessPoolExecutor(
        jobs, get_context("fork" if forks else "spawn"), initializer=_begin, initargs=(os.getpid(),)
    )


def _is_mapped(found: Found) -> bool:
    try:
        return found.path.stat().st_size > READ_WHOLE
    except OSError:
        return False


def _begin(parent: int) -> None:
    # An interrupt goes to all processes of the terminal; the first one alone has something to say of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()


def _end_with(parent: int) -> None:
    """End this process when the one that started it is gone: killed, it tells nobody, and the others wait for ever."""
    while os.getppid() == parent:
        time.sleep(_PULSE)
    os._exit(1)


def _join(uses: dict[_Key, Use], more: dict[_Key, Use]) -> None:
    for key, use in more.items():
        have = uses.get(key)
        uses[key] = use if have is None else Use(*map(_add, have, use))


def _add(one: int, other: int) -> int:
    return one + other


def _sum(totals: dict[_Key, Total], uses: dict[_Key, Use]) -> None:
    for key, use in uses.items():
        totals[key] = totals.get(key, Total(0, 0, 0, 0)).plus(use)
