"""Replacing a file: in one step, durably, and with all that it had."""

import os
import re
import secrets
import shlex
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from errno import EINVAL, ENOTSUP
from pathlib import Path

from extreg.disk.attributes import keep_attributes
from extreg.errors import ExtregError, UnreadableError, WrittenError

# The name of a file that is on its way to its place: ``.NAME.extreg-new-`` and eight hexadecimal digits.
TEMPORARY = re.compile(r"\..+\.extreg-new-[0-9a-f]{8}")


def write(path: Path, data: bytes, *, was: bytes | None) -> None:
    """Replace the contents of `path` by `data`, durably and in one step: readers see the old file or the new one.

    `was` is what the file holds, None where there is none.  The caller holds the lock.  Owner, mode, access control
    list and extended attributes stay.  Raises OSError, or `ExtregError` when somebody else has written the file or it
    has several names, and the file is as it was; raises `WrittenError` when `data` is in the file and something
    failed after that.
    """
    sweep(path.parent, path.name)
    with temporary(path, data) as new:
        _compare(path, was)
        new.replace(path)
    sync_folder(path)


@contextmanager
def temporary(path: Path, data: bytes) -> Iterator[Path]:
    """Write `data`, durably, to a file beside the one at `path` with all that that has; remove it when it is there yet.

    Raises OSError, and `ExtregError` when there are several names for the file at `path`; `WrittenError` when nothing
    else went wrong, but it cannot be removed.
    """
    new = path.with_name(f".{path.name}.extreg-new-{secrets.token_hex(4)}")
    try:
        _write_temporary(path, new, data)
        yield new
    except BaseException:
        with suppress(OSError):  # what lies about harms nobody, and the next writer removes it
            new.unlink()
        raise
    try:
        new.unlink(missing_ok=True)
    except OSError as error:
        if os.path.lexists(new):
            raise WrittenError(str(path), f"{new}, which is not needed, cannot be removed ({error.strerror})") from None


def sweep(folder: Path, name: str = "") -> None:
    """Remove what killed writers left in `folder`, or of its file `name` alone.  The caller holds the lock."""
    for found in leftovers(folder):
        if not name or found.name.startswith(f".{name}.extreg-new-"):
            with suppress(OSError):  # of somebody else's: it harms nobody
                found.unlink()


def leftovers(folder: Path) -> list[Path]:
    """Return the files in `folder` that are on their way to their places, or never got there."""
    try:
        with os.scandir(folder) as entries:
            return [folder / entry.name for entry in entries if TEMPORARY.fullmatch(entry.name)]
    except OSError:  # what cannot be listed is not tidied
        return []


def sync_folder(path: Path) -> None:
    """Make what was done in the folder of `path` durable; raise `WrittenError` when that fails."""
    if sys.platform == "win32":
        return
    try:
        descriptor = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
    except OSError as error:
        if error.errno not in {EINVAL, ENOTSUP}:  # file systems that know no such thing
            raise WrittenError(str(path), f"its folder could not be synced to the disk ({error.strerror})") from None


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn the system's refusal into a message that says what to look at."""
    try:
        yield
    except OSError as error:
        raise UnreadableError(
            f"cannot write {path}: {error.strerror or error}", f"check the file and the folder {path.parent}"
        ) from None


def _compare(path: Path, was: bytes | None) -> None:
    """Raise `ExtregError` when the file at `path`, at the last moment, is not what it `was`.

    An editor takes no lock.
    """
    try:
        now: bytes | None = path.read_bytes()
    except FileNotFoundError:
        now = None
    if now != was:
        raise ExtregError(f"{path} has changed meanwhile; nothing was written", "the same command, once more")


def _write_temporary(path: Path, new: Path, data: bytes) -> None:
    try:
        names = path.stat().st_nlink
    except FileNotFoundError:
        names = 0
    if names > 1:
        name = shlex.quote(str(path))
        raise ExtregError(
            f"{path} has {names} names (hard links), and would be replaced under this one alone",
            f"give it a file of its own: cp -p {name} {name}.new && mv {name}.new {name}",
        )
    # Nobody else may open what is to be a secret before it has the mode that it will have.
    descriptor, named = _open_temporary(path, new, 0o600 if names else 0o644)
    try:
        if names:
            keep_attributes(path, descriptor)
        with open(descriptor, "wb", closefd=False) as file:
            file.write(data)
            file.flush()
            os.fsync(descriptor)
        if not named:
            # A file without a name appears under its temporary one only when it is whole.
            source = f"/proc/self/fd/{descriptor}"
            os.link(source, new, src_dir_fd=descriptor, follow_symlinks=True)
    finally:
        os.close(descriptor)


def _open_temporary(path: Path, new: Path, mode: int) -> tuple[int, bool]:
    """Open the temporary file, without a name where the system can, so that a killed writer leaves nothing behind."""
    if hasattr(os, "O_TMPFILE") and Path("/proc/self/fd").is_dir():
        with suppress(OSError):  # the file system cannot; a named one will do
            return os.open(path.parent, os.O_TMPFILE | os.O_WRONLY, mode), False
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0) | getattr(os, "O_NOFOLLOW", 0)
    return os.open(new, flags, mode), True
