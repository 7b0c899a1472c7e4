"""The reload watcher: after a module's code has run again, no code loads a class of its former life."""

from extreg.startup import ledger
from extreg.startup.hooks import evict
from extreg.startup.importhook import watch

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import ModuleType

_watchers = 0
_unwatch: "Callable[[], None] | None" = None


class _Targets:
    """The modules that installed codes point into, as they are at the moment of asking."""

    __slots__ = ("modules", "stand")

    def __init__(self) -> None:
        self.stand: object = None
        self.modules: frozenset[str] = frozenset()

    def __contains__(self, name: object) -> bool:
        stand = ledger.stand
        if stand is not self.stand:
            self.modules = frozenset(module for module, _ in list(stand.inverted.values()))
            self.stand = stand
        return name in self.modules


def start() -> None:
    """Begin to watch, or count one more who wants it."""
    ledger.locked(_count, 1)


def stop() -> None:
    """End to watch once nobody wants it any more."""
    ledger.locked(_count, -1)


def _count(step: int) -> None:
    global _watchers, _unwatch
    _watchers = max(0, _watchers + step)
    if _watchers and _unwatch is None:
        _unwatch = watch(before=_before, after=_after, modules=_Targets())
    elif not _watchers and _unwatch is not None:
        _unwatch()
        _unwatch = None


def load_ipython_extension(_: object) -> None:
    """Watch reloads in this interactive shell; what ``%load_ext extreg`` calls."""
    start()


def unload_ipython_extension(_: object) -> None:
    """Take `load_ipython_extension` back; what ``%unload_ext extreg`` calls."""
    stop()


def _before(name: str) -> None:
    # The module's own code may load pickles of its classes while it runs: not from the cache of its former life.
    _evict_module(name)


def _after(name: str, _module: "ModuleType | None", _failed: bool) -> None:
    _evict_module(name)


def _evict_module(name: str) -> None:
    codes = [code for code, key in list(ledger.stand.inverted.items()) if key[0] == name]
    if codes:
        evict(codes)
