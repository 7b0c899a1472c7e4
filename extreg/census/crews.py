"""Who reads the parts: this process, or several of them; other machines are `extreg.census.cluster`'s."""

import os
import signal
import sys
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from multiprocessing import get_context
from multiprocessing.connection import wait
from multiprocessing.process import BaseProcess
from typing import Any, NamedTuple, Protocol

from extreg.census.opened import Opened, Work
from extreg.census.position import Position, Step
from extreg.census.steps import Pace
from extreg.errors import UnreadableError
from extreg.stores.store import StaleCursorError

# How often a process looks whether it is still wanted, in seconds.
_PULSE = 0.5
# How often a part is begun at the same position before it is given up.
TRIES = 3


class Failure(NamedTuple):
    """Why a part was given up at its ``position``: in a ``message``, with a ``hint``.

    ``stale`` is whether its cursor means nothing any more, so that it has to be read from its beginning.
    """

    position: Position
    message: str
    hint: str = ""
    stale: bool = False


class Crew(Protocol):
    """Those who read parts at the same time."""

    def places(self, work: Work, opened: Opened) -> Sequence[str]:
        """Return how they open the places."""

    def read(self, work: Work, positions: Sequence[Position]) -> Iterator[Step | Failure]:
        """Yield the steps of all parts as they come, those of one part in their order; a failure ends a part."""


class Alone:
    """This process: one part after the other."""

    def places(self, work: Work, opened: Opened) -> Sequence[str]:  # noqa: ARG002 - others need it
        """Return the places as they were given."""
        return work.places

    def read(self, work: Work, positions: Sequence[Position]) -> Iterator[Step | Failure]:
        """Yield the steps of one part after the other."""
        pace = Pace(work.rate)
        with Opened(work) as opened:
            for position in positions:
                yield from attempt(opened, position, pace)


def attempt(
    opened: Opened, position: Position, pace: Pace, announce: Callable[[Step], None] | None = None
) -> Iterator[Step | Failure]:
    """Yield the steps of a part behind `position`; a failure where its place does not answer any more."""
    try:
        for step in opened.steps(position, pace, announce):
            position = step.position
            yield step
    except UnreadableError as error:
        yield Failure(position, error.message, error.hint, isinstance(error, StaleCursorError))


class Processes(Alone):
    """So many processes of this machine, each of which reads one part at a time.

    Where one of them is killed, another one goes on behind what it had counted, and says of each cell that it is about
    to read it: if that kills it too, the cell is a fault, and the next process goes on behind it.
    """

    def __init__(self, count: int) -> None:
        self._count = count

    def read(self, work: Work, positions: Sequence[Position]) -> Iterator[Step | Failure]:
        """Yield the steps of all parts as they come."""
        share = work._replace(rate=work.rate / self._count) if work.rate is not None else work
        waiting = deque((position, 0) for position in positions)
        busy: dict[Any, _Reader] = {}
        try:
            while waiting or busy:
                while waiting and len(busy) < self._count:
                    reader = _Reader(share, *waiting.popleft())
                    busy[reader.answers] = reader
                for ready in wait(list(busy)):
                    reader = busy[ready]
                    try:
                        yield from reader.take()
                    except (EOFError, OSError):
                        del busy[ready]
                        reader.end()
                        yield from reader.after_death()
                        if not reader.over:
                            waiting.appendleft((reader.position, reader.deaths + 1))
        finally:
            for reader in busy.values():
                reader.end()


class _Reader:
    """A process that reads one part, as far as it got, after others have died of the same position."""

    def __init__(self, work: Work, position: Position, deaths: int) -> None:
        self.position = position
        self.deaths = deaths
        self.over = False
        # What there is to be counted if the process is killed now.
        self._announced: Step | None = None
        context: Any = get_context("fork" if _forks() else "spawn")
        self.answers, answer = context.Pipe(duplex=False)
        # A process of a fresh interpreter would import from the working directory first.
        if not _forks():
            os.environ["PYTHONSAFEPATH"] = "1"
        arguments = (work, position, answer, os.getpid(), deaths > 0)
        self._process: BaseProcess = context.Process(target=_read, args=arguments, daemon=True)
        self._process.start()
        answer.close()

    def take(self) -> Iterator[Step | Failure]:
        """Yield what the process sends, and note how far it got; raise EOFError where it is gone."""
        answer = self.answers.recv()
        if isinstance(answer, Announced):
            self._announced = answer.step
            return
        self._announced = None
        self.position = answer.position
        self.over = isinstance(answer, Failure) or answer.position.done
        yield answer

    def after_death(self) -> Iterator[Step | Failure]:
        """Yield what is to be said of a process that is gone, unless it had read its part."""
        if self.over:
            return
        if self._announced is not None:
            self.position, self.deaths = self._announced.position, 0
            yield self._announced
        elif self.deaths + 1 == TRIES:
            self.over = True
            yield Failure(self.position, f"{TRIES} processes were killed that began to read it")

    def end(self) -> None:
        """End the process and wait for that."""
        self._process.kill()
        self._process.join()
        self._process.close()
        self.answers.close()


class Announced(NamedTuple):
    """The ``step`` that there is to be if nothing else is heard."""

    step: Step


def _forks() -> bool:
    return hasattr(os, "fork") and (sys.platform != "darwin" or sys.version_info < (3, 11))


def _read(work: Work, position: Position, answers: Any, parent: int, careful: bool) -> None:
    """Read a part, and send each step; if it is to be `careful`, what it is about to read as well."""
    # An interrupt goes to all processes of the terminal; the first one alone has something to say of it.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()

    def announce(step: Step) -> None:
        answers.send(Announced(step))

    with Opened(work) as opened:
        for answer in attempt(opened, position, Pace(work.rate), announce if careful else None):
            answers.send(answer)


def _end_with(parent: int) -> None:
    """End this process when the one that started it is gone: killed, it tells nobody."""
    while os.getppid() == parent:
        time.sleep(_PULSE)
    os._exit(1)
