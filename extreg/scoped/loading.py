"""Loading under a registry: `loads`, `load` and `Unpickler`.

Each pickle is checked as a whole, its codes are spelled out, and then pickle's own unpickler loads exactly the bytes
that were checked, confined to what the registry permits: a second wall, should the first have a hole.
"""

import pickle
from collections.abc import Iterable
from typing import Any

from extreg.pickles.walking.opcodes import Buffer
from extreg.registry.model import Registry
from extreg.scoped.feeding import fed
from extreg.scoped.permits import Checked, permits_of
from extreg.scoped.reading import Readable, read_pickle


def loads(
    data: Buffer,
    registry: Registry,
    *,
    fix_imports: bool = True,
    encoding: str = "ASCII",
    errors: str = "strict",
    buffers: Iterable[Any] | None = None,
) -> Any:
    """Return the object in the first pickle of `data`, as `pickle.loads` would, if `registry` permits all it refers to.

    Permitted are the targets of live and load-only codes, named or by code, and the constructors that pickle itself
    writes for values of the basic types (`extreg.scoped.basics`).  Whatever is permitted is called with whatever
    arguments the pickle gives.  copyreg's registry and cache are not asked.

    Raises `ForbiddenGlobalError`, naming all offenders, and `MalformedPickleError` (both are
    `pickle.UnpicklingError`) before anything is imported or run; EOFError where `data` is empty; TypeError where
    `registry` is none; later, whatever `pickle.loads` raises, AttributeError for a name that a module has only by
    its ``__getattr__``.
    """
    # Bytes cannot change between the check and the load; whatever else is copied, so that it cannot either.
    whole = data if type(data) is bytes else bytes(data)
    checked = permits_of(registry).check(whole, fix_imports=fix_imports, encoding=encoding)
    return checked.unpickler(fed(checked), encoding=encoding, errors=errors, buffers=buffers).load()


def load(
    file: Readable,
    registry: Registry,
    *,
    fix_imports: bool = True,
    encoding: str = "ASCII",
    errors: str = "strict",
    buffers: Iterable[Any] | None = None,
) -> Any:
    """Read one pickle from `file` and return its object; see `loads`.

    `file` is left where the pickle ends.  Raises EOFError at the end of the file.
    """
    data = read_pickle(file)
    return loads(data, registry, fix_imports=fix_imports, encoding=encoding, errors=errors, buffers=buffers)


class Unpickler:
    """Loads pickle after pickle from `file`, as `load` does; the other arguments are those of `pickle.Unpickler`.

    A subclass may define ``persistent_load``, whose results are its own affair; there is no ``find_class`` to
    override.  Each pickle is on its own: none sees the memo of the one before, as `extreg.scoped.Pickler` writes
    them.  What a `pickle.Pickler` dumped second, referring to what it dumped first, is refused.
    """

    def __init__(
        self,
        file: Readable,
        registry: Registry,
        *,
        fix_imports: bool = True,
        encoding: str = "ASCII",
        errors: str = "strict",
        buffers: Iterable[Any] | None = None,
    ) -> None:
        self._file = file
        self._permits = permits_of(registry)
        self._fix_imports = fix_imports
        self._encoding = encoding
        self._errors = errors
        # One iterator for all pickles, as pickle has it.
        self._buffers = None if buffers is None else iter(buffers)

    def load(self) -> Any:
        """Read one pickle and return its object; raises as `loads` does, and EOFError at the end of the file."""
        data = read_pickle(self._file)
        checked = self._permits.check(data, fix_imports=self._fix_imports, encoding=self._encoding)
        return self._confined(checked).load()

    def persistent_load(self, pid: Any) -> Any:
        """Return the object of a persistent id; raises UnpicklingError unless a subclass knows better."""
        raise pickle.UnpicklingError(f"no persistent_load is defined for the persistent id {pid!r:.100}")

    def _confined(self, checked: Checked) -> pickle.Unpickler:
        # A new one for each pickle: an unpickler that failed goes on in the middle of the bytes it failed in.
        persistent = {"persistent_load": staticmethod(self.persistent_load)}
        kind = type("ConfinedUnpickler", (checked.unpickler,), persistent)
        file, options = fed(checked), {"encoding": self._encoding, "errors": self._errors}
        unpickler: pickle.Unpickler = kind(file, buffers=self._buffers, **options)
        return unpickler
