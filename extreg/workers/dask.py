"""Dask: the codes on the scheduler and on all workers, on those that join or are started again later too."""

__all__ = ["register"]

from hashlib import sha256 as _sha256

from extreg.workers.traveling import sources_here as _sources_here

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from typing import Any

    from extreg.registry.model import Registry


def register(client: "Any", source: "str | os.PathLike[str] | Registry | None" = None) -> None:
    """Install on the scheduler and on every worker of a `client` (``distributed.Client``), now and as long as they run.

    The scheduler needs the codes too, for it deserializes graphs (``LocalCluster`` hides that, by sharing a process
    with it).  Workers that are started again or join later install before they do anything else.

    `source` is what `extreg.install` takes; without one it is all that is installed here by now, else what
    ``install()`` would find from the working directory.  What travels is text, as others have other disks: what the
    file says with all that it includes, or the name of a package, which must be there.  Registering the same again does
    nothing.  extreg must be installed there.

    Raises as `extreg.install` does, here for the source and there for what stands in its way.
    """
    from extreg.workers.dask_plugins import OnScheduler, OnWorker

    sources = _sources_here(source, elsewhere=True)
    name = f"extreg-{_sha256(repr(sources).encode('utf-8', 'surrogatepass')).hexdigest()[:16]}"
    client.register_plugin(OnScheduler(sources, name))
    client.register_plugin(OnWorker(sources, name))
