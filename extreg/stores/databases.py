"""Databases in files that hold pickles as values: those of the dbm modules, shelves among them, and SQLite's."""

import json
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from extreg.stores.items import Fault
from extreg.stores.store import Cell

if TYPE_CHECKING:
    import sqlite3

# What a program that was killed, or still runs, leaves beside a database of SQLite.
_BESIDE = ("-wal", "-journal")
# What a table's rows are numbered by: the first of these names that no column has.
_NUMBERS = ("_rowid_", "rowid", "oid")


def dbm_cells(path: Path, kind: str, cursor: str | None = None) -> Iterator[Cell | Fault]:
    """Yield each key of a dbm database and its value, in the order of the keys; a fault for what cannot be read."""
    try:
        module: Any = import_module(kind)
    except ImportError:
        yield Fault("", f"a database of {kind}, which this Python does not have")
        return
    try:
        opened = module.open(str(path), "r")
    except (SyntaxError, ValueError, TypeError, AttributeError):  # dbm.dumb takes its index for literals
        yield Fault("", "its index is damaged")
        return
    # A key and then its value: what is gone on from is one of the two.
    behind = (bytes.fromhex(cursor[1:]), cursor[0]) if cursor is not None else None
    with closing(opened) as database:
        for key in sorted(database.keys()):
            if behind is not None and (key, "v") <= behind:
                continue
            shown = key.decode("utf-8", "backslashreplace")
            try:
                value = database[key]
            except (OSError, KeyError, TypeError, ValueError, OverflowError, MemoryError) as error:
                yield Fault("", f"key {shown}: {error}")
            else:
                if behind is None or (key, "k") > behind:
                    yield Cell(f"key {shown}", key, f"k{key.hex()}")
                yield Cell(shown, value, f"v{key.hex()}")


class _Column(NamedTuple):
    """A column of a table of SQLite, and by what its rows are ``numbered``: None where they have no number."""

    table: str
    name: str
    numbered: str | None


def sqlite_cells(path: Path, cursor: str | None = None) -> Iterator[Cell | Fault]:
    """Yield each BLOB in a SQLite database, and each text, named as ``table.column#ROWID``.

    A fault stands for a table that cannot be read.
    """
    try:
        import sqlite3
    except ImportError:
        yield Fault("", "a SQLite database, and this Python is built without sqlite3")
        return
    behind = json.loads(cursor) if cursor is not None else None
    with _unlocked(path) as place, closing(sqlite3.connect(place, uri=True)) as connection:
        connection.text_factory = lambda raw: raw.decode("utf-8", "surrogateescape")
        # A schema may call functions, and this one is somebody else's.
        connection.execute("PRAGMA trusted_schema = OFF")
        tables = connection.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND sql NOT LIKE 'CREATE VIRTUAL%' ORDER BY name"
        ).fetchall()
        for (table,) in tables:
            if behind is not None and table < behind[0]:
                continue
            try:
                yield from _table(connection, table, behind if behind is not None and table == behind[0] else None)
            except sqlite3.Error as error:
                yield Fault("", f"table {table}: {error}")


def _table(connection: "sqlite3.Connection", table: str, behind: "list[Any] | None") -> Iterator[Cell]:
    """Yield the cells of a table, column by column, behind a table, a column, its type and a row."""
    columns = [column for _, column, *_ in connection.execute(f"PRAGMA table_info({_quoted(table)})").fetchall()]
    numbered = _numbered(connection, table, columns)
    for index, column in enumerate(columns):
        for kind in ("blob", "text"):
            place = [index, kind]
            if behind is not None and place < behind[1:3]:
                continue
            row = behind[3] if behind is not None and place == behind[1:3] else None
            for number, value in _rows(connection, _Column(table, column, numbered), kind, row):
                data = value if isinstance(value, bytes) else value.encode("utf-8", "surrogateescape")
                yield Cell(f"{table}.{column}#{number}", data, json.dumps([table, index, kind, number]))


def _rows(connection: "sqlite3.Connection", column: _Column, kind: str, row: int | None) -> Iterator[tuple[int, Any]]:
    """Yield the numbers and values of one type in a column, behind a row."""
    name, table = _quoted(column.name), _quoted(column.table)
    if column.numbered is not None:
        query = f"SELECT {column.numbered}, {name} FROM {table} WHERE typeof({name}) = ?"  # noqa: S608 - quoted
        after: tuple[int, ...] = ()
        if row is not None:
            query, after = f"{query} AND {column.numbered} > ?", (row,)
        yield from connection.execute(f"{query} ORDER BY {column.numbered}", (kind, *after))
        return
    query = f"SELECT {name} FROM {table} WHERE typeof({name}) = ? LIMIT -1 OFFSET ?"  # noqa: S608 - quoted
    for number, (value,) in enumerate(connection.execute(query, (kind, row or 0)), 1 + (row or 0)):
        yield number, value


def _numbered(connection: "sqlite3.Connection", table: str, columns: list[str]) -> str | None:
    """Return by which name SQLite gives the numbers of rows; None for a table WITHOUT ROWID."""
    import sqlite3

    taken = {column.lower() for column in columns}
    free = next((name for name in _NUMBERS if name not in taken), None)
    if free is None:
        return None
    try:
        connection.execute(f"SELECT {free} FROM {_quoted(table)} LIMIT 0")  # noqa: S608 - quoted
    except sqlite3.OperationalError:
        return None
    return free


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
