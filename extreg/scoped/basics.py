"""What every registry permits without a line for it: what pickle itself writes for values of the basic types.

There are no opcodes for a complex number or a range under any protocol, for a set below protocol 4, a bytearray below
5, bytes below 3, or an object of a plain class below 2; pickle writes a call of one of these instead.  Each is here
because it does nothing but make its value: it imports nothing, keeps nothing, and runs no code but the special
methods of its arguments, which are of types that the registry permits.  ``builtins:getattr`` is not and will not be
among them, nor is anything that calls what it is given.

The two functions are not handed out as they are: `codecs.encode` looks up, and may import, any codec, and
`copyreg._reconstructor` takes anything for a class.
"""

import copyreg
from typing import Any, Final


class _Unwritable:
    """A callable that a pickle cannot change: a BUILD writes the attributes of a function, for the whole process."""

    __slots__ = ()

    def __setattr__(self, name: str, value: object) -> None:
        # Without this, `__class__` could be set, to a class with no slots that the registry permits.
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r} that can be set")

    def __delattr__(self, name: str) -> None:
        raise AttributeError(f"{type(self).__name__} has no attribute {name!r} that can be deleted")


class _Encode(_Unwritable):
    """Does for ``bytes`` under protocols 0 to 2 what pickle writes ``_codecs.encode`` for, and nothing else."""

    __slots__ = ()

    def __call__(self, text: str, encoding: str) -> bytes:
        if type(text) is not str or encoding != "latin1":
            raise ValueError("pickle writes _codecs.encode of a str and 'latin1' only; a registry can permit the rest")
        return text.encode("latin1")


class Reconstructed(type):
    """The type of types that have a way of their own to be made by ``copyreg._reconstructor``."""

    def reconstructed(cls, base: object, state: object) -> object:
        """Return an object of this type."""
        raise NotImplementedError


class _Reconstruct(_Unwritable):
    """Makes an object of a class as protocols 0 and 1 have it."""

    __slots__ = ()

    def __call__(self, cls: type, base: type, state: object) -> Any:
        if isinstance(cls, Reconstructed):
            return cls.reconstructed(base, state)
        if not (isinstance(cls, type) and isinstance(base, type) and issubclass(cls, base)):
            raise TypeError("copyreg._reconstructor makes objects of a class, by one of its bases")
        return copyreg._reconstructor(cls, base, state)  # type: ignore[attr-defined]


BASICS: Final[dict[tuple[str, str], object]] = {
    ("builtins", "object"): object,
    ("builtins", "set"): set,
    ("builtins", "frozenset"): frozenset,
    ("builtins", "bytes"): bytes,
    ("builtins", "bytearray"): bytearray,
    ("builtins", "complex"): complex,
    ("builtins", "range"): range,
    ("builtins", "slice"): slice,
    ("builtins", "Ellipsis"): Ellipsis,
    ("builtins", "NotImplemented"): NotImplemented,
    ("_codecs", "encode"): _Encode(),
    ("copyreg", "_reconstructor"): _Reconstruct(),
}
