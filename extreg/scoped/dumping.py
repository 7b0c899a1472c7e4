"""Dumping under a registry: `dumps`, `dump` and `Pickler`.

Objects are dumped by name, by pickle's own pickler, and the names with a live code are exchanged in the bytes.  The
pickler in C cannot be kept from asking copyreg, so what it writes as a code where codes are installed process-wide
is first turned into the name again.
"""

import copyreg
import io
import pickle
from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol

from extreg.pickles import engines
from extreg.pickles.rewriting.rewriter import rewrite, to_codes
from extreg.pickles.walking.walker import walk
from extreg.registry.model import Registry
from extreg.registry.target import is_target

_INSTALLED: Final[dict[tuple[str, str], int]] = copyreg._extension_registry  # type: ignore[attr-defined]
_PROTO: Final = 0x80

Callback = Callable[[pickle.PickleBuffer], Any]


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
) -> bytes:
    """Return `obj` pickled, with the live codes of `registry` for names, whatever is installed in this process.

    The result is never longer than by name.  Protocols 0 and 1 have no codes; nor has protocol 2 without
    ``fix_imports``, which leaves Python 3's names where a reader expects Python 2's; a nested class has one from
    protocol 4 on.

    Raises what `pickle.dumps` raises, and PicklingError where a code that is installed process-wide stands for what
    cannot be named; TypeError where `registry` is none.
    """
    _require(registry)
    before = dict(_INSTALLED) if _INSTALLED else None
    data = pickle.dumps(obj, protocol, fix_imports=fix_imports, buffer_callback=buffer_callback)
    return _coded(data, registry, before, fix_imports)


def dump(
    obj: object,
    file: Writable,
    registry: Registry,
    protocol: int | None = None,
    *,
    fix_imports: bool = True,
    buffer_callback: Callback | None = None,
) -> None:
    """Write what `dumps` returns to `file`, in one piece; raise as `dumps` and as the file's ``write`` do."""
    file.write(dumps(obj, registry, protocol, fix_imports=fix_imports, buffer_callback=buffer_callback))


class Pickler(engines.Pickler):
    """Dumps to `file` as `dump` does; the other arguments are those of `pickle.Pickler`, and subclasses may define
    ``persistent_id`` and ``reducer_override`` as there.

    Each pickle is on its own: the memo is cleared before each `dump`, so that none refers to the one before, and what
    is shared between two is dumped twice.  A pickle is put together in memory and written in one piece.
    """

    def __init__(
        self,
        file: Writable,
        registry: Registry,
        protocol: int | None = None,
        *,
        fix_imports: bool = True,
        buffer_callback: Callback | None = None,
    ) -> None:
        _require(registry)
        self._target = file
        self._registry = registry
        self._fix_imports = fix_imports
        self._made = io.BytesIO()
        super().__init__(self._made, protocol, fix_imports=fix_imports, buffer_callback=buffer_callback)

    def dump(self, obj: Any) -> None:
        """Write `obj` to the file; raises as `dumps` does."""
        self.clear_memo()
        self._made.seek(0)
        self._made.truncate()
        before = dict(_INSTALLED) if _INSTALLED else None
        super().dump(obj)
        self._target.write(_coded(self._made.getvalue(), self._registry, before, self._fix_imports))


def _require(registry: object) -> None:
    if not isinstance(registry, Registry):
        raise TypeError(f"expected a Registry (see Registry.load), found {type(registry).__name__}")


def _coded(data: bytes, registry: Registry, before: dict[tuple[str, str], int] | None, fix_imports: bool) -> bytes:
    """Return what the pickler made with codes of `registry` alone; `before` is what was installed when it began."""
    if data[0] != _PROTO:
        return data  # protocols 0 and 1
    if before or _INSTALLED:
        data = _by_name(data, before or {}, fix_imports)
    return data if data[1] < 3 and not fix_imports else to_codes(data, registry)


def _by_name(data: bytes, before: Mapping[tuple[str, str], int], fix_imports: bool) -> bytes:
    """Return `data` with a name for each code in it."""
    used = {event.number for event in walk(data, framing=False) if event.kind == "code"}
    if not used:
        return data
    targets: dict[int, str] = {}
    for (module, name), code in [*before.items(), *list(_INSTALLED.items())]:
        if code in used and targets.setdefault(code, f"{module}:{name}") != f"{module}:{name}":
            raise pickle.PicklingError(f"the installed codes changed while an object was dumped: {code}")
    installed = Registry(codes={code: found for code, found in targets.items() if is_target(found)})
    named = rewrite(data, installed, to="names")
    if named.left or named.refused or (data[1] < 3 and not fix_imports):
        why = "; ".join([*named.left, *named.refused]) or "Python 3's names under protocol 2"
        raise pickle.PicklingError(f"codes installed in this process cannot be turned into names: {why}")
    return named.data
