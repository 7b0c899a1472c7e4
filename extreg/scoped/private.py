"""A private instance of pickle's own C module, with extension codes that nothing else in the process sees.

Since CPython 3.12 (PEP 489) ``_pickle`` can be instantiated again.  When one is executed it takes the extension
dictionaries from what stands in ``sys.modules["copyreg"]`` at that moment (Modules/_pickle.c, ``_Pickle_InitState``);
for that moment it is a stand-in with dictionaries of our own.  It is put there and taken out again within one call in
C, during which no other thread runs.  The dispatch table stays the shared one.

Whether an instance does what is wanted of it is tried once per process, and never told by the version.
"""

import _imp
import builtins
import copyreg
import importlib.util
import operator
import pickle
import sys
import sysconfig
from collections import deque
from collections.abc import Callable, Mapping
from functools import cache, partial
from types import BuiltinFunctionType, ModuleType
from typing import Any, Final, NamedTuple

Key = tuple[str, str]

_PROBE: Final = 300
_UNKNOWN: Final = 301


class Instance(NamedTuple):
    """One instance: its functions, its classes, and the dictionary of what its codes have been resolved to.

    ``PickleError`` is the base of its own PicklingError and UnpicklingError, which `public` turns into pickle's.
    """

    dumps: Callable[..., bytes]
    loads: Callable[..., Any]
    Pickler: type[pickle.Pickler]
    Unpickler: type[pickle.Unpickler]
    PickleError: type[Exception]
    resolved: dict[int, object]


def instance(written: Mapping[Key, int], read: Mapping[int, Key]) -> Instance | None:
    """Return an instance that writes the codes of `written` and hands those of `read` to ``find_class``.

    None where this Python cannot give one.
    """
    # An import function in Python would let other threads look while the stand-in is there.
    if not _works() or type(builtins.__import__) is not BuiltinFunctionType:
        return None
    return _made(written, read)


def public(error: Exception) -> Exception:
    """Return `error`, one of an instance's own, as pickle's exception of the same name, with all that belongs to it."""
    kind: type[Exception] = getattr(pickle, type(error).__name__)
    new = kind(*error.args).with_traceback(error.__traceback__)
    new.__cause__, new.__context__ = error.__cause__, error.__context__
    new.__suppress_context__ = error.__suppress_context__
    for note in getattr(error, "__notes__", ()):
        new.add_note(note)  # type: ignore[attr-defined,unused-ignore]  # there is no instance where this is not
    return new


@cache
def bare() -> Instance | None:
    """Return the instance that has no codes at all, or None; there is one for the process."""
    return instance({}, {})


def _made(written: Mapping[Key, int], read: Mapping[int, Key]) -> Instance:
    resolved: dict[int, object] = {}
    made = _executed(dict(written), dict(read), resolved)
    return Instance(made.dumps, made.loads, made.Pickler, made.Unpickler, made.PickleError, resolved)


def _executed(written: dict[Key, int], read: dict[int, Key], resolved: dict[int, object]) -> ModuleType:
    """Return a new instance of the module that has these three for its extension dictionaries."""
    own = {"_extension_registry": written, "_inverted_registry": read, "_extension_cache": resolved}
    stand_in = ModuleType("copyreg")
    vars(stand_in).update({**vars(copyreg), **own})
    spec = sys.modules["_pickle"].__spec__
    assert spec is not None
    made = importlib.util.module_from_spec(spec)
    modules, real = sys.modules, sys.modules["copyreg"]
    execute = _imp.exec_dynamic if hasattr(_imp, "exec_dynamic") else _imp.exec_builtin
    put = partial(operator.setitem, modules, "copyreg")
    steps = [partial(put, stand_in), partial(execute, made), partial(put, real)]
    try:
        # `operator.call`, without which (before 3.11) nothing comes here.
        deque(map(operator.call, steps), 0)  # type: ignore[attr-defined,unused-ignore]
    finally:
        if modules.get("copyreg") is stand_in:
            modules["copyreg"] = real
        # Whoever holds the stand-in all the same holds copyreg by another name.
        vars(stand_in).update(vars(copyreg))
    return made


class _Probe:
    """What the trial dumps."""


@cache
def _works() -> bool:
    """Tell whether this Python gives instances that are private; tried once per process."""
    if sys.implementation.name != "cpython" or not hasattr(operator, "call") or "_pickle" not in sys.modules:
        return False
    if sysconfig.get_config_var("Py_GIL_DISABLED"):
        return False  # dictionaries of this kind have been seen to crash there
    try:
        return _is_private(_made({(__name__, "_Probe"): _PROBE}, {_PROBE: (__name__, "_Probe")}))
    except Exception:  # noqa: BLE001 - whatever a Python does that changed: there is the other way
        return False


def _is_private(made: Instance) -> bool:
    """Tell whether `made` writes its code and reads it from its own cache, and all else is as it was."""
    tables = [copyreg._extension_registry, copyreg._inverted_registry, copyreg._extension_cache]  # type: ignore[attr-defined]
    coded, unknown = (b"\x80\x04\x83%s." % code.to_bytes(2, "little") for code in (_PROBE, _UNKNOWN))
    written = made.dumps(_Probe, 2)
    marker = object()
    read = made.loads(coded)
    cached = made.resolved.get(_PROBE)
    made.resolved[_PROBE] = marker
    again = made.loads(coded)
    try:
        made.loads(unknown)
    except ValueError:
        refused = True
    else:
        refused = False
    return (
        sys.modules["copyreg"] is copyreg
        and made.PickleError is not pickle.PickleError
        and written[:5] == b"\x80\x02\x83%s" % _PROBE.to_bytes(2, "little")
        and read is cached is _Probe
        and again is marker
        and refused
        and not any(found is marker for found in list(tables[2].values()))
        and (__name__, "_Probe") not in tables[0]
    )
