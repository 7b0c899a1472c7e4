"""Loading under a registry: `loads`, `load` and `Unpickler`.

Each pickle is checked as a whole, and then pickle's own unpickler loads exactly the bytes that were checked, confined
to what the registry permits: a second wall, should the first have a hole, and the only one with ``check="each"``.
"""

import pickle
from collections.abc import Iterable
from io import BytesIO
from typing import Any, Final, Literal

from extreg.compiled import core
from extreg.errors import ForbiddenGlobalError, MalformedPickleError
from extreg.pickles.walking.opcodes import Buffer
from extreg.registry.model import Registry
from extreg.scoped import private
from extreg.scoped.confined import Held
from extreg.scoped.feeding import fed
from extreg.scoped.permits import SHORT, Permits, is_legacy, permits_of
from extreg.scoped.placeholders import Retired, registry_for
from extreg.scoped.quick import current
from extreg.scoped.reading import Readable, read_pickle
from extreg.scoped.sharing import Row

Check = Literal["before", "each"]

_CHECKS: Final = frozenset({"before", "each"})
# PROTO and FRAME.
_HEAD: Final = 11
_UNKNOWN: Final = "unregistered extension code "


def loads(
    data: Buffer,
    registry: Registry,
    *,
    fix_imports: bool = True,
    encoding: str = "ASCII",
    errors: str = "strict",
    buffers: Iterable[Any] | None = None,
    check: Check = "before",
    retired: Retired = "refuse",
) -> Any:
    """Return the object in the first pickle of `data`, as `pickle.loads` would, if `registry` permits all it refers to.

    Permitted are the targets of live and load-only codes, named or by code, and the constructors that pickle itself
    writes for values of the basic types (`extreg.scoped.basics`).  Whatever is permitted is called with whatever
    arguments the pickle gives.  copyreg's registry and cache are not asked.

    With ``check="before"`` nothing is imported or run before the whole pickle is known to be permitted.  With
    ``"each"``, each global is checked when it is needed, and what is permitted may have been called before a refusal:
    faster where much is loaded by name.  (Where there is no private instance of pickle's C module, see
    `extreg.scoped.private`, it is "before" all the same.)

    With ``retired="placeholder"`` retired codes load too, as objects and types that stand for theirs and run nothing:
    they have ``code`` (int) and ``target`` (str), and an object has ``made_by``, ``args``, ``kwargs``, ``state`` and
    ``items`` as the pickle gave them (`extreg.scoped.placeholders`).  `dumps` with this registry writes them back.

    Raises `ForbiddenGlobalError`, naming all offenders, and, "before" only, `MalformedPickleError` (both are
    `pickle.UnpicklingError`); EOFError where `data` is empty; TypeError where `registry` is none; ValueError for
    another `check` or `retired`; later, whatever `pickle.loads` raises, AttributeError for a name that a module has
    only by its ``__getattr__``.
    """
    if retired != "refuse":
        registry = registry_for(registry, retired)
    try:
        permits = registry._derived[Permits]
    except (AttributeError, KeyError):
        permits = permits_of(registry)
    # Bytes cannot change between the check and the load; whatever else is copied, so that it cannot either.
    whole = data if type(data) is bytes else bytes(data)
    plain = encoding == "ASCII" and errors == "strict" and buffers is None
    quick = permits.quick
    if quick is not None and plain and len(whole) <= SHORT and check in _CHECKS:
        proves, load_proved, spelled, private_errors, watched, _ = quick
        match = proves(whole)
        # It refers to nothing but what is `watched`, at which the core has looked already.
        still = match is not None and (core is not None or current(watched))
        if still and (proved := whole if spelled is None or match is whole else spelled(match)):
            try:
                return load_proved(proved)
            except private_errors as error:
                problem = private.public(error)
            raise problem
    options = {} if plain else _options(encoding, errors, buffers)
    return _loaded(whole, permits, check, fix_imports, options)


def load(
    file: Readable,
    registry: Registry,
    *,
    fix_imports: bool = True,
    encoding: str = "ASCII",
    errors: str = "strict",
    buffers: Iterable[Any] | None = None,
    check: Check = "before",
    retired: Retired = "refuse",
) -> Any:
    """Read one pickle from `file` and return its object; see `loads`.

    `file` is left where the pickle ends.  Raises EOFError at the end of the file.
    """
    return loads(
        read_pickle(file),
        registry,
        fix_imports=fix_imports,
        encoding=encoding,
        errors=errors,
        buffers=buffers,
        check=check,
        retired=retired,
    )


def _options(encoding: str, errors: str, buffers: Iterable[Any] | None) -> dict[str, Any]:
    return {"encoding": encoding, "errors": errors, "buffers": buffers}


def _loaded(
    data: bytes,
    permits: Permits,
    check: Check,
    fix_imports: bool,
    options: dict[str, Any],
    persistent_load: Any = None,
) -> Any:
    """Return the object in `data`, checked as `check` has it; `options` are those of the unpickler itself."""
    _refuse_other(check)
    confined = permits.confined()
    kind = confined.legacy if is_legacy(data, fix_imports) else confined.modern
    if persistent_load is not None:
        kind = type("ConfinedUnpickler", (kind,), {"persistent_load": staticmethod(persistent_load)})
    encoding = options.get("encoding", "ASCII")
    if check == "before" or not confined.private:
        checked = permits.check(data, fix_imports=fix_imports, encoding=encoding)
        found = kind(_file(data) if confined.private else fed(checked), **options)
    elif data:
        found = kind(_file(data), **options)
    else:
        raise EOFError("Ran out of input")
    try:
        made = found.load()
    except confined.errors as error:
        problem = private.public(error)
    except (ForbiddenGlobalError, ValueError) as error:
        if check == "before" or not (isinstance(error, ForbiddenGlobalError) or str(error).startswith(_UNKNOWN)):
            raise
        problem = error
    else:
        if confined.seen and len(data) <= SHORT:
            permits.short(confined)
        return made
    if check == "each":
        _name_all(data, permits, fix_imports, encoding)
    raise problem


def _refuse_other(check: str) -> None:
    if check not in _CHECKS:
        raise ValueError(f"check is 'before' or 'each', not {check!r}")


def _file(data: bytes) -> Any:
    """Return `data` as a file that an unpickler in C reads as it reads bytes: the quicker one, if one frame is all."""
    if data[2:11] == b"\x95" + (len(data) - _HEAD).to_bytes(8, "little", signed=True):
        return BytesIO(data)
    return Held(data)


def _name_all(data: bytes, permits: Permits, fix_imports: bool, encoding: str) -> None:
    """Raise `ForbiddenGlobalError` for all that is not permitted in what failed to load, if there is any."""
    try:
        permits.check(data, fix_imports=fix_imports, encoding=encoding)
    except MalformedPickleError:
        return  # the unpickler has said what it stopped at


class Unpickler:
    """Loads pickle after pickle from `file`, as `load` does; the other arguments are those of `pickle.Unpickler`.

    A subclass may define ``persistent_load``, whose results are its own affair; there is no ``find_class`` to
    override.  Each pickle is on its own: none sees the memo of the one before, as `extreg.scoped.Pickler` writes
    them.  What a `pickle.Pickler` dumped second, referring to what it dumped first, is refused, unless ``share_memo``
    is set: then it is for all pickles of `file` that one pickler wrote, from the first on.  After one that failed none
    is loaded any more.
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
        check: Check = "before",
        retired: Retired = "refuse",
        share_memo: bool = False,
    ) -> None:
        self._file = file
        self._permits = permits_of(registry_for(registry, retired))
        self._fix_imports = fix_imports
        self._encoding = encoding
        self._errors = errors
        self._check = check
        # One iterator for all pickles, as pickle has it.
        self._buffers = None if buffers is None else iter(buffers)
        self._row: Row | None = None
        if share_memo:
            _refuse_other(check)
            options = _options(encoding, errors, self._buffers)
            self._row = Row(
                self._permits, options, self.persistent_load, before=check == "before", fix_imports=fix_imports
            )

    def load(self) -> Any:
        """Read one pickle and return its object; raises as `loads` does, and EOFError at the end of the file."""
        data = read_pickle(self._file)
        if self._row is not None:
            return self._row.load(data)
        # A new unpickler for each pickle: one that failed goes on in the middle of the bytes it failed in.
        options = _options(self._encoding, self._errors, self._buffers)
        return _loaded(data, self._permits, self._check, self._fix_imports, options, self.persistent_load)

    def persistent_load(self, pid: Any) -> Any:
        """Return the object of a persistent id; raises UnpicklingError unless a subclass knows better."""
        raise pickle.UnpicklingError(f"no persistent_load is defined for the persistent id {pid!r:.100}")
