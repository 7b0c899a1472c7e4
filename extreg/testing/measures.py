"""How large pickles are, with codes and without."""

import io
import pickle
from collections.abc import Mapping
from dataclasses import dataclass
from types import FunctionType
from typing import Any

PROTOCOLS = range(2, pickle.HIGHEST_PROTOCOL + 1)  # those that know extension codes (PEP 307)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """Bytes by protocol: ``by_name`` as if there were no code, ``by_code`` as this process dumps; prints well."""

    by_name: Mapping[int, int]
    by_code: Mapping[int, int]

    def __str__(self) -> str:
        rows = [f"{'protocol':>8} {'by name':>8} {'by code':>8} {'ratio':>6}"]
        for protocol, name in self.by_name.items():
            code = self.by_code[protocol]
            rows.append(f"{protocol:>8} {name:>8} {code:>8} {code / name:>6.2f}")
        return "\n".join(rows)


def pickle_size(obj: object, protocol: int | None = None) -> int:
    """Return how many bytes `obj` takes as ``pickle.dumps(obj, protocol)``; raise what that raises."""
    return len(pickle.dumps(obj, protocol))


def sizes(obj: object) -> Sizes:
    """Return the size of `obj` by name and by code under each protocol that knows codes.

    Nothing is registered or removed for it, so it can be called while other threads dump.
    """
    return Sizes(
        by_name={protocol: len(_dumps_by_name(obj, protocol)) for protocol in PROTOCOLS},
        by_code={protocol: pickle_size(obj, protocol) for protocol in PROTOCOLS},
    )


def _dumps_by_name(obj: object, protocol: int) -> bytes:
    file = io.BytesIO()
    _NamePickler(file, protocol).dump(obj)
    return file.getvalue()


_python_pickler: Any = pickle._Pickler
# The method as it is in Lib/pickle.py, looking codes up in a registry of its own that is empty.
_save_by_name = FunctionType(
    _python_pickler.save_global.__code__,
    {**vars(pickle), "_extension_registry": {}},
    "save_global",
    _python_pickler.save_global.__defaults__,
)


class _NamePickler(_python_pickler):  # type: ignore[misc]
    save_global = _save_by_name
    dispatch = {**_python_pickler.dispatch, FunctionType: _save_by_name}  # noqa: RUF012 - as in the base
