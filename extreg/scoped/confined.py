"""The unpickler that is confined to a table of names: on a private instance of pickle's C module, or pickle's own.

On a private instance, codes reach ``find_class`` under a module that is told by identity, which no name in a pickle
can be: there is no opcode that fetches it.  What they are resolved to is in the instance's own cache.
"""

import pickle
import sys
from collections.abc import Callable, Mapping
from typing import Any, Final

from extreg.pickles import engines
from extreg.pickles.walking.names import loaded
from extreg.scoped import private
from extreg.scoped.basics import BASICS
from extreg.scoped.others import Others
from extreg.scoped.quick import MOST, Name, Watched, current, watch


class _Codes(str):
    """The module that stands for codes."""

    __slots__ = ()


_CODES: Final = _Codes("extension codes")


class Confined:
    """The unpicklers of one registry, ``legacy`` for Python 2's names and ``modern``, and what its codes are now.

    ``private`` tells whether they read codes themselves, and ``resolved`` is what these have been resolved to.
    ``seen`` is what own globals were found to be, by whatever they were referred to.
    """

    __slots__ = ("_count", "_held", "_watched", "errors", "legacy", "modern", "private", "resolved", "seen")

    def __init__(
        self,
        held: Mapping[int, Name],
        names: Mapping[Name, Name],
        others: Others,
        refuse: Callable[[str, str], Exception],
    ) -> None:
        made = private.instance({}, {code: (_CODES, str(code)) for code in held})
        self.private = made is not None
        self.errors: tuple[type[Exception], ...] = () if made is None else (made.PickleError,)
        base = engines.Unpickler if made is None else made.Unpickler
        codes = {str(code): name for code, name in held.items()}
        self.seen: dict[Name, object] = {}
        self.modern = _unpickler(base, codes, names, others, self.seen, refuse, legacy=False)
        self.legacy = _unpickler(base, codes, names, others, self.seen, refuse, legacy=True)
        self._held = held
        self.resolved: dict[int, object] = {} if made is None else made.resolved
        self._watched: list[Watched] = []
        self._count = 0

    def current(self) -> bool:
        """Tell whether each code that was resolved still is what it was, no module having been reloaded since."""
        if len(self.resolved) != self._count:
            self._watch()
        return current(self._watched)

    def _watch(self) -> None:
        """See to it that all that is resolved can be looked at: nothing nested, and not too much of it."""
        resolved = self.resolved
        if len(resolved) > MOST:
            # Another thread's load has its own reference to what it has fetched.
            resolved.clear()
        found = {}
        for code, it in dict(resolved).items():
            if "." in self._held[code][1]:
                resolved.pop(code, None)
            else:
                found[self._held[code]] = it
        self._watched, self._count = watch(found), len(resolved)


def _unpickler(
    base: type[pickle.Unpickler],
    codes: Mapping[str, Name],
    names: Mapping[Name, Name],
    others: Others,
    seen: dict[Name, object],
    refuse: Callable[[str, str], Exception],
    *,
    legacy: bool,
) -> type[pickle.Unpickler]:
    """Return pickle's unpickler, confined to `names`: what a check has let through passes here, and nothing else.

    Its own names, and `others` of theirs, are resolved, and noted in `seen`; the rest is `BASICS`.
    """

    audit, own, today = sys.audit, others.own, others.today

    def find_class(module: str, name: str) -> object:
        if module is _CODES:
            found: Name | None = codes[name]
        else:
            if legacy:
                module, name = loaded(module, name, 2)
            found = names.get((module, name)) or today((module, name))
        if found is None:
            raise refuse(module, name)
        module, name = found
        audit("pickle.find_class", module, name)
        if found not in own:
            return BASICS[found]
        seen[found] = made = others.resolve(found)
        return made

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

    def put(self, data: bytes) -> None:
        """Hold `data` next."""
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
