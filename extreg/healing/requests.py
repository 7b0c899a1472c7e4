"""What the finder does for a module in the table: a stand-in where it is gone, an answer where it lives."""

import sys
from collections.abc import Collection, Sequence
from importlib.machinery import ModuleSpec
from threading import get_ident
from types import FrameType, ModuleType

from extreg import importhook
from extreg.healing import known, living, standins
from extreg.healing.callers import is_plain, is_unpickler

TYPE_CHECKING = False
if TYPE_CHECKING:
    from extreg.healing import Table

_asking: set[tuple[int, str]] = set()  # (thread, module) for which the finders beside ours are being asked


# The modules that were found to live, whose code is watched from the first of them on.
_living: set[str] = set()


def _ran(name: str, _module: ModuleType, failed: bool) -> None:
    if not failed and name in known.standing:
        living.attach(name)


_WATCH = importhook.Watch(None, _ran, _living)
_started = False


def found(
    name: str, path: Sequence[str] | None, target: ModuleType | None, frame: FrameType | None
) -> ModuleSpec | None:
    """Return the spec of `name` for whoever asks from `frame` on, or None where the finders behind are to be asked."""
    key = (get_ident(), name)
    if key in _asking:
        return None  # by a finder that asks others, as we do
    _asking.add(key)
    try:
        spec = standins.ask(name, path, target)
        if standins.gone(spec):
            if standins.unasked():
                return None
            # A finder that asks others may be asked by anybody.
            asked = frame is not None and is_plain(frame) and is_unpickler(frame)
            return standins.spec_of(name) if asked else None
        if spec is not None and spec.submodule_search_locations is None:
            standins.reside(name, known.modules)
        if name not in known.standing:
            return None
        _watch(name)
        # It lends the spec, and is not asked for this import otherwise, if it has come to stand before us just now.
        return importhook.FINDER.find_spec(name, path, target)
    finally:
        _asking.discard(key)


def _watch(name: str) -> None:
    global _started
    _living.add(name)
    if not _started:
        _started = True
        _WATCH.start()


def settle(table: "Table", modules: Collection[str], finder: object) -> None:
    """Follow a `table` that has changed; `modules` are those in it and the packages above, `finder` is ours."""
    global _started
    known.standing, known.finder, known.modules = table, finder, modules
    standins.forget_all()
    living.settle()
    for parent in {path.rpartition(".")[0] for path in modules}:
        found = sys.modules.get(parent)
        if isinstance(found, ModuleType) and not importhook.promised(found) and "__path__" not in vars(found):
            standins.reside(parent, modules)
    if not known.standing and _started:
        _started = False
        _WATCH.stop()
        _living.clear()
