"""Reading parts on a Dask cluster."""

from collections.abc import Iterator, Sequence
from functools import partial
from time import monotonic
from typing import TYPE_CHECKING

from extreg.census.crews import TRIES, Failure, attempt
from extreg.census.opened import Opened, Work
from extreg.census.position import Position, Step
from extreg.census.steps import Pace
from extreg.errors import UnreadableError
from extreg.startup import __version__

if TYPE_CHECKING:
    from distributed import Future

# For how long a worker reads before it hands over what it counted, in seconds: that much is lost where it is killed.
_STRETCH = 10.0
_PATIENCE = 10.0


class Cluster:
    """The workers of the Dask scheduler at `address`.

    To connect to a scheduler is to trust it: what it answers is unpickled here.  Raises `UnreadableError` where there
    is none, or no Dask here.
    """

    def __init__(self, address: str) -> None:
        try:
            from distributed import Client
        except ImportError:
            raise UnreadableError("there is no Dask in this environment", "pip install 'extreg[dask]'") from None
        try:
            self._client = Client(address, timeout=_PATIENCE, set_as_default=False)
        except (OSError, ValueError) as error:
            raise UnreadableError(
                f"no Dask scheduler answers at {address}: {error}", "dask scheduler starts one, dask worker its workers"
            ) from None

    @property
    def threads(self) -> int:
        """How many threads the workers have together."""
        workers = self._client.scheduler_info(n_workers=-1)["workers"].values()
        return max(1, sum(int(worker["nthreads"]) for worker in workers))

    def places(self, work: Work, opened: Opened) -> Sequence[str]:  # noqa: ARG002 - others need it
        """Return the places without credentials: workers take those from their own environment."""
        return opened.shown

    def read(self, work: Work, positions: Sequence[Position]) -> Iterator[Step | Failure]:
        """Yield what workers counted, as it comes; where one is killed, another one reads that stretch again.

        A part whose place does not answer is tried again, on whichever worker is free.
        """
        from distributed import as_completed

        share = work._replace(every=_STRETCH, rate=work.rate / self.threads if work.rate is not None else None)
        try:
            futures = self._client.map(partial(read_stretch, __version__, share), positions, pure=False)
            reading = {future.key: _Reading(position) for future, position in zip(futures, positions, strict=True)}
            completed = as_completed(futures, loop=self._client.loop)
            for future in completed:
                part = reading.pop(future.key)
                yield from part.take(future)
                if not part.over:
                    again = self._client.submit(read_stretch, __version__, share, part.position, pure=False)
                    reading[again.key] = part
                    completed.add(again)
        finally:
            self._client.close()


class _Reading:
    """A part that is being read, as far as it got, and how often it failed there."""

    def __init__(self, position: Position) -> None:
        self.position = position
        self.over = False
        self._failures = 0

    def take(self, future: "Future") -> Iterator[Step | Failure]:
        """Yield what came of a stretch; a failure only where the part is given up."""
        if future.status != "finished":
            self.over = True
            yield Failure(self.position, _told(future))
            return
        for answer in future.result():
            self.position = answer.position
            if isinstance(answer, Step):
                # Where it failed and nothing was counted since, it is the same failure.
                self._failures = 0 if answer.counts.cells else self._failures
                self.over = answer.position.done
                yield answer
            elif answer.stale or self._failures + 1 == TRIES:
                self.over = True
                yield answer
            else:
                self._failures += 1


def _told(future: "Future") -> str:
    """Return why a stretch has no result: its workers were killed, or cannot run it."""
    error = future.exception()
    return f"no worker could read it: {type(error).__name__}: {error}"


def read_stretch(version: str, work: Work, position: Position) -> list[Step | Failure]:
    """Return the steps of a part behind `position`, for some seconds; what a worker runs.

    Raises RuntimeError where it has another `version` of extreg, which may count otherwise.
    """
    if version != __version__:
        raise RuntimeError(f"a worker has extreg {__version__}, and {version} asks it")
    answers: list[Step | Failure] = []
    due = monotonic() + work.every
    with Opened(work) as opened:
        for answer in attempt(opened, position, Pace(work.rate)):
            answers.append(answer)
            if monotonic() >= due:
                break
    return answers
