"""What `extreg.workers.dask.register` hands to Dask; here, since it takes Dask to define it."""

from typing import Any

from distributed.diagnostics.plugin import SchedulerPlugin, WorkerPlugin

from extreg.workers.traveling import Source, install_all


class OnScheduler(SchedulerPlugin):  # type: ignore[misc]
    """Installs on the scheduler."""

    idempotent = True  # known by its name, which says what is installed

    def __init__(self, sources: tuple[Source, ...], name: str) -> None:
        self.sources = sources
        self.name = name

    async def start(self, _scheduler: Any) -> None:
        """Install; called when the plugin arrives."""
        install_all(self.sources)


class OnWorker(WorkerPlugin):  # type: ignore[misc]
    """Installs on a worker."""

    idempotent = True

    def __init__(self, sources: tuple[Source, ...], name: str) -> None:
        self.sources = sources
        self.name = name

    def setup(self, worker: Any) -> None:  # noqa: ARG002 - Dask names it
        """Install; called when the plugin arrives, and before a new worker does anything."""
        install_all(self.sources)
