"""Files as a place: a file, or a folder with all that is below it."""

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from extreg.stores.contents import file_cells
from extreg.stores.files import Found, files_below
from extreg.stores.items import Fault, Passed
from extreg.stores.store import Cell, Change, Part, PlaceError, Store, parts, read_only


class FileStore:
    """The files at a path and below: each is a cell, or as many as there are in it where it is a database.

    A large file is mapped: where somebody makes it shorter while it is read, the process is killed (SIGBUS).
    """

    def __init__(self, place: str) -> None:
        first = next(files_below([place]), None)
        if first is not None and first.named and first.problem is not None:
            raise PlaceError(f"{place}: {first.problem}")
        self.place = place
        self._root = Path(place)

    def parts(self, count: int) -> Sequence[str]:
        """Return the texts of `count` parts; what is in which depends on the paths below the place."""
        return parts(count)

    def cells(self, part: str, cursor: str | None = None) -> Iterator[Cell | Fault | Passed]:
        """Yield each file, and each value in a database, in the order of their paths."""
        wanted = Part.parse(part)
        behind: tuple[list[str], str] | None = None
        if cursor is not None:
            names, inner = json.loads(cursor)
            behind = names, inner
        for found in files_below([self.place]):
            names = self._names(found)
            if not wanted.has("/".join(names).encode("utf-8", "surrogateescape")):
                continue
            order = _order(found, names)
            if behind is not None and order < behind[0]:
                continue
            yield from _cells(found, order, behind[1] if behind is not None and order == behind[0] else None)

    def _names(self, found: Found) -> list[str]:
        """Return the parts of the path of a file below the place; of the place itself, its last one."""
        names = found.path.relative_to(self._root).parts if found.path != self._root else ()
        return list(names) or [self._root.name]

    def swap(self, changes: Iterable[Change]) -> Iterator[bool]:  # noqa: ARG002 - the verb of all stores
        """Raise `ReadOnlyError`: files are replaced as wholes, by what rewrites them."""
        raise read_only(self.place)

    def size(self) -> int | None:
        """Return None: only a walk over the folders would tell."""
        return None

    def close(self) -> None:
        """Do nothing: each file is closed when it was read."""


def _cells(found: Found, order: list[str], inner: str | None) -> Iterator[Cell | Fault]:
    for cell in file_cells(found, inner):
        if isinstance(cell, Fault):
            yield Fault(_joined(found, cell.member), cell.message)
        else:
            yield Cell(_joined(found, cell.key), cell.data, json.dumps([order, cell.cursor]))


def _joined(found: Found, member: str) -> str:
    return f"{found.path}::{member}" if member else str(found.path)


def _order(found: Found, names: list[str]) -> list[str]:
    """Return where a file stands in the walk, which goes by names, folder by folder: a database by its first file."""
    if found.database is None:
        return names
    beside = [f"{names[-1]}{end}" for end in (".bak", ".dat", ".db", ".dir", ".pag")]
    first = next((name for name in beside if found.path.with_name(name).exists()), names[-1])
    return [*names[:-1], first]


def _is_store(store: FileStore) -> Store:
    """Let the type checker see that it is one."""
    return store
