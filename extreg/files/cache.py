"""Writing the start-up cache.

A start-up without a cache runs this, so nothing is imported that is not there already.
"""

import os
import sys
from marshal import dumps

from extreg.startup.sources import HEADER, cache_path, checksum, load_entries, read_through

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Any

    from extreg.startup import Key, Rows
    from extreg.startup.sources import Entry, Table


def write_quietly(path: str, held: "list[Any]") -> None:
    """Write the cache as an import writes bytecode: not when told not to, and without a word when it cannot be."""
    if sys.dont_write_bytecode:
        return
    try:
        write(path, held)
    except OSError:  # a read-only folder, a full disk: the next start reads the file again
        return


def write(path: str, held: "list[Any]") -> "str | None":
    """Write the cache of the file at `path`; return the cache's path, or None where Python has no bytecode caches.

    Atomic, so that concurrent starters see the old cache or the new one.  Raises OSError.
    """
    place = cache_path(path)
    if place is None:
        return None
    os.makedirs(os.path.dirname(place), exist_ok=True)
    # Not named for the process: in containers all have the same few numbers, and one that was killed may have left it.
    temporary = f"{place}.{os.urandom(8).hex()}"
    # Not for others to write, whatever the umask: such a cache would not be trusted.
    descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0), 0o644)
    try:
        with open(descriptor, "wb") as file:
            file.write(encode(held))
        os.replace(temporary, place)
    except BaseException:
        os.unlink(temporary)
        raise
    return place


def encode(held: "list[Any]") -> bytes:
    """Return the contents of a cache file that holds the marshallable `held`."""
    payload = dumps(held)
    return HEADER + checksum(payload) + payload


def entries(sources: "Sequence[bytes]", layers: "Sequence[Rows]") -> "list[Entry]":
    """Return what the cache of a registry holds: for it and each file that it includes the source, and its rows."""
    return [_entry(source, rows) for source, rows in zip(sources, layers, strict=True)]


def _entry(source: bytes, rows: "Rows") -> "Entry":
    load_only = {code: key for code, key in rows.inverted.items() if rows.live.get(key) != code}
    tables = _table(rows.live.keys(), rows.live.values()), _table(load_only.values(), load_only)
    return source, *tables, _table(rows.retired.values(), rows.retired), rows.reducers, rows.rest


def _table(keys: "Iterable[Key]", codes: "Iterable[int]") -> "Table":
    names = "".join(f"{module}\n{qualname}\n" for module, qualname in keys)
    return names, b"".join(code.to_bytes(4, sys.byteorder) for code in codes)


def is_current(path: str, search: "Sequence[str] | None" = None) -> bool:
    """Whether the next start from the registry file at `path` would be warm, with included packages in `search`.

    Raises `RegistryError` or `UnreadableError` when the registry itself cannot be read.
    """
    cached = load_entries(path)
    layers, _, known = read_through(path, cached, search)
    return known == len(layers) == len(cached)


def compile_registry(path: str, search: "Sequence[str] | None" = None) -> "str | None":
    """Read the registry file at `path` and what it includes, and write the cache; return the cache's path.

    Included packages are looked for in `search`, without one as this process would import them.

    None where Python has no bytecode caches.  Raises `RegistryError`, `UnreadableError`, or OSError when the cache
    cannot be written.
    """
    layers, sources, _ = read_through(path, [], search)
    return write(path, entries(sources, layers))
