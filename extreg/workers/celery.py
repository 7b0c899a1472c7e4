"""Celery: the codes in whatever imports the module of the app, before a first message is decoded."""

__all__ = ["connect"]

from extreg.startup.standing import standing as _standing
from extreg.workers.traveling import install_all as _install_all
from extreg.workers.traveling import sources_here as _sources_here

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from typing import Any

    from extreg.registry.model import Registry

_COMMAND = "extreg"


def connect(app: "Any", source: "str | os.PathLike[str] | Registry | None" = None) -> None:
    """Install in every process that imports the module where `app` is made: workers, beat, and those who send tasks.

    Call it below ``app = Celery(...)``, at the top level of that module.  It installs there and then, for a worker
    decodes messages in its *main* process, under prefork and threads too: by ``worker_process_init`` it is too late,
    the message is acknowledged and lost (``on_message`` in celery/worker/consumer/consumer.py, Celery 5).  What the
    pool forks later has what the main process has.

    `source` is what `extreg.install` takes; without one it is all that is installed here by now, else what
    ``install()`` would find from the working directory.  Raises as `extreg.install` does, and TypeError for what is no
    app.

    ``celery -A MODULE inspect extreg`` then shows what stands in each worker: see `extreg.standing`.
    """
    from celery import Celery
    from celery.worker.control import Panel, inspect_command

    if not isinstance(app, Celery):
        raise TypeError(f"expected a Celery app, found {type(app).__name__}: connect(app, source)")
    _install_all(_sources_here(source))
    if _COMMAND not in Panel.meta:
        inspect_command(name=_COMMAND, help="What stands in copyreg: see extreg.standing.")(_answer)


def _answer(_state: object) -> "dict[str, str | int]":
    return _standing()._asdict()
