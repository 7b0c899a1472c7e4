"""LMDB as a place: ``lmdb:PATH``, with all its named databases, or ``lmdb:PATH#NAME``, with one of them."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Final

from extreg.stores.extras import label, library, may_be_packed
from extreg.stores.items import Fault, Passed, describe
from extreg.stores.store import Cell, Change, Part, PlaceError, Store, parts, read_only

# How many entries are read in one transaction: as long as it lasts, no writer can use pages again.
_ENTRIES: Final = 1000
# What the main database has for a named one (struct MDB_db).
_RECORD: Final = 48
_NAMED: Final = 4096


class LmdbStore:
    """The entries of an environment of LMDB, a folder or a file, opened for reading."""

    def __init__(self, place: str) -> None:
        self._lmdb = library("lmdb", "lmdb")
        self.place = place
        path, mark, name = place.partition(":")[2].partition("#")
        try:
            self._base = self._lmdb.open(
                path, subdir=_is_folder(path), readonly=True, create=False, max_dbs=_NAMED, max_spare_txns=1
            )
            self._names = [name.encode()] if mark else self._found()
            self._open = {name: self._base.open_db(name or None, create=False) for name in self._names}
        except (self._lmdb.Error, OSError) as error:
            raise PlaceError(
                f"{place}: {describe(error)}", "lmdb: takes the folder of a database, or its file"
            ) from None

    def _found(self) -> list[bytes]:
        """Return the names of the databases: of the main one, ``b""``, and of those that it names."""
        names = [b""]
        with self._base.begin() as transaction:
            candidates = [key for key, value in transaction.cursor() if len(value) == _RECORD]
        for key in candidates:
            try:
                self._base.open_db(key, create=False)
            except self._lmdb.Error:  # an entry of that size
                continue
            names.append(bytes(key))
        return names

    def parts(self, count: int) -> Sequence[str]:
        """Return the texts of `count` parts; each walks over all keys, and reads the values of its own."""
        return parts(count)

    def cells(self, part: str, cursor: str | None = None) -> Iterator[Cell | Fault | Passed]:
        """Yield every value, and the keys that may hold pickles, database by database in the order of the keys."""
        wanted = Part.parse(part)
        behind = json.loads(cursor) if cursor is not None else None
        for number, name in enumerate(self._names):
            if behind is not None and number < self._names.index(bytes.fromhex(behind[0])):
                continue
            at = (bytes.fromhex(behind[1]), behind[2]) if behind is not None else None
            behind = None
            try:
                while True:
                    cells, at = self._some(name, wanted, at)
                    yield from cells
                    if at is None:
                        break
            except (self._lmdb.Error, OSError) as error:
                raise PlaceError(f"{self.place}: {describe(error)}") from None

    def _some(
        self, name: bytes, part: Part, at: tuple[bytes, int] | None
    ) -> tuple[list[Cell], tuple[bytes, int] | None]:
        """Return the next cells of a database, and where they end: behind the Nth value of a key; None at the end."""
        cells: list[Cell] = []
        with self._base.begin(self._open[name]) as transaction:
            cursor = transaction.cursor()
            last, number, count = b"", 0, 0
            found = cursor.set_range(at[0]) if at is not None else cursor.first()
            while found and count < _ENTRIES:
                key = bytes(cursor.key())
                # A key may have several values.
                last, number = key, number + 1 if number and key == last else 1
                if at is None or (key, number) > at:
                    count += 1
                    if (name or key not in self._open) and part.has(name + b"\0" + key):
                        cells += _entry(name, key, number, bytes(cursor.value()), at)
                found = cursor.next()
        return cells, (last, number) if found else None

    def swap(self, changes: Iterable[Change]) -> Iterator[bool]:  # noqa: ARG002 - the verb of all stores
        """Raise `ReadOnlyError`: the environment is opened for reading."""
        raise read_only(self.place)

    def size(self) -> int | None:
        """Return how many entries there are."""
        with self._base.begin() as transaction:
            return sum(int(transaction.stat(base)["entries"]) for base in self._open.values()) - len(self._open) + 1

    def close(self) -> None:
        """Close the environment."""
        self._base.close()


def _entry(name: bytes, key: bytes, number: int, value: bytes, at: tuple[bytes, int] | None) -> Iterator[Cell]:
    """Yield the value of a key, before its first one the key itself if that may hold a pickle and was not told."""
    shown = f"{label(name)}/{label(key)}" if name else label(key)
    if number == 1 and at != (key, 0) and may_be_packed(key):
        yield Cell(f"key {shown}", key, json.dumps([name.hex(), key.hex(), 0]))
    yield Cell(f"{shown}#{number}" if number > 1 else shown, value, json.dumps([name.hex(), key.hex(), number]))


def _is_folder(path: str) -> bool:
    return Path(path).is_dir()


def _is_store(store: LmdbStore) -> Store:
    """Let the type checker see that it is one."""
    return store
