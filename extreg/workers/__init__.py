"""The same codes in every process that a program starts: for pools, executors and task queues.

`initializer` is for everything that calls a function when a process begins.  The engines that want something else have
a module here: `extreg.workers.celery`, `extreg.workers.dask` and ``extreg.workers.spark_daemon``.  Importing any of
them imports no engine.
"""

__all__ = ["initializer"]

from extreg.lazy import lazy as _lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from extreg.workers.pools import initializer

__getattr__, __dir__ = _lazy(globals(), {"initializer": "extreg.workers.pools"})
