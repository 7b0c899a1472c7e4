"""Changing a registry file: atomic, durable, and one writer at a time."""

import os
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from hashlib import sha256
from pathlib import Path

from extreg.errors import ExtregError, UnreadableError
from extreg.files.source import read_document
from extreg.registry.model import Registry
from extreg.text.document import Document
from extreg.text.edit import edit

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl


def update(path: Path, change: Callable[[Registry], Registry]) -> tuple[Document, Document]:
    """Apply `change` to the registry in the file at `path`; return the document before and after.

    The lock covers the reading too, so that concurrent updates lose nothing.  The file is written only when it
    changes.  Raises `RegistryError` for a bad file, `ExtregError` for what `change` refuses and for a file that cannot
    be read or written; the file is then as it was.
    """
    path = Path(os.path.realpath(path))  # the file behind a symlink is replaced, never the link
    with locked(path), _explained(path):
        before = read_document(path)
        after = edit(before, change(before.require()))
        if after != before.text:
            write(path, after.encode())
        return before, Document.read(after, path=str(path))


def create(path: Path, text: str) -> None:
    """Write a new file at `path`; raise `ExtregError` when there is one already."""
    with locked(path), _explained(path):
        if path.exists():
            raise ExtregError(f"{path} exists already", "extreg add TARGET adds to it; extreg list shows it")
        write(path, text.encode())


def write(path: Path, data: bytes) -> None:
    """Replace the contents of `path` by `data`, durably and in one step: readers see the old file or the new one.

    Mode and owner stay.  The caller holds the lock, so the name of the temporary file can be a fixed one: what a killed
    writer left behind is removed by the next.
    """
    temporary = path.with_name(f".{path.name}.extreg-new")
    with suppress(FileNotFoundError):
        temporary.unlink()
    try:
        _write_temporary(path, temporary, data)
        temporary.replace(path)
    finally:
        with suppress(FileNotFoundError):
            temporary.unlink()
    _sync_folder(path.parent)


@contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold the advisory lock for the registry at `path`, waiting for it.

    On POSIX it is a lock on the folder, which leaves no lock file in anybody's repository; where folders cannot be
    locked (Windows, some network file systems) it is on a file in the system's temporary folder, named for the path.
    """
    folder = Path(os.path.realpath(path)).parent
    if not folder.is_dir():
        raise UnreadableError(f"there is no folder {folder}", f"mkdir -p {folder}")
    descriptor = _lock_folder(folder)
    if descriptor is None:
        descriptor = _lock_substitute(folder)
    try:
        yield
    finally:
        os.close(descriptor)  # which unlocks


def _write_temporary(path: Path, temporary: Path, data: bytes) -> None:
    descriptor, named = _open_temporary(path, temporary)
    try:
        with suppress(FileNotFoundError):
            _keep_mode_and_owner(path, descriptor)
        with open(descriptor, "wb", closefd=False) as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        if not named:
            # A file without a name appears under its temporary one only when it is whole.
            source = f"/proc/self/fd/{descriptor}"
            os.link(source, temporary, src_dir_fd=descriptor, follow_symlinks=True)
    finally:
        os.close(descriptor)


def _open_temporary(path: Path, temporary: Path) -> tuple[int, bool]:
    """Open the temporary file, without a name where the system can, so that a killed writer leaves nothing behind."""
    if hasattr(os, "O_TMPFILE") and Path("/proc/self/fd").is_dir():
        with suppress(OSError):  # the file system cannot; a named one will do
            return os.open(path.parent, os.O_TMPFILE | os.O_WRONLY, 0o644), False
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    return os.open(temporary, flags, 0o644), True


def _keep_mode_and_owner(path: Path, descriptor: int) -> None:
    if sys.platform == "win32":
        return
    status = path.stat()
    mine = os.fstat(descriptor)
    if (status.st_uid, status.st_gid) != (mine.st_uid, mine.st_gid):
        with suppress(PermissionError):  # only root may give a file away; the group at least may be ours
            os.fchown(descriptor, -1, status.st_gid)
            os.fchown(descriptor, status.st_uid, -1)
    os.fchmod(descriptor, status.st_mode & 0o7777)


def _sync_folder(folder: Path) -> None:
    if sys.platform == "win32":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _lock_folder(folder: Path) -> int | None:
    if sys.platform == "win32":
        return None
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise UnreadableError(f"cannot open the folder {folder}: {error.strerror}") from None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    except OSError:  # NFS and the like lock no folders
        os.close(descriptor)
        return None
    return descriptor


def _lock_substitute(folder: Path) -> int:
    name = f"extreg-{sha256(os.fsencode(folder)).hexdigest()[:16]}.lock"
    descriptor = os.open(Path(tempfile.gettempdir()) / name, os.O_RDWR | os.O_CREAT, 0o666)
    if sys.platform == "win32":
        msvcrt.locking(descriptor, msvcrt.LK_LOCK, 1)
    else:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    return descriptor


@contextmanager
def _explained(path: Path) -> Iterator[None]:
    """Turn the system's refusal into a message that says what to look at."""
    try:
        yield
    except OSError as error:
        raise UnreadableError(
            f"cannot write {path}: {error.strerror}", f"check the file and the folder {path.parent}"
        ) from None
