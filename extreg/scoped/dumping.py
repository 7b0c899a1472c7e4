"""Dumping under a registry: `dumps`, `dump` and `Pickler`.

Where this Python gives it, a private instance of pickle's C module writes the codes itself (see
`extreg.scoped.private`).  Elsewhere, and for the smallest result, objects are dumped by name and the names with a live
code are exchanged in the bytes; the pickler in C cannot be kept from asking copyreg there, so what it writes as a code
where codes are installed process-wide is first turned into the name again.
"""

import io
import pickle
from typing import Any, Protocol

from extreg.pickles import engines
from extreg.registry.model import Registry
from extreg.scoped import private, writing
from extreg.scoped.writing import Callback


class Writable(Protocol):
    """What pickle asks of a file: ``write(data)``."""

    def write(self, data: bytes, /) -> object:
        """Write all of `data`."""


def dumps(
    obj: object,
    registry: Registry,
    protocol: int | None = None,
    *,
    fix_imports: bool = True,
    buffer_callback: Callback | None = None,
    optimize: bool = False,
) -> bytes:
    """Return `obj` pickled, with the live codes of `registry` for names, whatever is installed in this process.

    By default as pickle itself would write it with these codes and no others installed, as fast as that can be;
    ``optimize`` asks for the smallest result, never longer than by name: each code once, no unused place in the memo,
    no frame around little.  Where there is no private instance of pickle's C module (see `extreg.scoped.private`), the
    smallest is what there always is.

    Protocols 0 and 1 have no codes; nor has protocol 2 without ``fix_imports``, which leaves Python 3's names where a
    reader expects Python 2's; a nested class has one from protocol 4 on.

    Raises what `pickle.dumps` raises, and PicklingError where a code that is installed process-wide stands for what
    cannot be named; TypeError where `registry` is none.
    """
    if optimize:
        _require(registry)
        return writing.by_bytes(obj, registry, protocol, fix_imports, buffer_callback, optimize=True)
    make = writing.modern if protocol is None or protocol > 3 else writing.kind(protocol, fix_imports)
    try:
        write, errors, _, _ = registry._derived[make]
    except (AttributeError, KeyError):
        _require(registry)
        write, errors, _, _ = registry.derived(make)
    try:
        return write(obj, protocol, fix_imports=fix_imports, buffer_callback=buffer_callback)  # type: ignore[no-any-return]
    except errors as error:
        problem = private.public(error)
    raise problem


def dump(
    obj: object,
    file: Writable,
    registry: Registry,
    protocol: int | None = None,
    *,
    fix_imports: bool = True,
    buffer_callback: Callback | None = None,
    optimize: bool = False,
) -> None:
    """Write what `dumps` returns to `file`, in one piece."""
    made = dumps(obj, registry, protocol, fix_imports=fix_imports, buffer_callback=buffer_callback, optimize=optimize)
    file.write(made)


class Pickler(engines.Pickler):
    """Dumps to `file` as `dump` does; the other arguments are those of `pickle.Pickler`, and subclasses may define
    ``persistent_id``, ``reducer_override`` and ``dispatch_table`` as there.

    Each pickle is on its own: the memo is cleared before each `dump`, so that none refers to the one before, and what
    is shared between two is dumped twice.  With ``share_memo`` the memo is kept, as `pickle.Pickler` keeps it; such a
    row of pickles is for an `Unpickler` with ``share_memo``, which reads it from the first on.  (Where there is no
    private instance of pickle's C module, it has names and no codes.)  A pickle is put together in memory and written
    in one piece.

    Raises TypeError where `registry` is none, and ValueError for ``share_memo`` with ``optimize``.
    """

    def __init__(
        self,
        file: Writable,
        registry: Registry,
        protocol: int | None = None,
        *,
        fix_imports: bool = True,
        buffer_callback: Callback | None = None,
        optimize: bool = False,
        share_memo: bool = False,
    ) -> None:
        _require(registry)
        if share_memo and optimize:
            raise ValueError("share_memo keeps all that optimize would leave out of the memo: choose one of them")
        self._target = file
        self._registry = registry
        self._fix_imports = fix_imports
        self._made = io.BytesIO()
        super().__init__(self._made, protocol, fix_imports=fix_imports, buffer_callback=buffer_callback)
        make = writing.kind(pickle.DEFAULT_PROTOCOL if protocol is None else protocol, fix_imports)
        self._optimize = optimize
        self._share_memo = share_memo
        self._failed = False
        self._writer = registry.derived(writing.plain if optimize else make)
        self._private: pickle.Pickler | None = None
        if self._writer.Pickler is not None:
            kind = _hooked(self._writer.Pickler, self)
            self._private = kind(self._made, protocol, fix_imports=fix_imports, buffer_callback=buffer_callback)

    def dump(self, obj: Any) -> None:
        """Write `obj` to the file; raises as `dumps` does, and PicklingError after a failure that left its traces in a
        shared memo.
        """
        if self._failed:
            raise pickle.PicklingError("the shared memo has what was never written, of a dump that failed: begin anew")
        self._made.seek(0)
        self._made.truncate()
        self._failed = self._share_memo
        if self._private is None:
            made = self._dumped_by_bytes(obj)
        else:
            self._dump_privately(self._private, obj)
            made = self._made.getvalue()
            if self._optimize:
                made = writing.shortest(made, self._registry, self._fix_imports)
        self._target.write(made)
        self._failed = False

    def clear_memo(self) -> None:
        """Forget what was dumped, which is done before each pickle anyway.

        Raises ValueError with ``share_memo``: whoever reads the pickles would not forget.
        """
        if self._share_memo:
            raise ValueError("a reader of this row keeps its memo; for a memo of its own begin a new one")
        super().clear_memo()

    def _dumped_by_bytes(self, obj: object) -> bytes:
        if not self._share_memo:
            super().clear_memo()
        before = dict(writing.INSTALLED) if writing.INSTALLED else None
        super().dump(obj)
        made = self._made.getvalue()
        if self._share_memo:
            writing.refuse_other_codes(made, self._registry, before, self._fix_imports)
            return made
        return writing.coded(made, self._registry, before, self._fix_imports, optimize=self._optimize)

    def _dump_privately(self, pickler: pickle.Pickler, obj: Any) -> None:
        if not self._share_memo:
            pickler.clear_memo()
        pickler.fast = self.fast
        if hasattr(self, "dispatch_table"):
            pickler.dispatch_table = self.dispatch_table
        try:
            pickler.dump(obj)
        except self._writer.errors as error:
            problem = private.public(error)
        else:
            return
        raise problem


def _hooked(kind: type[pickle.Pickler], outer: Pickler) -> type[pickle.Pickler]:
    """Return `kind` with the methods that the class of `outer` overrides."""
    hooks = {}
    for name in ("persistent_id", "reducer_override"):
        if getattr(type(outer), name, None) is not getattr(engines.Pickler, name, None):
            hooks[name] = staticmethod(getattr(outer, name))
    return type("Pickler", (kind,), hooks) if hooks else kind


def _require(registry: object) -> None:
    if not isinstance(registry, Registry):
        raise TypeError(f"expected a Registry (see Registry.load), found {type(registry).__name__}")
