"""The module that stands in for one that is gone: it has former names, and nothing else that a pickle could get at.

It is in `sys.modules` from the import by an unpickler until that has fetched a name.  While there are other threads it
stays, since one of them may be between the two.  Whoever else imports it then is told that there is no such module, as
far as the interpreter asks: `importlib.import_module` does from CPython 3.11 on, ``import`` statements from 3.13 on.
The same goes for a stand-in below a module that is no package, which is there from the beginning.
"""

import sys
from collections.abc import Iterable, Sequence
from importlib import import_module
from importlib.machinery import ModuleSpec
from types import FrameType, ModuleType
from typing import Any, Final, cast

from extreg.healing import known
from extreg.healing.callers import is_plain, is_unpickler
from extreg.healing.healed import healed

_NOTHING: Final = object()
_SHOWN: Final = 3
# What importlib asks of a parent and of what it has loaded.  Nothing that a pickle could change: into a list it would
# append the folders where it wants modules below to be looked for.
_PLAIN: Final[dict[str, object]] = {"__doc__": None, "__path__": ()}


class StandIn(ModuleType):
    """A module that has nothing but former names."""

    def __getattribute__(self, name: str) -> Any:
        path: str = object.__getattribute__(self, "_extreg_path")
        if name == "__name__":
            return path
        real: ModuleType | None = object.__getattribute__(self, "_extreg_real")
        if name in _PLAIN and real is None:
            return _PLAIN[name]
        if name == "__spec__":
            return None if real is None and is_unpickler(sys._getframe(1)) else step_aside(self).__spec__
        if real is not None:
            return getattr(real, name)
        if name.startswith("__") and not _unpickles(sys._getframe(1)):
            raise AttributeError(f"module {path!r} has no attribute {name!r}")  # importlib asks while it loads
        tidy()
        alone = len(sys._current_frames()) == 1
        try:
            if not alone and not gone(others(path)):  # it has come since this began to stay
                return getattr(step_aside(self), name)
            return healed(path, name)
        finally:
            if alone:
                forget(path)

    def __setattr__(self, name: str, value: object) -> None:
        """Ignore what importlib says of the module, and the modules below it."""

    def __delattr__(self, name: str) -> None:
        raise AttributeError(name)

    def __dir__(self) -> list[str]:
        return []

    def __repr__(self) -> str:
        path = object.__getattribute__(self, "_extreg_path")
        rows = [f"{name} is {' or '.join(now)}" for name, now in known.standing.get(path, {}).items()]
        return f"<stand-in for {path}, which is gone: {', '.join(rows[:_SHOWN] + ['...'] * (len(rows) > _SHOWN))}>"


def _unpickles(frame: FrameType) -> bool:
    return not is_plain(frame) and is_unpickler(frame)


def stand_in(path: str) -> StandIn:
    """Return a stand-in for the module `path`."""
    made = StandIn(path)
    object.__getattribute__(made, "__dict__").clear()
    object.__setattr__(made, "_extreg_path", path)
    object.__setattr__(made, "_extreg_real", None)
    return made


class Loader:
    """Gives importlib the stand-in."""

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the stand-in."""
        return stand_in(spec.name)

    def exec_module(self, module: ModuleType) -> None:
        """Run nothing."""


# What importlib puts into a package in the place of something else: the package, the name, and what stood there.
_displaced: list[tuple[ModuleType, str, object]] = []


def spec_of(path: str) -> ModuleSpec:
    """Return the spec of a stand-in, and note what importlib is going to displace in the package above it."""
    above, _, name = path.rpartition(".")
    parent = sys.modules.get(above)
    if parent is not None and type(parent) is not StandIn:
        _displaced.append((parent, name, vars(parent).get(name, _NOTHING)))
    return ModuleSpec(path, cast(Any, Loader()), is_package=True)


def tidy() -> None:
    """Put back what stood where importlib has put stand-ins into packages."""
    while _displaced:
        try:
            parent, name, before = _displaced.pop()
        except IndexError:  # another thread took it
            return
        names = vars(parent)
        if type(names.get(name)) is not StandIn:
            continue
        if before is _NOTHING:
            names.pop(name, None)
        else:
            names[name] = before


def forget(path: str) -> None:
    """Take the stand-ins for `path` and for the packages above it out of `sys.modules`."""
    tidy()
    while path and path not in _resident:
        if type(sys.modules.get(path)) is StandIn:
            sys.modules.pop(path, None)
        path = path.rpartition(".")[0]


# Stand-ins below modules that are no packages.
_resident: set[str] = set()


def reside(parent: str, below: Iterable[str]) -> None:
    """Put stand-ins into `sys.modules` for those modules in `below` that are right below `parent`, which is no package.

    importlib looks there, and asks no finder (``_find_and_load_unlocked`` in Lib/importlib/_bootstrap.py).
    """
    for path in below:
        if path.rpartition(".")[0] == parent and path not in sys.modules:
            _resident.add(path)
            sys.modules[path] = stand_in(path)


def forget_all() -> None:
    """Take all stand-ins out of `sys.modules`."""
    _resident.clear()
    for path in [path for path, module in dict(sys.modules).items() if type(module) is StandIn]:
        forget(path)


def step_aside(module: StandIn) -> ModuleType:
    """Return the real module in the place of `module`, imported as if that had never been; raise as that does.

    Whoever holds `module` has the real one by it from then on.
    """
    path = object.__getattribute__(module, "_extreg_path")
    if others(path) is None:
        # Another thread's unpickler may still have to find it where it is.
        raise ModuleNotFoundError(f"No module named {_topmost(path)!r}", name=_topmost(path))
    _resident.discard(path)
    forget(path)
    real = import_module(path)
    object.__setattr__(module, "_extreg_real", real)
    return real


def _topmost(path: str) -> str:
    """Return the module that an import of `path` does not find: the first stand-in on the way."""
    while type(sys.modules.get(path.rpartition(".")[0])) is StandIn:
        path = path.rpartition(".")[0]
    return path


def others(path: str) -> ModuleSpec | None:
    """Return the spec that the other finders have for `path` by now, if any."""
    above = path.rpartition(".")[0]
    parent = sys.modules.get(above)
    if type(parent) is StandIn:
        if others(above) is None:
            return None
        parent = step_aside(parent)
    return ask(path, getattr(parent, "__path__", None), None) if parent is not None or not above else None


def ask(name: str, path: Sequence[str] | None, target: ModuleType | None) -> ModuleSpec | None:
    """Return what the finders beside ours find, in their order."""
    for finder in tuple(sys.meta_path):
        find_spec = getattr(finder, "find_spec", None)
        if finder is known.finder or find_spec is None:
            continue
        spec: ModuleSpec | None = find_spec(name, path, target)
        if spec is not None:
            return spec
    return None


def unasked() -> bool:
    """Tell whether there is a finder that only the import system itself may ask: older than PEP 451, until 3.11."""
    return sys.version_info < (3, 12) and not all(hasattr(finder, "find_spec") for finder in sys.meta_path)


def gone(spec: ModuleSpec | None) -> bool:
    """Tell whether `spec`, what the finders have, is nothing: or a folder that a deleted package left behind."""
    if spec is None:
        return True
    return spec.origin is None and spec.submodule_search_locations is not None and not spec.has_location and _bare(spec)


def _bare(spec: ModuleSpec) -> bool:
    loader = spec.loader
    return loader is None or type(loader).__name__ in {"NamespaceLoader", "_NamespaceLoader"}
