"""A column of a table in any database that SQLAlchemy knows: ``postgresql://host/base#TABLE.COLUMN``."""

import datetime
import decimal
import json
import os
import uuid
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from extreg.stores.credentials import Secrets, shown
from extreg.stores.extras import library
from extreg.stores.items import Fault, Passed, describe
from extreg.stores.store import Cell, Change, Part, PlaceError, Store, parts

# How many rows are asked for at a time, and about how many bytes that should be.
_ROWS: Final = 1000
_BYTES: Final = 1 << 23
_FIRST: Final = 50

# How the values of primary keys are written into a cursor, and read back.
_WRITTEN: Final[dict[type, tuple[str, Callable[[Any], Any]]]] = {
    bytes: ("bytes", bytes.hex),
    uuid.UUID: ("uuid", str),
    decimal.Decimal: ("decimal", str),
    datetime.datetime: ("datetime", datetime.datetime.isoformat),
    datetime.date: ("date", datetime.date.isoformat),
}
_READ: Final[dict[str, Callable[[str], Any]]] = {
    "bytes": bytes.fromhex,
    "uuid": uuid.UUID,
    "decimal": decimal.Decimal,
    "datetime": datetime.datetime.fromisoformat,
    "date": datetime.date.fromisoformat,
}


class SqlStore:
    """The values of one column, read page by page in the order of the primary key.

    Each page is a transaction of its own, so that none is long. A row that comes in behind the place where the walk is
    is read, one that comes in before it is not. Values are read as they lie there, whatever type a program gives them.
    """

    def __init__(self, place: str) -> None:
        self._sql = library("sqlalchemy", "sql")
        self._secrets = Secrets(place)
        self.place = shown(place)
        url, mark, column = place.rpartition("#")
        self._schema, self._name, self._column = _named(self.place, column if mark else "")
        try:
            self._engine = self._sql.create_engine(
                self._url(url), poolclass=self._sql.pool.NullPool, isolation_level="AUTOCOMMIT", hide_parameters=True
            )
            self._connection = self._engine.connect()
            self._table, self._value = self._reflected()
        except (self._sql.exc.SQLAlchemyError, ImportError, OSError, ValueError) as error:
            raise self._broken(error) from None
        self._keys = list(self._table.primary_key.columns)
        if not self._keys:
            raise PlaceError(
                f"{self.place}: the table {self._name} has no primary key, by which it could be read page by page",
                "give it one, or read a copy that has",
            )

    def _url(self, text: str) -> Any:
        url = self._sql.engine.make_url(text)
        # libpq takes PGPASSWORD and .pgpass by itself; PyMySQL and others take nothing.
        if url.get_backend_name() in {"mysql", "mariadb"} and url.password is None and "MYSQL_PWD" in os.environ:
            url = url.set(password=os.environ["MYSQL_PWD"])
        return url

    def _reflected(self) -> tuple[Any, Any]:
        """Return the table as the database has it, and what to ask for so that the bytes come as they are."""
        table = self._sql.Table(self._name, self._sql.MetaData(), schema=self._schema, autoload_with=self._connection)
        if self._column not in table.columns:
            known = ", ".join(column.name for column in table.columns)
            raise PlaceError(f"{self.place}: the table {self._name} has no column {self._column}", f"it has {known}")
        column = table.columns[self._column]
        types = self._sql.types
        if isinstance(column.type, (types.JSON, types.Uuid)):
            return table, self._sql.cast(column, types.Text)
        return table, column

    def _broken(self, error: Exception) -> PlaceError:
        if isinstance(error, PlaceError):
            return error
        if isinstance(error, self._sql.exc.NoSuchTableError):
            return PlaceError(f"{self.place}: there is no table {self._name}, or none that this user may see")
        if isinstance(error, (self._sql.exc.NoSuchModuleError, ImportError)):
            name = getattr(error, "name", None) or "its driver"
            return PlaceError(
                f"{self.place}: SQLAlchemy needs {name} for this, which is not installed",
                "name another as in postgresql+psycopg:// or mysql+pymysql://, or install it with pip",
            )
        text = describe(getattr(error, "orig", None) or error)
        return PlaceError(f"{self.place}: {self._secrets.scrub(text)}", _HINT)

    def parts(self, count: int) -> Sequence[str]:
        """Return the texts of `count` parts; each walks over all primary keys, and reads the values of its own."""
        return parts(count)

    def cells(self, part: str, cursor: str | None = None) -> Iterator[Cell | Fault | Passed]:
        """Yield the value in each row, called ``TABLE.COLUMN[KEY]``; nothing for NULL."""
        wanted = Part.parse(part)
        behind = _read(cursor) if cursor is not None else None
        size = _FIRST
        try:
            if behind is None:
                yield from self._without_key()
            while True:
                rows = self._page(wanted, behind, size)
                taken = 0
                for key, value in rows:
                    name = f"{self._name}.{self._column}[{', '.join(map(str, key))}]"
                    for cell in self._cells(name, _written(key), value):
                        taken += len(cell.data) if isinstance(cell, Cell) else 0
                        yield cell
                if len(rows) < size:
                    return
                behind = rows[-1][0]
                size = max(1, min(_ROWS, _BYTES * len(rows) // (taken + 1)))
        except (self._sql.exc.SQLAlchemyError, OSError) as error:
            raise self._broken(error) from None

    def _page(self, part: Part, behind: Sequence[Any] | None, size: int) -> list[tuple[tuple[Any, ...], Any]]:
        """Return the keys and values of the next rows; of a row in another part, and of one without, None."""
        select = self._sql.select
        if part.of == 1:
            query = select(*self._keys, self._value)
            try:
                return [(tuple(row[:-1]), row[-1]) for row in self._run(self._behind(query, behind, size))]
            except self._sql.exc.DBAPIError as error:
                if error.connection_invalidated or not self._answers():
                    raise
        keys = [tuple(row) for row in self._run(self._behind(select(*self._keys), behind, size))]
        mine = [key for key in keys if part.has(_written(key).encode())]
        values = self._values(mine)
        return [(key, values.get(key)) for key in keys]

    def _values(self, keys: list[tuple[Any, ...]]) -> dict[tuple[Any, ...], Any]:
        """Return the values of some rows, by their keys; the error for one that cannot be read."""
        if not keys:
            return {}
        sql = self._sql
        if len(self._keys) == 1:
            chosen = self._keys[0].in_([key[0] for key in keys])
        else:
            chosen = sql.or_(*(self._is(key) for key in keys))
        try:
            return {tuple(row[:-1]): row[-1] for row in self._run(sql.select(*self._keys, self._value).where(chosen))}
        except sql.exc.DBAPIError as error:
            if error.connection_invalidated or not self._answers():
                raise
            if len(keys) == 1:
                return {keys[0]: error}
        half = len(keys) // 2
        return {**self._values(keys[:half]), **self._values(keys[half:])}

    def _answers(self) -> bool:
        """Tell whether the database is there, and may be asked for the table: what failed was a row then."""
        try:
            self._run(self._sql.select(*self._keys, self._value).limit(0))
        except self._sql.exc.SQLAlchemyError:
            return False
        return True

    def _without_key(self) -> Iterator[Fault]:
        """Yield what is said of rows whose key is NULL, which SQLite allows: no page has them."""
        if self._engine.dialect.name != "sqlite":
            return
        sql = self._sql
        query = sql.select(sql.func.count()).where(sql.or_(*(key.is_(None) for key in self._keys)))
        ((count,),) = self._run(query.select_from(self._table))
        if count:
            yield Fault(
                f"{self._name}.{self._column}", f"{count} rows have NULL in their primary key, and were not read"
            )

    def _behind(self, query: Any, behind: Sequence[Any] | None, size: int) -> Any:
        """Return a query for the next rows in the order of the key."""
        sql = self._sql
        if self._engine.dialect.name == "sqlite":
            query = query.where(*(key.is_not(None) for key in self._keys))
        if behind is not None:
            # As in a dictionary; and the first column once more, for databases that see an index only in that.
            cases = [
                sql.and_(
                    *(key == value for key, value in zip(self._keys[:depth], behind, strict=False)),
                    self._keys[depth] > behind[depth],
                )
                for depth in range(len(self._keys))
            ]
            query = query.where(sql.and_(self._keys[0] >= behind[0], sql.or_(*cases)))
        return query.order_by(*self._keys).limit(size)

    def _is(self, key: Sequence[Any]) -> Any:
        return self._sql.and_(*(column == value for column, value in zip(self._keys, key, strict=True)))

    def _run(self, query: Any) -> list[Any]:
        rows: list[Any] = self._connection.execute(query).fetchall()
        return rows

    def _cells(self, name: str, cursor: str, value: Any) -> Iterator[Cell | Fault | Passed]:
        """Yield what a value is: bytes, text, or a list of such."""
        if isinstance(value, Exception):
            text = describe(getattr(value, "orig", None) or value)
            yield Fault(name, self._secrets.scrub(text))
        elif isinstance(value, (list, tuple)):
            # Its cursor is behind all of it: what is stopped within it begins with it anew.
            for number, item in enumerate(value):
                yield from self._cells(f"{name}[{number}]", cursor, item)
        elif isinstance(value, str):
            yield Cell(name, value.encode("utf-8", "surrogateescape"), cursor)
        elif isinstance(value, (bytes, bytearray, memoryview)):
            yield Cell(name, bytes(value), cursor)
        elif value is not None:
            yield Passed(name, f"a column of {type(value).__name__}, neither bytes nor text")

    def swap(self, changes: Iterable[Change]) -> Iterator[bool]:
        """Put new values into rows that hold the old ones, each in a step of its own."""
        text = not isinstance(self._table.columns[self._column].type, self._sql.types.LargeBinary)
        column = self._table.columns[self._column]
        for change in changes:
            old, new = (data.decode("utf-8", "surrogateescape") if text else data for data in change[1:])
            query = self._table.update().where(self._is(_read(change.cursor)), column == old).values({column: new})
            try:
                yield bool(self._connection.execute(query).rowcount)
            except (self._sql.exc.SQLAlchemyError, OSError) as error:
                raise self._broken(error) from None

    def size(self) -> int | None:
        """Return about how many rows there are, as far as the database says it without counting."""
        sql = self._sql
        queries = {
            "postgresql": "SELECT reltuples FROM pg_class WHERE oid = to_regclass(:name)",
            "mysql": "SELECT table_rows FROM information_schema.tables WHERE table_schema = database()"
            " AND table_name = :name",
        }
        queries["mariadb"] = queries["mysql"]
        query = queries.get(self._engine.dialect.name)
        if query is None:
            return None
        preparer = self._engine.dialect.identifier_preparer
        name = preparer.format_table(self._table) if self._engine.dialect.name == "postgresql" else self._name
        try:
            rows = self._connection.execute(sql.text(query), {"name": name}).fetchall()
        except (sql.exc.SQLAlchemyError, OSError):
            return None
        return int(rows[0][0]) if rows and rows[0][0] is not None and rows[0][0] >= 0 else None

    def close(self) -> None:
        """Close the connection."""
        self._connection.close()
        self._engine.dispose()


_HINT: Final = (
    "what was read before holds; passwords are taken from PGPASSWORD or ~/.pgpass, MYSQL_PWD, or the URL; "
    "the user needs SELECT on the table"
)


def _named(place: str, column: str) -> tuple[str | None, str, str]:
    """Return schema, table and column of what follows the ``#`` of a place."""
    names = column.split(".")
    if not 2 <= len(names) <= 3 or not all(names):
        raise PlaceError(
            f"{place}: which column is meant is not said",
            "put #TABLE.COLUMN, or #SCHEMA.TABLE.COLUMN, behind the URL of the database",
        )
    return (names[0] if len(names) == 3 else None), names[-2], names[-1]


def _written(key: Sequence[Any]) -> str:
    """Return a primary key as a cursor."""
    values = []
    for value in key:
        name, write = _WRITTEN.get(type(value), ("", None))
        values.append([name, write(value)] if write is not None else value)
    return json.dumps(values, default=str)


def _read(cursor: str) -> tuple[Any, ...]:
    """Return the primary key that a cursor is."""
    return tuple(_READ[value[0]](value[1]) if isinstance(value, list) else value for value in json.loads(cursor))


def _is_store(store: SqlStore) -> Store:
    """Let the type checker see that it is one."""
    return store
