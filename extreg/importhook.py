"""Be told when a module's code runs: on import, on importlib.reload, after ``del sys.modules[...]``.

One finder stands first on `sys.meta_path`.  For a watched module it asks the finders behind it, in their order, and
lends the spec they answer with a stand-in for its loader.  The stand-in gives the module its true loader back before
the module's first line runs, so resources, ``inspect``, ``isinstance`` and pickled loaders never meet it afterwards.
importlib.reload looks the spec up anew (PEP 451), which is why modules imported earlier are seen as well.

Not seen: code that is run without asking `sys.meta_path` (``exec``, ``runpy``, a loader built by hand from a file
name), modules found by a finder that somebody put before ours and that does not ask the others, and a reload that is
under way when the first watch begins.
"""

import os
import sys
from _thread import RLock, get_ident

from extreg.ledger import locked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Container, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType
    from typing import Any

_ModuleType = type(sys)
_lock = RLock()
_watches: "tuple[Watch, ...]" = ()  # replaced as a whole under the lock, so that readers need none
_asking: "set[tuple[int, str]]" = set()  # (thread, module) for which the finders behind ours are being asked


def _after_fork() -> None:
    # The threads that held the lock or were asking are not in the child.
    global _lock
    _lock = RLock()
    _asking.difference_update([key for key in _asking if key[0] != get_ident()])


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


class Watch:
    """What is to be called for which modules; see `watch`.

    Made first and started then, so that whoever keeps it can stop it wherever the start was interrupted.  Starting and
    stopping twice is once.
    """

    __slots__ = ("after", "before", "modules")

    def __init__(self, before: "Any", after: "Any", modules: "Container[str] | None") -> None:
        self.before = before
        self.after = after
        self.modules = modules

    def covers(self, name: str) -> bool:
        """Tell whether the module called `name` is watched."""
        return self.modules is None or name in self.modules

    def start(self) -> None:
        """Watch from now on; an interruption leaves it stopped."""
        try:
            locked(_lock, _add, self)
            _catch_up(self)
        except BaseException:
            locked(_lock, _drop, self)
            raise

    def stop(self) -> None:
        """Watch no more."""
        locked(_lock, _drop, self)


def watch(
    before: "Callable[[str], object] | None" = None,
    after: "Callable[[str, ModuleType, bool], object] | None" = None,
    modules: "Container[str] | None" = None,
) -> "Callable[[], None]":
    """Call `before` and `after` around every execution of a module's code; return the function that ends it.

    ``before(name)`` is called ahead of the module's first line, ``after(name, module, failed)`` once its code has
    ended; ``failed`` says that it raised.  `modules` holds the names to watch and is asked anew at each import (so a
    set that changes will do); None means all of them.  A module that is running at this moment, such as the package
    whose ``__init__`` called us, is reported to `after` when it ends.

    Both are called in the importing thread under that module's import lock, so they must be quick and must not wait
    for another thread's import.  What a callback raises reaches whoever imports, after the other callbacks have run.
    """
    entry = Watch(before, after, modules)
    try:
        entry.start()
        return entry.stop  # noqa: TRY300 - even an interrupt at this line must undo it
    except BaseException:
        entry.stop()
        raise


def _add(entry: Watch) -> None:
    global _watches
    others = [finder for finder in sys.meta_path if finder is not FINDER]
    sys.meta_path[:] = [FINDER, *others]  # in one step: others ask it meanwhile
    _watches = (*_watches, entry)


def _drop(entry: Watch) -> None:
    global _watches
    former, others = _watches, tuple(other for other in _watches if other is not entry)
    finders = sys.meta_path if others else [finder for finder in sys.meta_path if finder is not FINDER]
    try:
        _watches = others
        sys.meta_path[:] = finders
    except BaseException:
        _watches = former
        raise


def started(name: str) -> "ModuleType | None":
    """Return the module of that name if its code is running or has run, else None; import nothing.

    A module that importlib.util.LazyLoader has promised stands in `sys.modules`, but touching it would import it.
    """
    module = sys.modules.get(name)
    return None if module is None or promised(module) else module


def promised(module: object) -> bool:
    """Tell whether importlib.util.LazyLoader has yet to run `module`, which touching an attribute would start."""
    if type(module).__name__ != "_LazyModule":
        return False
    spec = object.__getattribute__(module, "__dict__")["__spec__"]
    # From Python 3.12.3 on it stays a _LazyModule until its code has ended.
    return not (spec.loader_state or {}).get("is_loading", False)


class _Finder:
    """The finder on `sys.meta_path`; it finds nothing by itself."""

    def find_spec(
        self, name: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        """Return the spec that the other finders answer with, its loader watched; None if nobody watches `name`."""
        key = (get_ident(), name)
        # A finder that wraps others, as we do, asks the whole of sys.meta_path again: do not answer it twice.
        if key in _asking or not any(entry.covers(name) for entry in _watches):
            return None
        _asking.add(key)
        try:
            spec = _ask_the_others(name, path, target)
        finally:
            _asking.discard(key)
        if spec is not None:
            _lend(spec)
        return spec


FINDER = _Finder()


def _ask_the_others(name: str, path: "Sequence[str] | None", target: "ModuleType | None") -> "ModuleSpec | None":
    for finder in tuple(sys.meta_path):
        if finder is FINDER:
            continue
        find_spec = getattr(finder, "find_spec", None)
        if find_spec is None:
            return None  # older than PEP 451: only the import system itself may ask it (until Python 3.11)
        spec: ModuleSpec | None = find_spec(name, path, target)
        if spec is not None:
            return spec
    return None


def _lend(spec: "Any") -> None:
    """Put a watched stand-in where `spec` holds its loader."""
    holder: Any = spec
    util: Any = sys.modules.get("importlib.util")
    while util is not None and isinstance(holder.loader, util.LazyLoader):
        holder = holder.loader  # the inner loader runs the module, at the first use of an attribute
    loader = holder.loader
    if loader is None or type(loader) in (_Watched, _WatchedLegacy):
        return  # a namespace package has no code; a cached spec may still hold the stand-in from last time
    holder.loader = (_Watched if hasattr(loader, "exec_module") else _WatchedLegacy)(loader)


class _StandIn:
    """Everything the loader is, for the moment between finding a module and running it.

    No ``__slots__``: who patches ``spec.loader.exec_module`` must patch the stand-in, not the loader behind it.
    """

    def __init__(self, loader: "Any") -> None:
        self._extreg_loader = loader

    @property  # type: ignore[misc]
    def __class__(self) -> "Any":
        return self._extreg_loader.__class__

    def __getattr__(self, name: str) -> "Any":
        return getattr(self._extreg_loader, name)

    def __repr__(self) -> str:
        return repr(self._extreg_loader)


class _Watched(_StandIn):
    def exec_module(self, module: "Any") -> None:
        _run(self, module)


class _WatchedLegacy(_StandIn):
    """For a loader without exec_module: importlib looks for the method, so the stand-in must not have it either."""

    def load_module(self, name: str) -> "Any":
        entries = _begin(name)
        try:
            module = self._extreg_loader.load_module(name)
        except BaseException:
            _end(entries, name, sys.modules.get(name), True)
            raise
        _end(entries, name, module, False)
        return module


def _run(stand_in: "Any", module: "Any") -> None:
    loader = stand_in._extreg_loader
    spec: Any = getattr(module, "__spec__", None)
    if getattr(spec, "loader", None) is stand_in:
        spec.loader = loader
    if getattr(module, "__loader__", None) is stand_in:
        module.__loader__ = loader
    name = spec.name if spec is not None else module.__name__
    entries = _begin(name)
    try:
        loader.exec_module(module)
    except BaseException:
        _end(entries, name, module, True)
        raise
    _end(entries, name, sys.modules.get(name, module), False)


# A module that warns at its top level with stacklevel=2 means whoever imports it.  warnings steps over frames whose
# file name holds both of these words (_is_internal_frame in Lib/warnings.py and Python/_warnings.c); ours is such.
for _function in (_run, _Watched.exec_module, _WatchedLegacy.load_module):
    _function.__code__ = _function.__code__.replace(co_filename="<extreg.importhook, as importlib._bootstrap>")
del _function


def _begin(name: str) -> "list[Watch]":
    entries = [entry for entry in _watches if entry.covers(name)]
    _call_all([entry.before for entry in entries], name)
    return entries


def _end(entries: "list[Watch]", name: str, module: "Any", failed: bool) -> None:
    # The module's own code may have ended a watch.
    _call_all([entry.after for entry in entries if entry in _watches], name, module, failed)


def _call_all(callbacks: "list[Any]", *facts: object) -> None:
    """Call each that is not None, whatever the others do; raise what the first of them raised."""
    error = None
    for callback in callbacks:
        try:
            if callback is not None:
                callback(*facts)
        except BaseException as raised:  # noqa: BLE001 - the importer gets it below, once all were called
            error = error or raised
    if error is not None:
        raise error


def _catch_up(entry: Watch) -> None:
    """Bring what was found before there was a watch under it: modules running now, and promised (lazy) ones."""
    # A copy is made in one step. A list of the items is not: up to Python 3.11 its tuples may start a garbage
    # collection, in whose finalizers other threads import.
    for name, module in dict(sys.modules).items():
        if not entry.covers(name) or not isinstance(module, _ModuleType):
            continue
        try:
            # Past a lazy module's own __getattribute__, which would import it.
            spec = object.__getattribute__(module, "__dict__").get("__spec__")
        except AttributeError:  # it only says that it is a module, as cffi's libraries do on PyPy
            continue
        if promised(module):
            _lend(spec)
        elif getattr(spec, "_initializing", False):
            _await(spec, module, entry)


def _await(spec: "Any", module: "ModuleType", entry: Watch) -> None:
    """Have a module that is running already reported to `entry` when it ends.

    Its loader is past our reach; but importlib sets ``_initializing`` on the spec before it runs the module, and
    clears it afterwards, whatever happened (_load_unlocked in Lib/importlib/_bootstrap.py; import.c reads it).
    """
    if type(spec) is _ModuleSpec:
        spec.__dict__.setdefault("_extreg_awaited", [])
        spec.__class__ = _AwaitedSpec
    awaited = spec.__dict__.get("_extreg_awaited")
    if awaited is not None:
        awaited.append((entry, module))
        if not spec._initializing:  # another thread's import ended while we looked
            _report(spec, awaited)


_ModuleSpec: "Any" = type(sys.__spec__)  # importlib.machinery.ModuleSpec, without the import


class _AwaitedSpec(_ModuleSpec):  # type: ignore[misc]
    """The spec of a running module that tells when its module has ended, and is a plain spec from then on."""

    def __setattr__(self, key: str, value: object) -> None:
        super().__setattr__(key, value)
        if key == "_initializing" and not value:
            _report(self, self.__dict__.get("_extreg_awaited", []))


_AwaitedSpec.__name__ = _AwaitedSpec.__qualname__ = "ModuleSpec"


def _report(spec: "Any", awaited: "list[tuple[Watch, ModuleType]]") -> None:
    spec.__class__ = _ModuleSpec
    spec.__dict__.pop("_extreg_awaited", None)
    while awaited:
        try:
            entry, module = awaited.pop(0)
        except IndexError:  # the other thread took it
            return
        _end([entry], spec.name, sys.modules.get(spec.name, module), spec.name not in sys.modules)
