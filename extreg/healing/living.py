"""Modules that live and have lost a name: they answer for it by a ``__getattr__`` (PEP 562), after their own."""

import sys
from collections.abc import Callable
from types import ModuleType
from typing import Any, Final

from extreg.healing import known
from extreg.healing.healed import healed

_HOOK: Final = "__getattr__"
# The modules that have one of ours, by name.
_attached: "dict[str, Answer]" = {}


class Answer:
    """The ``__getattr__`` of one module; ``former`` is the one it had.

    A pickle may fetch it by name, and must not give it another ``former`` by a BUILD.
    """

    __slots__ = ("former", "module", "path")

    module: ModuleType
    path: str
    former: Callable[[str], Any] | None

    def __init__(self, module: ModuleType, path: str, former: Callable[[str], Any] | None) -> None:
        for name, value in (("module", module), ("path", path), ("former", former)):
            object.__setattr__(self, name, value)

    def __setattr__(self, name: str, value: object) -> None:
        raise AttributeError("it answers for a module and cannot be changed")

    def __call__(self, name: str) -> Any:
        """Return what the module's own hooks find, else what the former `name` is now; raise AttributeError."""
        try:
            return self._own(name)
        except AttributeError:
            if name not in known.standing.get(self.path, ()) and not _begins(self.path, name):
                raise
            missing = sys.exc_info()[1]
        try:
            return healed(self.path, name)
        except AttributeError as error:
            raise error from missing

    def _own(self, name: str) -> Any:
        if self.former is not None:
            try:
                return self.former(name)
            except AttributeError:
                if not hasattr(type(self.module), _HOOK):
                    raise
        if hasattr(type(self.module), _HOOK):
            return type(self.module).__getattr__(self.module, name)
        raise AttributeError(f"module {self.path!r} has no attribute {name!r}", name=name, obj=self.module)


def _begins(path: str, name: str) -> bool:
    return any(other.startswith(f"{name}.") for other in known.standing.get(path, ()))


def attach(path: str) -> None:
    """Give the module `path` an answer, if it is in `sys.modules`, is a module, and has none."""
    module = sys.modules.get(path)
    if not isinstance(module, ModuleType):
        return  # what is no module cannot be healed
    names = object.__getattribute__(module, "__dict__")
    former = names.get(_HOOK)
    if isinstance(former, Answer):
        return
    names[_HOOK] = _attached[path] = Answer(module, path, former)


def detach(path: str) -> None:
    """Take the answer of the module `path` away; where somebody has wrapped it, it is left there and knows nothing."""
    answer = _attached.pop(path, None)
    if answer is None:
        return
    names = object.__getattribute__(answer.module, "__dict__")
    if names.get(_HOOK) is not answer:
        return
    if answer.former is None:
        names.pop(_HOOK, None)
    else:
        names[_HOOK] = answer.former


def settle() -> None:
    """Attach what is in the table and in `sys.modules`, and detach what is no longer in the table."""
    for path in [path for path in _attached if path not in known.standing]:
        detach(path)
    for path in list(known.standing):
        attach(path)
