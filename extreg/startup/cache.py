"""Writing the start-up cache.

A start-up without a cache runs this, so nothing is imported that is not there already.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from extreg.ledger import Key, Rows

    # A table is the parts of its keys, each followed by a line end, and its codes: decoded as fast as a dictionary is,
    # and whatever it says, it says it of strings and integers.
    Table = tuple[str, bytes]
    Cached = tuple[bytes, Table, Table, Table, dict[str, str], dict[str, Any]]  # live, load-only, retired; see `Rows`


def write_quietly(place: "str | None", data: bytes) -> None:
    """Write the cache file at `place`, without a word when that cannot be."""
    try:
        write(place, data)
    except OSError:  # a read-only folder, a full disk: the next start reads the file again
        return


def write(place: "str | None", data: bytes) -> "str | None":
    """Write the cache file at `place` and return its path; None where Python has no bytecode caches, and so no place.

    Atomic, so that concurrent starters see the old cache or the new one.  Raises OSError.
    """
    if place is None:
        return None
    os.makedirs(os.path.dirname(place), exist_ok=True)
    # Not named for the process: in containers all have the same few numbers, and one that was killed may have left it.
    temporary = f"{place}.{os.urandom(8).hex()}"
    # Not for others to write, whatever the umask: such a cache would not be trusted.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o644)
    try:
        with open(descriptor, "wb") as file:
            file.write(data)
        os.replace(temporary, place)
    except BaseException:
        os.unlink(temporary)
        raise
    return place


def entries(sources: "Sequence[bytes]", layers: "Sequence[Rows]") -> "list[Cached]":
    """Return what the cache of a registry holds: for it and each file that it includes the source, and its rows."""
    return [_cached(source, rows) for source, rows in zip(sources, layers, strict=True)]


def _cached(source: bytes, rows: "Rows") -> "Cached":
    load_only = load_only_of(rows)
    tables = _table(rows.live.keys(), rows.live.values()), _table(load_only.values(), load_only)
    return source, *tables, _table(rows.retired.values(), rows.retired), rows.reducers, rows.rest


def load_only_of(rows: "Rows") -> "dict[int, Key]":
    """Return the load-only codes among `rows`, with their keys."""
    live, retired = rows.live, rows.retired
    return {code: key for code, key in rows.inverted.items() if live.get(key) != code and code not in retired}


def _table(keys: "Iterable[Key]", codes: "Iterable[int]") -> "Table":
    names = "".join(f"{module}\n{qualname}\n" for module, qualname in keys)
    return names, b"".join(code.to_bytes(4, sys.byteorder) for code in codes)
