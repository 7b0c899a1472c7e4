"""Under which name pickle dumps an object, if it dumps one at all: asked of the object as pickle asks it.

Only what `Pickler.save` does before it writes anything, so that nothing large is dumped.
"""

import copyreg
import pickle
from types import FunctionType, ModuleType
from typing import Any

from extreg.registry.target import is_target, join, split


def own_target(found: Any, target: str) -> str | None:
    """Return the target under which pickle dumps an object that `target` leads to, or None when it is no global.

    As `save` and `save_global` in Lib/pickle.py: classes and functions by their ``__qualname__``; anything else, a
    decorator's object that wears a function's names included, only by the string that its reducer returns.  The module
    is `whichmodule`'s.  Raises what user code raises in a reducer or a property.
    """
    reduced = None
    if type(found) is not type and type(found) is not FunctionType:
        reduced = _reduced(found)
        if reduced is not None and not isinstance(reduced, str):
            return None
    name = reduced or getattr(found, "__qualname__", None) or found.__name__
    module = getattr(found, "__module__", None)
    if module is None:
        module = split(target)[0] if name == split(target)[1] else pickle.whichmodule(found, name)  # type: ignore[attr-defined]
    return join(module, name)


def reconstructor(found: Any) -> str | None:
    """Return the target of what pickle calls to make an object anew: its class, or the function that its reducer names.

    None where the object cannot be pickled, or calls itself in a way that no target has.
    """
    kind = type(found)
    try:
        made = _reduced(found)
        maker = made[0] if isinstance(made, tuple) else kind
    except Exception:  # noqa: BLE001 - a user's class may raise anything
        return None
    if getattr(maker, "__module__", None) in {"copyreg", "copy_reg"}:  # __newobj__ and _reconstructor
        maker = kind
    target = join(str(getattr(maker, "__module__", None)), str(getattr(maker, "__qualname__", None)))
    return target if is_target(target) else None


def described(found: Any) -> str:
    """Say what an object is that is no global, without asking it for its `repr`."""
    if isinstance(found, ModuleType):
        return "a module: pickle dumps what is in it, never the module"
    kind = type(found)
    return f"an instance of {join(kind.__module__, kind.__qualname__)}: pickle dumps what it is made of, never its name"


def _reduced(found: Any) -> Any:
    """Return what the reducer of an object gives, None for a class that has none."""
    reduce = getattr(copyreg, "dispatch_table", {}).get(type(found))
    if reduce is not None:
        return reduce(found)
    return None if isinstance(found, type) else found.__reduce_ex__(4)
