"""Opening a place by its name: a path, or a URL."""

import os
import re
from importlib import import_module
from typing import Final

from extreg.stores.file_store import FileStore
from extreg.stores.store import Opener, Openers, PlaceError, Store

# How a URL begins; a single letter is a drive of Windows.
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")
_COLUMN: Final = re.compile(r"#[^#/]+\.[^#/]+$")
_REDIS: Final = frozenset({"redis", "rediss", "unix"})
_SQL: Final = frozenset(
    {"postgresql", "postgres", "mysql", "mariadb", "sqlite", "oracle", "mssql", "cockroachdb", "duckdb", "snowflake"}
)
# Those that people type; that the extra is missing is said of them.
_FILE_SYSTEMS: Final = frozenset(
    {"s3", "gs", "gcs", "abfs", "az", "sftp", "ftp", "http", "https", "memory", "hdfs", "zip", "tar", "github"}
)


def open_store(place: str, others: Openers | None = None) -> Store:
    """Open the place called `place`: a path of a file or folder, or a URL.

    `others` are what opens the URLs of schemes that are not known here, by scheme, as `installed` finds them. Raises
    `PlaceError` where there is no such place, or nobody who could open it.
    """
    found = _SCHEME.match(place)
    if found is None or os.path.lexists(place):
        return FileStore(place)
    scheme = found[1].lower()
    opener = (others or {}).get(scheme) or _known(scheme, place)
    if opener is None:
        raise PlaceError(
            f"nothing here opens {found[1]}: as a place",
            "a place is a path, or the URL of a database or an object store; ./ in front makes a path of it",
        )
    return opener(place)


def _known(scheme: str, place: str) -> Opener | None:
    """Return what opens the places of a scheme, imported when it is needed; None where nothing does."""
    if scheme in _REDIS:
        from extreg.stores.redis_store import RedisStore

        return RedisStore
    if scheme == "lmdb":
        from extreg.stores.lmdb_store import LmdbStore

        return LmdbStore
    if "://" not in place:
        return None
    files = scheme in _FILE_SYSTEMS or _has_fsspec(scheme)
    if files and scheme.partition("+")[0] not in _SQL:
        from extreg.stores.fsspec_store import FsspecStore

        return FsspecStore
    # Dialects come from other packages, too.
    if scheme.partition("+")[0] in _SQL or _COLUMN.search(place):
        from extreg.stores.sql_store import SqlStore

        return SqlStore
    return None


def _has_fsspec(scheme: str) -> bool:
    """Tell whether fsspec is here and has a file system for a scheme."""
    try:
        registry = import_module("fsspec.registry")
    except ImportError:
        return False
    return scheme in registry.known_implementations or scheme in registry.registry


def installed() -> Openers:
    """Return what other packages open, by scheme: the entry points of the group ``extreg.stores``.

    Only the command line asks for them; they are imported when they are used.
    """
    from importlib.metadata import EntryPoint, entry_points

    def late(entry: EntryPoint) -> Opener:
        def opener(place: str) -> Store:
            store: Store = entry.load()(place)
            return store

        return opener

    return {entry.name: late(entry) for entry in entry_points(group="extreg.stores")}
