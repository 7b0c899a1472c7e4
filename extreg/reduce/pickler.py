"""Picklers with reducers of their own: `Pickler` and `dumps`."""

from __future__ import annotations

import copyreg
import io
import pickle
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import IO, Any

from extreg.pickles import engines

Reducer = Callable[[Any], Any]


class Pickler(engines.Pickler):
    """A pickler (pickle's own, in C where that is) with private reducers, of which no other pickler learns.

    ``reducers`` maps a type to a function that returns what ``__reduce__`` may.  It is copied; copyreg is not touched.
    With ``inherit`` every other type is looked up in `copyreg.dispatch_table` as it is at that moment, without it
    nowhere: then the reducers that programs and the standard library registered do not apply (``re.Pattern`` is
    pickled by one of those).  The other arguments are those of `pickle.Pickler`.

    As pickle defines it for every dispatch table, a reducer is for objects of exactly its type: those of a subclass are
    reduced by what they inherit.  ``reducer_override`` comes before the reducers; a subclass may define it.  One
    pickler belongs to one thread at a time; any number of them may run side by side.

    Raises TypeError for a key that is no type or a reducer that cannot be called.
    """

    def __init__(
        self,
        file: IO[bytes],
        protocol: int | None = None,
        *,
        fix_imports: bool = True,
        buffer_callback: Callable[[pickle.PickleBuffer], Any] | None = None,
        reducers: Mapping[type, Reducer] = MappingProxyType({}),
        inherit: bool = True,
    ) -> None:
        super().__init__(file, protocol, fix_imports=fix_imports, buffer_callback=buffer_callback)
        for kind, reducer in reducers.items():
            if not isinstance(kind, type):
                raise TypeError(f"reducers must map types, not {kind!r}")
            if not callable(reducer):
                raise TypeError("reduction functions must be callable")
        self.dispatch_table = _Layered(reducers) if inherit else dict(reducers)


class _Layered(dict[type, Reducer]):
    """Own reducers before `copyreg.dispatch_table`, live.

    What a ChainMap does, in C: the pickler asks for the type of nearly every object that it dumps, and the answer is
    nearly always that there is none.
    """

    __missing__ = copyreg.dispatch_table.__getitem__

    def get(self, key: type, default: Any = None) -> Any:
        """Look `key` up as indexing does; the pickler in pickle.py asks this way."""
        try:
            return self[key]
        except KeyError:
            return default


def dumps(
    obj: object,
    protocol: int | None = None,
    *,
    fix_imports: bool = True,
    buffer_callback: Callable[[pickle.PickleBuffer], Any] | None = None,
    reducers: Mapping[type, Reducer] = MappingProxyType({}),
    inherit: bool = True,
) -> bytes:
    """Return `obj` pickled by a `Pickler` with these arguments."""
    file = io.BytesIO()
    Pickler(
        file,
        protocol,
        fix_imports=fix_imports,
        buffer_callback=buffer_callback,
        reducers=reducers,
        inherit=inherit,
    ).dump(obj)
    return file.getvalue()
