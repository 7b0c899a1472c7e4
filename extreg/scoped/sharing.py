"""Loading pickles that share a memo: what a pickler that keeps its memo writes one after the other."""

import io
import pickle
from collections.abc import Callable
from typing import Any, Final

from extreg.pickles import engines
from extreg.pickles.walking.machine import Slots
from extreg.scoped import private
from extreg.scoped.confined import Confined, Held
from extreg.scoped.feeding import spelled
from extreg.scoped.permits import Permits, is_legacy

_IN_C: Final = engines.Unpickler.__module__ == "_pickle"


class Row:
    """One unpickler for all pickles of a row, with what is known of its memo.

    With ``before`` each pickle is checked before it is loaded, and names in it may stand in earlier ones.  After a
    failure nobody knows what is in the memo, and nothing more is loaded.
    """

    def __init__(
        self,
        permits: Permits,
        options: dict[str, Any],
        persistent_load: Callable[[Any], Any],
        *,
        before: bool,
        fix_imports: bool,
    ) -> None:
        self._permits, self._options, self._fix_imports = permits, options, fix_imports
        self._confined: Confined = permits.confined()
        self._before = before or not self._confined.private
        self._members = {"persistent_load": staticmethod(persistent_load)}
        self._memo: Slots = {}
        self._legacy: bool | None = None
        self._failed = False

    def load(self, data: bytes) -> Any:
        """Return the object of the next pickle, which is `data`; raises as `extreg.loads` does, and UnpicklingError
        after a failure, or where the protocol changes such that names mean something else.
        """
        if self._failed:
            raise pickle.UnpicklingError("an earlier pickle failed to load, and this one may refer to what was in it")
        self._failed = True
        legacy = is_legacy(data, self._fix_imports)
        if self._legacy is None:
            self._legacy = legacy
            kind = self._confined.legacy if legacy else self._confined.modern
            self._file = Held(b"") if _IN_C else _Pieces()
            self._unpickler = type("ConfinedUnpickler", (kind,), self._members)(self._file, **self._options)
        elif legacy != self._legacy:
            raise pickle.UnpicklingError("pickles that share a memo are of one protocol: this one has other names")
        self._file.put(self._checked(data))
        try:
            made = self._unpickler.load()
        except self._confined.errors as error:
            problem = private.public(error)
        else:
            self._failed = False
            return made
        raise problem

    def _checked(self, data: bytes) -> bytes:
        """Return what the unpickler is to read."""
        if not self._before:
            return data
        encoding = self._options.get("encoding", "ASCII")
        checked = self._permits.check(data, fix_imports=self._fix_imports, encoding=encoding, memo=self._memo)
        return data[: checked.end] if self._confined.private else spelled(checked)


class _Pieces:
    """A file for an unpickler in Python, into which one piece after the other is put."""

    def __init__(self) -> None:
        self._file = io.BytesIO()

    def put(self, data: bytes) -> None:
        """Hold `data` next."""
        self._file = io.BytesIO(data)

    def read(self, size: int, /) -> bytes:
        """Return up to `size` bytes."""
        return self._file.read(size)

    def readline(self) -> bytes:
        """Return the bytes up to and with the next newline."""
        return self._file.readline()
