"""From a former name to the object that has another name now."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from types import ModuleType

from extreg.healing import known

_asked = threading.local()


def healed(module: str, name: str) -> object:
    """Return what the former `name` of `module` is now, or a `Holder` where it is only the first part of such names.

    Imports what is needed.  Raises AttributeError where there is no such former name, or it leads nowhere here, to
    itself, or to an object that has no ``__module__`` of its own: `pickle.whichmodule` would come upon that one by
    this very name.  What an import raises comes out as it is.
    """
    names = known.standing.get(module, {})
    targets = names.get(name)
    if targets is None:
        if any(other.startswith(f"{name}.") for other in names):
            return Holder(module, name)
        raise AttributeError(f"module {module!r} has no attribute {name!r}")
    with _once(f"{module}:{name}"):
        for target in targets:
            found = _found(target)
            if isinstance(getattr(found, "__module__", None), str):
                return found
    raise AttributeError(f"module {module!r} has no attribute {name!r}, which {' or '.join(targets)} should be now")


@contextmanager
def _once(former: str) -> Iterator[None]:
    """Stop modules that ask each other."""
    asked = _asked.__dict__.setdefault("names", set())
    if former in asked:
        raise AttributeError(f"{former} leads back to itself")
    asked.add(former)
    try:
        yield
    finally:
        asked.discard(former)


def _found(target: str) -> object:
    """Return the object at `target`, None where there is none; a module is never handed out."""
    module, _, qualname = target.partition(":")
    try:
        found: object = import_module(module)
    except ModuleNotFoundError as error:
        if error.name is not None and f"{module}.".startswith(f"{error.name}."):
            return None
        raise
    for part in qualname.split("."):
        try:
            found = getattr(found, part)
        except AttributeError:
            return None
    return None if isinstance(found, ModuleType) else found


class Holder:
    """Stands where a former name has its first parts, and has the rest of such names, nothing else."""

    __slots__ = ("_held",)

    def __init__(self, module: str, name: str) -> None:
        object.__setattr__(self, "_held", (module, name))

    def __getattribute__(self, name: str) -> object:
        module, first = object.__getattribute__(self, "_held")
        return healed(module, f"{first}.{name}")

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("it stands for former names and holds nothing")

    def __repr__(self) -> str:
        return "<former names of {}:{}>".format(*object.__getattribute__(self, "_held"))
