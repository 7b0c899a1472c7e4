"""The unpickler that is confined to a table of names: on a private instance of pickle's C module, or pickle's own.

On a private instance, codes reach ``find_class`` under a module that is told by identity, which no name in a pickle
can be: there is no opcode that fetches it.  What they are resolved to is in the instance's own cache.
"""

import pickle
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from extreg.pickles import engines
from extreg.pickles.walking.names import loaded
from extreg.pickles.walking.patterns import Match, harmless
from extreg.scoped import private
from extreg.scoped.basics import BASICS
from extreg.scoped.resolve import resolve

Name = tuple[str, str]
# A module, a name in it, and what that was.
Watched = tuple[str, str, object]

# How many of the resolved codes are looked at before each load, to see whether they are still what a module holds.
_WATCHED: Final = 16


class _Codes(str):
    """The module that stands for codes."""

    __slots__ = ()


_CODES: Final = _Codes("extension codes")


class Confined:
    """The unpicklers of one registry, ``legacy`` for Python 2's names and ``modern``, and what its codes are now.

    ``private`` tells whether they read codes themselves, and ``resolved`` is what these have been resolved to.
    """

    __slots__ = ("_held", "_watched", "errors", "legacy", "modern", "private", "resolved")

    def __init__(
        self,
        held: Mapping[int, Name],
        names: Mapping[Name, Name],
        own: frozenset[Name],
        refuse: Callable[[str, str], Exception],
    ) -> None:
        made = private.instance({}, {code: (_CODES, str(code)) for code in held})
        self.private = made is not None
        self.errors: tuple[type[Exception], ...] = () if made is None else (made.PickleError,)
        base = engines.Unpickler if made is None else made.Unpickler
        codes = {str(code): name for code, name in held.items()}
        self.modern = _unpickler(base, codes, names, own, refuse, legacy=False)
        self.legacy = _unpickler(base, codes, names, own, refuse, legacy=True)
        self._held = held
        self.resolved: dict[int, object] = {} if made is None else made.resolved
        self._watched: list[Watched] = []

    def current(self) -> bool:
        """Tell whether each code that was resolved still is what it was, no module having been reloaded since."""
        if len(self.resolved) != len(self._watched):
            self._watch()
        return current(self._watched)

    def _watch(self) -> None:
        """See to it that all that is resolved can be looked at: nothing nested, and not too much of it."""
        resolved = self.resolved
        if len(resolved) > _WATCHED:
            # Another thread's load has its own reference to what it has fetched.
            resolved.clear()
        watched = []
        for code, found in list(resolved.items()):
            module, name = self._held[code]
            if "." in name:
                resolved.pop(code, None)
            else:
                watched.append((module, name, found))
        self._watched = watched

    def quick(self, codes: Mapping[int, Name]) -> "Quick | None":
        """Return what loads pickles of nothing but those of `codes` that are resolved by now."""
        resolved = {code: found for code, found in list(self.resolved.items()) if "." not in codes[code][1]}
        made = private.instance({}, {}) if resolved else None
        if made is None:
            return None
        made.resolved.update(resolved)
        watched = [(*codes[code], found) for code, found in resolved.items()]
        return Quick(harmless(tuple(resolved)), made.loads, (made.PickleError,), watched)


class Quick(NamedTuple):
    """What loads small pickles that refer to nothing but some codes.

    ``proves`` matches what may be given to ``loads``, which is confined to nothing: to it alone.  ``watched`` are what
    the codes have been resolved to, which have to be `current`.
    """

    proves: Match
    loads: Callable[..., Any]
    errors: tuple[type[Exception], ...]
    watched: list[Watched]


def current(watched: list[Watched]) -> bool:
    """Tell whether all that is `watched` still is what its module holds, none having been reloaded since."""
    modules = sys.modules
    try:
        for module, name, found in watched:
            if modules[module].__dict__[name] is not found:
                return False
    except (KeyError, AttributeError):
        return False
    return True


def _unpickler(
    base: type[pickle.Unpickler],
    codes: Mapping[str, Name],
    names: Mapping[Name, Name],
    own: frozenset[Name],
    refuse: Callable[[str, str], Exception],
    *,
    legacy: bool,
) -> type[pickle.Unpickler]:
    """Return pickle's unpickler, confined to `names`: what a check has let through passes here, and nothing else.

    The names in `own` are resolved; the rest is `BASICS`.
    """

    audit = sys.audit

    def find_class(module: str, name: str) -> object:
        if module is _CODES:
            found: Name | None = codes[name]
        else:
            if legacy:
                module, name = loaded(module, name, 2)
            found = names.get((module, name))
        if found is None:
            raise refuse(module, name)
        module, name = found
        audit("pickle.find_class", module, name)
        return resolve(module, name) if found in own else BASICS[found]

    members: dict[str, Any] = {"find_class": staticmethod(find_class), "__slots__": ()}
    return type("ConfinedUnpickler", (base,), members)


class Held:
    """A file that holds `data`, and hands it over as a whole: an unpickler in C reads it as it reads bytes.

    In a file it reads each frame by itself, and where one ends within an opcode it reads other opcodes than were
    checked.
    """

    __slots__ = ("_data",)

    def __init__(self, data: bytes) -> None:
        self._data = data

    def peek(self, _: int, /) -> bytes:
        """Return all of it, once."""
        data, self._data = self._data, b""
        return data

    def read(self, _: int, /) -> bytes:
        """Return nothing: there is nothing behind what `peek` has returned."""
        return b""

    def readline(self) -> bytes:
        """Return nothing, as `read` does."""
        return b""
