"""Which files there are below some paths: each once, in an order that does not depend on the machine."""

import dbm
import os
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from stat import S_ISDIR, S_ISREG
from typing import NamedTuple

from extreg.disk.atomic import TEMPORARY

# What the parts of a database of the dbm modules add to its name.
_PARTS = (".dir", ".dat", ".bak", ".pag", ".db")
# How Emacs marks a file that somebody edits: by a symlink to no file, but to who that is.
_LOCK = ".#"


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
        yield from _below(Path(given), os.path.realpath(given), True, seen)


def _below(path: Path, real: str, named: bool, seen: set[str]) -> Iterator[Found]:
    """Yield what is at `path`, which leads to `real`."""
    try:
        mode = path.stat().st_mode
    except OSError as error:
        base = _database(str(path)) if named else None
        if base is not None:
            yield from _once(base, os.path.realpath(base.path), named, seen)
        elif not named and path.is_symlink() and not path.name.startswith(_LOCK):
            # What it leads to may be on a disk that is not there now.
            yield Found(path, named, problem="a symlink that leads nowhere")
        elif named or not isinstance(error, FileNotFoundError):
            # A file that is gone meanwhile is none; whoever named it should know.
            yield Found(path, named, problem=error.strerror or str(error))
        return
    if S_ISDIR(mode):
        yield from _in_folder(path, real, seen)
    elif S_ISREG(mode):
        yield from _file(path, real, named, seen)
    elif named:
        yield Found(path, named, problem="neither a file nor a folder")


def _in_folder(path: Path, real: str, seen: set[str]) -> Iterator[Found]:
    # A loop of symlinks comes back to a folder that was seen.
    if real in seen:
        return
    seen.add(real)
    try:
        with os.scandir(path) as entries:
            found = sorted(entries, key=lambda entry: entry.name)
    except OSError as error:
        yield Found(path, False, problem=error.strerror or str(error))
        return
    for entry in found:
        if TEMPORARY.fullmatch(entry.name):  # of a file that is here too, for the moment in which it is rewritten
            continue
        place = path / entry.name
        if entry.is_symlink():
            yield from _below(place, os.path.realpath(place), False, seen)
        elif entry.is_file():
            yield from _file(place, f"{real}{os.sep}{entry.name}", False, seen)
        elif entry.is_dir():
            yield from _in_folder(place, f"{real}{os.sep}{entry.name}", seen)


def _file(path: Path, real: str, named: bool, seen: set[str]) -> Iterator[Found]:
    base = _database(str(path)) if path.suffix in _PARTS else None
    if base is not None:
        yield from _once(base, os.path.realpath(base.path), named, seen)
    else:
        yield from _once(Found(path, named), real, named, seen)


def _once(found: Found, real: str, named: bool, seen: set[str]) -> Iterator[Found]:
    # A database may be called as a file beside it.
    real = f"{real}\0{found.database}" if found.database else real
    if real not in seen:
        seen.add(real)
        yield found._replace(named=named)


def _database(path: str) -> Found | None:
    """Return the database of several files whose name, or one of whose files, `path` is."""
    bases = [path[: -len(part)] for part in _PARTS if path.endswith(part)] if Path(path).exists() else [path]
    for base in bases:
        with suppress(OSError, ValueError):
            kind = dbm.whichdb(base)
            if kind in {"dbm.ndbm", "dbm.dumb"}:
                return Found(Path(base), False, database=kind)
    return None
