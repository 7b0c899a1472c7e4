"""Which files there are below some paths: each once, in an order that does not depend on the machine."""

import dbm
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import NamedTuple

# What the parts of a database of the dbm modules add to its name.
_PARTS = (".dir", ".dat", ".bak", ".pag", ".db")


class Found(NamedTuple):
    """A file, or the common name of the files of a ``database`` (the dbm module that opens it).

    ``named`` is whether somebody named it, rather than a folder above.  ``problem`` is why it cannot be read at all.
    """

    path: Path
    named: bool
    database: str | None = None
    problem: str | None = None


def files_below(paths: Iterable[str]) -> Iterator[Found]:
    """Yield the files that `paths` name and those in the folders that they name, whatever they hold.

    Symlinks are followed; what is reached a second time, by a symlink or otherwise, is passed over.
    """
    seen: set[str] = set()
    for given in paths:
        yield from _below(Path(given), True, seen)


def _below(path: Path, named: bool, seen: set[str]) -> Iterator[Found]:
    try:
        mode = path.stat().st_mode
    except OSError as error:
        base = _database(str(path)) if named else None
        if base is not None:
            yield from _once(base, named, seen)
        elif named or not isinstance(error, FileNotFoundError):
            # A symlink that leads nowhere is no file; whoever named it should know.
            yield Found(path, named, problem=error.strerror or str(error))
        return
    if S_ISDIR(mode):
        yield from _in_folder(path, named, seen)
    elif S_ISREG(mode):
        yield from _once(_database(str(path)) or Found(path, named), named, seen)
    elif named:
        yield Found(path, named, problem="neither a file nor a folder")


def _in_folder(path: Path, named: bool, seen: set[str]) -> Iterator[Found]:
    # A loop of symlinks comes back to a folder that was seen.
    real = os.path.realpath(path)
    if real in seen:
        return
    seen.add(real)
    try:
        names = sorted(entry.name for entry in path.iterdir())
    except OSError as error:
        yield Found(path, named, problem=error.strerror or str(error))
        return
    for name in names:
        yield from _below(path / name, False, seen)


def _once(found: Found, named: bool, seen: set[str]) -> Iterator[Found]:
    real = f"{os.path.realpath(found.path)}\0{found.database}"
    if real not in seen:
        seen.add(real)
        yield found._replace(named=named)


def _database(path: str) -> Found | None:
    """Return the database whose name, or part of whose files, `path` is."""
    if _kind(path) == "dbm.gnu" or not Path(path).exists():
        bases = [path]
    else:
        bases = [path[: -len(part)] for part in _PARTS if path.endswith(part)]
    for base in bases:
        kind = _kind(base)
        if kind in {"dbm.gnu", "dbm.ndbm", "dbm.dumb"}:
            return Found(Path(base), False, database=kind)
    return None


def _kind(base: str) -> str | None:
    with suppress(OSError, ValueError):
        return dbm.whichdb(base)
    return None
