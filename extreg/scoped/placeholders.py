"""Placeholders: what `loads` makes of a retired code when it is asked to, so that old data can be looked at.

For each retired code there is one type, here in this module under a name of its own, and a registry derived from the
one that is given has these types as the targets of its retired codes.  With that, codes are read and written as any
others are.  Calling a type, or making an object of it in pickle's other ways, runs nothing and keeps what was given.
"""

import copyreg
import pickle
import sys
from dataclasses import replace
from hashlib import sha256
from typing import Any, Final, Literal, NamedTuple, NoReturn

from extreg.registry.model import Registry
from extreg.scoped.basics import Reconstructed

Retired = Literal["refuse", "placeholder"]
Way = Literal["reduce", "newobj", "reconstructor"]

# Whoever asks for the parts of a placeholder: the modules of scoped dumping, pickle where it is Python, and copy.
_DUMPING: Final = frozenset({"extreg.scoped.dumping", "extreg.scoped.writing", "copy"})
_PICKLES: Final = frozenset({"pickle", "_pickle", "_compat_pickle"})


class Items(NamedTuple):
    """What a pickle appended to an object, and the pairs that it set in it, in order."""

    appended: list[Any]
    pairs: list[tuple[Any, Any]]


class _Kind(Reconstructed):
    """The type of placeholder types: a call is a REDUCE, and no other way of making an object goes by it."""

    code: int
    target: str

    def __call__(self, *args: Any) -> "Placeholder":
        return _made(self, "reduce", args, {})

    def reconstructed(self, base: object, state: object) -> "Placeholder":
        """Return an object as protocols 0 and 1 make it, by ``copyreg._reconstructor``."""
        return _made(self, "reconstructor", (base, state), {})

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"{self.__name__} stands for code {self.code} and cannot be changed")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"{self.__name__} stands for code {self.code} and cannot be changed")

    def __repr__(self) -> str:
        return f"<placeholder for code {self.code}, retired, which was {self.target}>"


class Placeholder:
    """An object of a class whose code is retired: ``code`` (int) and ``target`` (str), and what the pickle gave.

    ``args`` (tuple) and ``kwargs`` (dict) are what it was made with, and ``made_by`` says in which way; ``state`` is
    that of BUILD, None where there was none; ``items`` has what was appended, and the pairs that were set.
    """

    __slots__ = ("__weakref__", "args", "items", "kwargs", "made_by", "state")

    args: tuple[Any, ...]
    items: Items
    kwargs: dict[str, Any]
    made_by: Way
    state: Any
    code: int
    target: str

    def __new__(cls, *args: Any, **kwargs: Any) -> "Placeholder":
        """Make one as NEWOBJ and NEWOBJ_EX do."""
        return _made(cls, "newobj", args, kwargs)

    def __setstate__(self, state: Any) -> None:
        self.state = state

    def append(self, item: Any) -> None:
        """Keep what a list would."""
        self.items.appended.append(item)

    def extend(self, items: Any) -> None:
        """Keep what a list would."""
        self.items.appended.extend(items)

    def __setitem__(self, key: Any, value: Any) -> None:
        self.items.pairs.append((key, value))

    def __reduce_ex__(self, protocol: Any) -> tuple[Any, ...]:
        """Return what makes it again; raises PicklingError where its code cannot be written."""
        if not _is_scoped():
            raise pickle.PicklingError(f"{self!r} is dumped by extreg.dumps and nothing else: no name would load it")
        if protocol < (4 if self.kwargs else 2):
            raise pickle.PicklingError(f"{self!r} cannot be dumped under protocol {protocol}, which has no way for it")
        cls = type(self)
        make: Any
        if self.made_by == "reduce":
            make, args = cls, self.args
        elif self.made_by == "reconstructor":
            make, args = copyreg._reconstructor, (cls, *self.args)  # type: ignore[attr-defined]
        elif self.kwargs:
            make, args = copyreg.__newobj_ex__, (cls, self.args, self.kwargs)  # type: ignore[attr-defined]
        else:
            make, args = copyreg.__newobj__, (cls, *self.args)  # type: ignore[attr-defined]
        appended, pairs = self.items
        return make, args, self.state, iter(appended) if appended else None, iter(pairs) if pairs else None

    def __repr__(self) -> str:
        return f"<object of a class that is retired: code {self.code}, {self.target}>"


def placeholding(registry: Registry) -> Registry:
    """Return `registry` with placeholder types for the targets of its retired codes."""
    gone = registry.retired.keys()
    return replace(
        registry,
        codes={**registry.codes, **placeholder_targets(registry)},
        retired={},
        moved={code: names for code, names in registry.moved.items() if code not in gone},
        aliases={code: names for code, names in registry.aliases.items() if code not in gone},
    )


def placeholder_targets(registry: Registry) -> dict[int, str]:
    """Return the targets that the placeholder types for the retired codes of `registry` have."""
    return {code: f"{__name__}:{_type(code, target)}" for code, target in registry.retired.items()}


def registry_for(registry: Registry, retired: str) -> Registry:
    """Return the registry to load with: `registry`, or with ``"placeholder"`` the one with placeholders.

    Raises ValueError for another `retired`, TypeError where `registry` is none.
    """
    if retired not in ("refuse", "placeholder"):
        raise ValueError(f"retired is 'refuse' or 'placeholder', not {retired!r}")
    if not isinstance(registry, Registry):
        raise TypeError(f"expected a Registry (see Registry.load), found {type(registry).__name__}")
    return registry if retired == "refuse" else registry.derived(placeholding)


def _type(code: int, target: str) -> str:
    """Return the name of the placeholder type for a code that meant `target`; it is here from then on."""
    name = f"code_{code}_{sha256(target.encode()).hexdigest()[:16]}"
    members = {"__slots__": (), "__module__": __name__, "__qualname__": name, "code": code, "target": target}
    globals().setdefault(name, _Kind(name, (Placeholder,), members))
    return name


def _made(cls: Any, way: Way, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Placeholder:
    made: Placeholder = object.__new__(cls)
    made.made_by, made.args, made.kwargs, made.state, made.items = way, args, kwargs, None, Items([], [])
    return made


def _is_scoped() -> bool:
    """Tell whether it is one of ours that is dumping, or a copy: the first frame that is neither here nor pickle's."""
    frame = sys._getframe(2)
    while frame.f_back is not None and frame.f_globals.get("__name__") in _PICKLES:
        frame = frame.f_back
    return frame.f_globals.get("__name__") in _DUMPING
