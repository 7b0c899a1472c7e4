"""What pools and executors call when a process begins."""

from extreg.workers.traveling import Source, install_all, shown, sources_here

TYPE_CHECKING = False
if TYPE_CHECKING:
    import os
    from collections.abc import Callable
    from typing import Any

    from extreg.registry.model import Registry


class Initializer:
    """A function of any arguments, which are ignored, that installs; it pickles to plain text."""

    __slots__ = ("_sources",)
    __name__ = "extreg.workers.initializer"  # Ray asks a hook for one

    def __init__(self, sources: "tuple[Source, ...]") -> None:
        self._sources = sources

    def __call__(self, *_: object) -> None:
        """Install, unless the same is installed already."""
        install_all(self._sources)

    def __reduce__(self) -> "tuple[Any, ...]":
        return Initializer, (self._sources,)

    def __repr__(self) -> str:
        return f"<extreg.workers.initializer of {shown(self._sources)}>"


def initializer(source: "str | os.PathLike[str] | Registry | None" = None) -> "Callable[..., None]":
    """Return a function that installs in the process that calls it: an ``initializer=`` of pools and executors.

    For `multiprocessing.Pool`, `concurrent.futures` (``ProcessPoolExecutor`` and ``InterpreterPoolExecutor``), loky and
    joblib, ``SyncManager.start`` and Ray's ``worker_process_setup_hook``, under every start method.

    `source` is what `extreg.install` takes.  Without one it is all that is installed here by now, else what
    ``install()`` would find from the working directory.  It is looked up and read here and now, so that what is wrong
    with it is raised here (as by `extreg.install`), and not in workers, which a pool would start for ever.  Then
    travels, as plain text: the absolute path of a file, the name of a package, and the text of a `Registry`.
    """
    return Initializer(sources_here(source))
