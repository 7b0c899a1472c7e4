"""The reload watcher: after a module's code has run again, no code loads a class of its former life."""

from extreg.importhook import Watch
from extreg.ledger import RETIRED, ledger
from extreg.ledger.clearing import evict

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import ModuleType

_holders: "tuple[object, ...]" = ()  # who wants it


class _Targets:
    """The modules that installed codes point into, as they are at the moment of asking."""

    __slots__ = ("modules", "stand")

    def __init__(self) -> None:
        self.stand: object = None
        self.modules: frozenset[str] = frozenset()

    def __contains__(self, name: object) -> bool:
        stand = ledger.stand
        if stand is not self.stand:
            self.modules = frozenset(module for module, _ in list(stand.inverted.values())) - {RETIRED}
            self.stand = stand
        return name in self.modules


def start(holder: object) -> None:
    """Begin to watch on behalf of `holder`; twice is once.  Whatever interrupts it, `stop` puts it right."""
    ledger.locked(_start, holder)


def stop(holder: object) -> None:
    """End to watch once nobody wants it any more; twice is once."""
    ledger.locked(_stop, holder)


def watched_for(holder: object) -> bool:
    """Tell whether reloads are watched on behalf of `holder`."""
    return any(other is holder for other in _holders)


def _start(holder: object) -> None:
    global _holders
    if not watched_for(holder):
        _holders = (*_holders, holder)
        _WATCH.start()


def _stop(holder: object) -> None:
    global _holders
    others = tuple(other for other in _holders if other is not holder)
    if not others:
        _WATCH.stop()
    _holders = others


def _before(name: str) -> None:
    # The module's own code may load pickles of its classes while it runs: not from the cache of its former life.
    _evict_module(name)


def _after(name: str, _module: "ModuleType | None", _failed: bool) -> None:
    _evict_module(name)


def _evict_module(name: str) -> None:
    codes = [code for code, key in dict(ledger.stand.inverted).items() if key[0] == name]
    if codes:
        evict(codes)


_WATCH = Watch(_before, _after, _Targets())
