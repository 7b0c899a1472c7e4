"""Opening the files that hold pickles: one file in, its cells and the rows of pickles in them out.

Nothing is executed, nothing is written. What a file is, its first bytes say, not its name.
"""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from extreg.stores.bounded import BROKEN
from extreg.stores.databases import dbm_cells, sqlite_cells
from extreg.stores.envelopes import unwrap
from extreg.stores.files import Found
from extreg.stores.forms import HEAD_OF_FORM, form_of
from extreg.stores.items import Fault, Item, describe
from extreg.stores.mapping import mapped_file
from extreg.stores.store import Cell

# The cursor of a file that is a cell by itself.
WHOLE = ""


def contents(found: Found, *, carve: bool = False) -> Iterator[Item]:
    """Yield the rows of pickles in a file, what keeps others from being read, and what nobody here understands.

    Nothing for what is known to hold none. With `carve`, pickles are looked for at every offset of what is not
    understood.
    """
    for cell in file_cells(found):
        if isinstance(cell, Fault):
            yield cell
        else:
            yield from unwrap(cell.data, cell.key, carve=carve)


def file_cells(found: Found, cursor: str | None = None) -> Iterator[Cell | Fault]:
    """Yield the cells of a file, behind `cursor`: itself, by the key ``""``, or the values of a database."""
    if found.problem is not None:
        yield Fault("", found.problem)
        return
    try:
        if not found.named and _is_beside(found.path):
            return
        if found.database is not None:
            yield from dbm_cells(found.path, found.database, cursor)
        else:
            yield from _cells(found.path, cursor)
    except BROKEN as error:
        yield Fault("", describe(error))


def _is_beside(path: Path) -> bool:
    """Tell whether a file is the log, or its index, of a database of SQLite beside it, with which it is read."""
    for end in ("-wal", "-shm", "-journal"):
        if path.name.endswith(end):
            with suppress(OSError), path.with_name(path.name[: -len(end)]).open("rb") as file:
                return form_of(file.read(HEAD_OF_FORM)) == "sqlite"
    return False


def _cells(path: Path, cursor: str | None) -> Iterator[Cell | Fault]:
    with path.open("rb") as file:
        form = form_of(file.read(HEAD_OF_FORM))
        if form == "sqlite":
            yield from sqlite_cells(path, cursor or None)
        elif form == "gdbm":
            yield from dbm_cells(path, "dbm.gnu", cursor or None)
        elif cursor is None:
            file.seek(0)
            with mapped_file(file) as data:
                yield Cell("", data, WHOLE)
