"""Replacing a file that others may be writing: they lose nothing, or the caller is told."""

import os
import signal
import sys
import time
from contextlib import suppress
from errno import EAGAIN
from hashlib import sha256
from pathlib import Path
from typing import IO

from extreg.disk.atomic import leftovers, sweep, sync_folder, temporary
from extreg.disk.locking import locked
from extreg.errors import ExtregError, UnreadableError, WrittenError
from extreg.pickles.walking.opcodes import Buffer

if sys.platform != "win32":
    import fcntl

# Seconds: how long to wait for the lock, for a writer to close the file before it is replaced, and for one that
# opened it just before to close it afterwards.
_LOCK_PATIENCE = 30.0
_PATIENCE = 0.25
_LATE_PATIENCE = 5.0
# Seconds without anything new in the replaced file after which nobody is expected to write there any more: where the
# system tells who wants to, and where it does not.
_QUIET = 0.002
_QUIET_UNTOLD = 0.05
_POLL = 0.001
_CHUNK = 1 << 20
# rename(2), linux/fs.h: the two names change places.
_RENAME_EXCHANGE = 2
_AT_FDCWD = -100


class MeanwhileError(ExtregError):
    """Somebody else wrote the file, or has it open to do so; it was left alone. ``again``: another try may do."""

    def __init__(self, message: str, *, again: bool) -> None:
        super().__init__(message)
        self.again = again


class Original:
    """A file as it was read: open, so that it can be compared later, and what was written after that be found."""

    def __init__(self, path: Path, file: IO[bytes], data: Buffer) -> None:
        self.path = path
        self.file = file
        self.descriptor = file.fileno()
        self.status = os.fstat(self.descriptor)
        self.length = len(data)
        self.digest = sha256(data).digest()

    def is_at_its_place(self) -> bool:
        """Tell whether the path still names this very file."""
        try:
            return os.path.samestat(self.path.stat(), self.status)
        except FileNotFoundError:
            return False

    def is_unchanged(self) -> bool:
        """Tell whether the file holds what it held: by size and time, and by its bytes, which no clock decides."""
        now = os.fstat(self.descriptor)
        same = (now.st_size, now.st_mtime_ns) == (self.length, self.status.st_mtime_ns)
        return same and self.tail() == b""

    def tail(self) -> bytes | None:
        """Return what follows the bytes that were read; None where those are no longer what they were."""
        with open(self.descriptor, "rb", buffering=0, closefd=False) as file:
            file.seek(0)
            hashed, left = sha256(), self.length
            while left and (chunk := file.read(min(left, _CHUNK))):
                hashed.update(chunk)
                left -= len(chunk)
            return file.read() if hashed.digest() == self.digest else None


def replace(original: Original, data: bytes) -> None:
    """Put `data` in the place of the file `original`, in one step, unless somebody else writes it.

    What others append at that moment is appended to the new file.  Raises `MeanwhileError` when somebody else wrote
    the file or has it open for writing, OSError or another `ExtregError` when the file cannot be written; it is then
    as it was.  Raises `WrittenError` when it was replaced and something failed after that.
    """
    path = original.path
    with locked(path, patience=_LOCK_PATIENCE), temporary(path, data) as new:
        made = new.stat()
        lease = _Lease(original.descriptor)
        try:
            _refuse_if_written(original, lease)
            kept = _put(new, original)
            if not original.file.closed:
                _save_latecomers(original, made, lease, new if kept else None)
        finally:
            lease.release()
    sync_folder(path)


def tidy(folder: Path) -> None:
    """Remove what killed writers left in `folder`, if they left anything and nobody writes there now."""
    if leftovers(folder):
        with suppress(UnreadableError), locked(folder / "any", patience=0):
            sweep(folder)


class _BusyError(Exception):
    """A program has the file open for writing."""


class _AstrayError(Exception):
    """A program wrote to the file that was replaced, or may, and the new file has not got it."""


class _Lease:
    """What makes whoever opens a file to write wait, and tells of it: fcntl(2), F_SETLEASE. Linux has it for files that
    are one's own, on most file systems; elsewhere it is never ``held``.
    """

    def __init__(self, descriptor: int) -> None:
        self.descriptor = descriptor
        self.held = False

    def take(self, patience: float) -> None:
        """Take it where there is one; raise `_BusyError` when somebody keeps the file open for writing."""
        if sys.platform != "linux" or not hasattr(fcntl, "F_SETLEASE"):
            return
        limit = time.monotonic() + patience
        while not self.held:
            try:
                # Who waits makes the kernel send a signal: this one is ignored unless somebody asks for it.
                fcntl.fcntl(self.descriptor, fcntl.F_SETSIG, signal.SIGURG)
                fcntl.fcntl(self.descriptor, fcntl.F_SETLEASE, fcntl.F_RDLCK)
                self.held = True
            except OSError as error:
                if error.errno != EAGAIN:  # another's file, or a file system without leases
                    return
                if time.monotonic() > limit:
                    raise _BusyError from None
                time.sleep(_POLL)

    def is_awaited(self) -> bool:
        """Tell whether somebody waits to open the file for writing, or no longer does because it took too long."""
        if sys.platform != "linux" or not self.held:
            return False
        return fcntl.fcntl(self.descriptor, fcntl.F_GETLEASE) != fcntl.F_RDLCK

    def release(self) -> None:
        if sys.platform == "linux" and self.held:
            self.held = False
            with suppress(OSError):  # the system took it back
                fcntl.fcntl(self.descriptor, fcntl.F_SETLEASE, fcntl.F_UNLCK)


def _refuse_if_written(original: Original, lease: _Lease) -> None:
    """Raise `MeanwhileError` unless the file is as it was read and, as far as can be known, stays so."""
    try:
        lease.take(_PATIENCE)
    except _BusyError:
        raise MeanwhileError("another program has it open for writing; it is left as it is", again=False) from None
    if not original.is_at_its_place() or not original.is_unchanged() or lease.is_awaited():
        raise MeanwhileError("somebody else wrote it meanwhile; it is left as it is", again=True)


def _put(new: Path, original: Original) -> bool:
    """Rename `new` to the original's path; return whether `new` names the original from then on."""
    path = original.path
    if sys.platform == "win32":
        original.file.close()  # an open file is not replaced there, so that no other program has it open either
    if not exchange(new, path):
        new.replace(path)
        return False
    if os.path.samestat(new.stat(), original.status):
        return True
    # Another program put its file there after the comparison, and must find it there.
    if exchange(new, path):
        raise MeanwhileError("somebody else replaced it meanwhile; it is left as it is", again=True)
    raise WrittenError(str(path), f"somebody else had replaced it at that moment{_saved(path, new)}")


def exchange(one: Path, other: Path) -> bool:
    """Let two files change places in one step; return False, with nothing changed, where that is not possible."""
    if sys.platform != "linux":
        return False
    try:
        import ctypes

        rename = ctypes.CDLL(None).renameat2
    except (ImportError, OSError, AttributeError):  # another C library, or an older one
        return False
    done: int = rename(_AT_FDCWD, os.fsencode(one), _AT_FDCWD, os.fsencode(other), _RENAME_EXCHANGE)
    return done == 0


def _save_latecomers(original: Original, made: os.stat_result, lease: _Lease, old: Path | None) -> None:
    """Bring to the new file what others still wrote to the `original`, which is at `old` if it is anywhere."""
    try:
        try:
            _await_latecomers(original.descriptor, lease)
        except KeyboardInterrupt:
            _carry_over(original, made)
            raise
        _carry_over(original, made)
    except (_AstrayError, OSError) as error:
        why = str(error) if isinstance(error, _AstrayError) else f"reading the old file failed ({error.strerror})"
        raise WrittenError(str(original.path), why + _saved(original.path, old)) from None


def _await_latecomers(descriptor: int, lease: _Lease) -> None:
    """Wait until nobody writes any more to the file that was replaced, having opened it before."""
    start = since = time.monotonic()
    seen = None
    while time.monotonic() - since < (_QUIET if lease.held else _QUIET_UNTOLD):
        if lease.is_awaited():
            lease.release()
            with suppress(_BusyError):  # which the next turn finds out
                lease.take(_LATE_PATIENCE)
        status = os.fstat(descriptor)
        if (now := (status.st_size, status.st_mtime_ns)) != seen:
            seen, since = now, time.monotonic()
        if time.monotonic() - start > _LATE_PATIENCE:
            raise _AstrayError("another program had opened the old file just before and keeps it open")
        time.sleep(_POLL)


def _carry_over(original: Original, made: os.stat_result) -> None:
    """Append to the new file, which was `made`, what was appended to the original."""
    late = original.tail()
    if late is None:
        raise _AstrayError("another program had opened the old file just before and changed it in place")
    if not late:
        return
    try:
        descriptor = os.open(original.path, os.O_WRONLY | os.O_APPEND)
        with os.fdopen(descriptor, "wb") as file:
            if not os.path.samestat(os.fstat(descriptor), made):
                raise _AstrayError("another program appended to the old file, and a third replaced the new one")
            file.write(late)
            file.flush()
            os.fsync(descriptor)
    except OSError as error:
        raise _AstrayError(f"what another program appended at that moment is not in it ({error.strerror})") from None


def _saved(path: Path, old: Path | None) -> str:
    """Give the old file a name that it can keep; return what to say of it."""
    if old is None:
        return "; the old file has no name any more: stop that program and look what is missing"
    kept = path.with_name(f"{path.name}.extreg-old-{old.name[-8:]}")
    try:
        old.rename(kept)
    except OSError as error:
        return f"; the old file could not be kept ({error.strerror})"
    return f"; the old file is {kept}: stop that program, and bring over what is missing"
