"""Where the rows of retired codes lead: whoever loads one is told what it was, instead of that nobody knows it.

`install` gives every retired code a row in copyreg's inverted registry: this module, and a name that says for whoever
meets it in some other error what the code was.  An unpickler that meets the code imports this module and asks it for
that name, which raises `RetiredCodeError`; since nothing was found, nothing comes into the extension cache.

Nothing else can be had here.  A pickle may name any attribute of a module, and an allow-list of modules may come to
hold this one: so that the module in ``sys.modules`` answers for its name and what else imports and tracebacks ask of
it, all of it texts or None, and for nothing that is in its dictionary.
"""

import sys
from types import ModuleType

_PLAIN = frozenset({"__name__", "__package__", "__doc__", "__file__"})
_NONE = frozenset({"__spec__", "__loader__"})  # which only importlib wants, and takes None for


class _Retired(ModuleType):
    """A module with nothing in it."""

    def __getattribute__(self, name: str) -> object:
        if name in _PLAIN:
            return globals().get(name)
        if name in _NONE:
            return None
        if name[:1].isdigit():
            from extreg.startup.retirement import named_by

            error = named_by(name)
            if error is not None:
                raise error
        raise AttributeError(f"module 'extreg.retired' has no attribute {name!r}")

    def __dir__(self) -> "list[str]":
        return []

    def __repr__(self) -> str:
        return "<module 'extreg.retired'>"


sys.modules[__name__].__class__ = _Retired
