"""Databases that hold pickles as values: those of the dbm modules, shelves among them, and SQLite's."""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    import sqlite3

# What a program that was killed, or still runs, leaves beside a database of SQLite.
_BESIDE = ("-wal", "-journal")


class Value(NamedTuple):
    """A value in a database, named by its key or ``table.column#N``; ``readable`` where a pickle in it is one.

    The others are keys and texts, of which no reader makes a pickle without encoding it first.
    """

    name: str
    data: bytes
    readable: bool = True


def values(path: Path, kind: str) -> Iterator[Value | str]:
    """Yield each key of a dbm database and its value, in the order of the keys; a message for what cannot be read."""
    try:
        module: Any = import_module(kind)
    except ImportError:
        yield f"a database of {kind}, which this Python does not have"
        return
    try:
        opened = module.open(str(path), "r")
    except (SyntaxError, ValueError, TypeError, AttributeError):  # dbm.dumb takes its index for literals
        yield "its index is damaged"
        return
    with closing(opened) as database:
        for key in sorted(database.keys()):
            shown = key.decode("utf-8", "backslashreplace")
            try:
                value = database[key]
            except (OSError, KeyError, TypeError, ValueError, OverflowError, MemoryError) as error:
                yield f"key {shown}: {error}"
            else:
                yield Value(f"key {shown}", key, readable=False)
                yield Value(shown, value)


def cells(path: Path) -> Iterator[Value | str]:
    """Yield each BLOB in a SQLite database, named as ``table.column#N``, and each text, as ``table.column``.

    A message stands for a table that cannot be read.
    """
    try:
        import sqlite3
    except ImportError:
        yield "a SQLite database, and this Python is built without sqlite3"
        return
    with _unlocked(path) as place, closing(sqlite3.connect(place, uri=True)) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        # A schema may call functions, and this one is somebody else's.
        connection.execute("PRAGMA trusted_schema = OFF")
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name"
        ).fetchall()
        for (table,) in tables:
            try:
                yield from _table(connection, table)
            except sqlite3.Error as error:
                yield f"table {table}: {error}"


def _table(connection: "sqlite3.Connection", table: str) -> Iterator[Value]:
    for _, column, *_ in connection.execute(f"PRAGMA table_info({_quoted(table)})").fetchall():
        name = _quoted(column)
        query = f"SELECT {name} FROM {_quoted(table)} WHERE typeof({name}) = ?"  # noqa: S608 - quoted
        for number, (value,) in enumerate(connection.execute(query, ("blob",)), 1):
            yield Value(f"{table}.{column}#{number}", value)
        for (text,) in connection.execute(query, ("text",)):
            yield Value(f"{table}.{column}", text.encode("utf-8", "surrogateescape"), readable=False)


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'


@contextmanager
def _unlocked(path: Path) -> Iterator[str]:
    """Yield the URI by which SQLite opens the database and writes nothing beside it.

    Immutable is what it calls a file for which it needs no lock. Where a log or a journal is still to be merged, that
    happens to a copy of both.
    """
    beside = [log for end in _BESIDE if (log := Path(f"{path}{end}")).is_file() and log.stat().st_size]
    if not beside:
        yield f"{path.absolute().as_uri()}?mode=ro&immutable=1"
        return
    with tempfile.TemporaryDirectory(prefix="extreg-") as folder:
        copy = Path(folder, path.name)
        for source in (path, *beside):
            shutil.copyfile(source, copy.with_name(source.name))
        yield f"{copy.as_uri()}?mode=rw"
