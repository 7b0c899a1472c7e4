"""One writer at a time in a folder."""

import os
import shlex
import stat
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from extreg.errors import UnreadableError

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

# Where a folder cannot be locked itself, this file in it is, and is there only for as long as the lock is held.
LOCK_NAME = ".extreg-lock"
_POLL = 0.01
# Seconds after which a new lock file is open to all whom it is for.
_SHARED_AFTER = 1.0


@contextmanager
def locked(path: Path, *, patience: float | None = None) -> Iterator[None]:
    """Hold the advisory lock for writing the file at `path`, waiting for it, or for `patience` seconds at most.

    On POSIX it is a lock on the folder, which leaves no lock file in anybody's repository; where folders cannot be
    locked (Windows, some network file systems) it is on a file in that folder: who may write there can take it, and
    nobody else can stand in the way.  Raises `UnreadableError` when it cannot be had.
    """
    folder = Path(os.path.realpath(path)).parent
    if not folder.is_dir():
        raise UnreadableError(f"there is no folder {folder}", f"mkdir -p {folder}")
    limit = None if patience is None else time.monotonic() + patience
    descriptor = _lock_folder(folder, limit)
    if descriptor is not None:
        try:
            yield
        finally:
            os.close(descriptor)  # which unlocks
        return
    try:
        descriptor = _lock_file(folder, limit)
    except OSError as error:
        raise _no_lock(folder / LOCK_NAME, error.strerror or str(error)) from None
    try:
        yield
    finally:
        _unlock_file(folder / LOCK_NAME, descriptor)


def _no_lock(place: Path, why: str) -> UnreadableError:
    return UnreadableError(f"cannot lock {place}: {why}", f"look at it: ls -ld {shlex.quote(str(place))}")


def _lock_folder(folder: Path, limit: float | None) -> int | None:
    """Return a descriptor that holds the lock on `folder`, None where folders cannot be locked."""
    if sys.platform == "win32":
        return None
    try:
        descriptor = os.open(folder, os.O_RDONLY)
    except OSError as error:
        raise UnreadableError(f"cannot open the folder {folder}: {error.strerror}") from None
    try:
        _lock(descriptor, folder, limit)
    except OSError:  # network file systems that lock files at most
        os.close(descriptor)
        return None
    except BaseException:
        os.close(descriptor)
        raise
    return descriptor


def _lock(descriptor: int, place: Path, limit: float | None) -> None:
    """Lock an open file or folder; raise OSError where that is not possible, `UnreadableError` at the `limit`."""
    if sys.platform != "win32" and limit is None:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        return
    while True:
        try:
            if sys.platform == "win32":
                msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except (BlockingIOError, PermissionError):  # the latter is what Windows says
            if limit is not None and time.monotonic() > limit:
                raise _no_lock(place, "another program holds the lock") from None
            time.sleep(_POLL)
        else:
            return


def _lock_file(folder: Path, limit: float | None) -> int:
    """Return a descriptor that holds the lock on the lock file in `folder`."""
    place = folder / LOCK_NAME
    while True:
        descriptor = _open_lock(place, folder.stat())
        try:
            _lock(descriptor, place, limit)
            # Whoever held it before may have removed the file: then another one is the lock now.
            with suppress(FileNotFoundError):
                if os.path.samestat(place.lstat(), os.fstat(descriptor)):
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _open_lock(place: Path, folder: os.stat_result) -> int:
    """Open the lock file at `place`, made where there is none: no link is followed, nothing else is taken for it."""
    flags = os.O_RDWR | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0)
    limit = time.monotonic() + _SHARED_AFTER
    while True:
        try:
            # Without O_CREAT, which Linux refuses in folders such as /tmp for a file of another user's.
            descriptor = os.open(place, flags)
            break
        except FileNotFoundError:
            with suppress(FileExistsError):
                descriptor = os.open(place, flags | os.O_CREAT | os.O_EXCL, 0o600)
                _share(descriptor, folder)
                break
        except PermissionError:  # another user has just made it, and is about to share it
            if time.monotonic() > limit:
                raise
            time.sleep(_POLL)
    status = os.fstat(descriptor)
    if not stat.S_ISREG(status.st_mode) or status.st_nlink > 1:
        os.close(descriptor)
        raise _no_lock(place, "it is no plain file of one name")
    return descriptor


def _share(descriptor: int, folder: os.stat_result) -> None:
    """Let those open a new lock file who may write in the folder, and nobody else."""
    if sys.platform == "win32":
        return
    writers = folder.st_mode & 0o222
    with suppress(PermissionError):  # of a group that is not ours
        os.fchown(descriptor, -1, folder.st_gid)
    if os.fstat(descriptor).st_gid != folder.st_gid:
        writers &= ~0o020
    os.fchmod(descriptor, 0o600 | writers | writers << 1)


def _unlock_file(place: Path, descriptor: int) -> None:
    if sys.platform == "win32":
        os.close(descriptor)
        with suppress(OSError):  # somebody else has opened it by now, and removes it
            place.unlink()
        return
    try:
        with suppress(OSError):  # in a folder such as /tmp, only who made it may remove it
            place.unlink()
    finally:
        os.close(descriptor)  # which unlocks
