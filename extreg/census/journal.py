"""The journal of a scan: one file, which is replaced in one step by what was counted and how far that goes.

Counts and cursors are in the same file, so that a scan that is killed at any instant goes on behind the last cell that
was counted.  It is for its owner alone, since keys may be personal; what cells hold is never in it.
"""

import json
import os
import secrets
import sys
from contextlib import suppress
from pathlib import Path
from types import TracebackType

from extreg.census.record import Census
from extreg.disk.atomic import sweep
from extreg.errors import UnreadableError

if sys.platform != "win32":
    import fcntl

_MODE = 0o600
# More than any census takes: what is larger is something else.
_LARGEST = 1 << 30


class Journal:
    """The file at `path`, held for one scan alone; ``census`` is what it holds, None where it is new.

    Raises `UnreadableError` where it cannot be had, or holds something else.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._descriptor = _hold(path)
        try:
            sweep(path.parent, path.name)
            with os.fdopen(os.dup(self._descriptor), "rb") as file:
                data = file.read(_LARGEST)
            self.census = census_of(data, str(path)) if data else None
        except BaseException:
            os.close(self._descriptor)
            raise

    def __enter__(self) -> "Journal":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)
        with suppress(OSError):
            if not self.path.stat().st_size:  # nothing was begun
                self.path.unlink()

    def write(self, census: Census) -> None:
        """Put what was counted until now in the place of what the file held; durably, and in one step."""
        new = self.path.with_name(f".{self.path.name}.extreg-new-{secrets.token_hex(4)}")
        try:
            descriptor = os.open(new, os.O_RDWR | os.O_CREAT | os.O_EXCL, _MODE)
            try:
                _lock(descriptor, self.path)
                with os.fdopen(os.dup(descriptor), "wb") as file:
                    file.write(as_bytes(census))
                    file.flush()
                    os.fsync(descriptor)
                new.replace(self.path)
            except BaseException:
                os.close(descriptor)
                with suppress(OSError):
                    new.unlink()
                raise
        except OSError as error:
            raise UnreadableError(
                f"cannot write {self.path}: {error.strerror or error}; what was counted before is in it",
                "the same command goes on from there",
            ) from None
        os.close(self._descriptor)
        self._descriptor = descriptor


def as_bytes(census: Census) -> bytes:
    """Return the JSON of a census as it stands in a file."""
    return json.dumps(census.as_json(), indent=1).encode() + b"\n"


def census_of(data: bytes, path: str) -> Census:
    """Return the census in the bytes of the file at `path`; raise `UnreadableError` where there is none."""
    try:
        return Census.from_json(json.loads(data))
    except (ValueError, RecursionError) as error:
        raise UnreadableError(
            f"{path} is no census that this extreg reads: {error}", "give another file, or take the census anew"
        ) from None


def read_census(path: Path) -> Census:
    """Return the census in the file at `path`; raise `UnreadableError` where there is none."""
    try:
        with path.open("rb") as file:
            data = file.read(_LARGEST)
    except OSError as error:
        raise UnreadableError(
            f"cannot read {path}: {error.strerror or error}", "extreg scan --journal FILE takes a census"
        ) from None
    return census_of(data, str(path))


def _hold(path: Path) -> int:
    """Open the file at `path`, made where there is none, and lock it; the lock goes with the process."""
    while True:
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), _MODE)
        except OSError as error:
            raise UnreadableError(
                f"cannot open the journal {path}: {error.strerror or error}", "give a file that may be written here"
            ) from None
        try:
            _lock(descriptor, path)
            # It may have been replaced between the two, by whoever held it.
            with suppress(FileNotFoundError):
                if os.path.samestat(path.stat(), os.fstat(descriptor)):
                    return descriptor
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _lock(descriptor: int, path: Path) -> None:
    if sys.platform == "win32":
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UnreadableError(
            f"another scan writes {path}", "wait for it, or give another file: --journal FILE"
        ) from None
    except OSError:  # a file system without locks
        return
