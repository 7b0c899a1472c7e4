"""Files as bytes in memory: small ones read, large ones mapped, so that one of any size takes no memory."""

import mmap
import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from extreg.pickles.kinds import slices
from extreg.pickles.walking.opcodes import Buffer

# Up to this size a file is read and not mapped: what is read stays, however short the file becomes.
READ_WHOLE = 1 << 24


@contextmanager
def mapped(path: Path) -> Iterator[Buffer]:
    """Map the file at `path` for the length of a block; bytes where it is not large or cannot be mapped."""
    with path.open("rb") as file, mapped_file(file) as data:
        yield data


@contextmanager
def mapped_file(file: IO[bytes]) -> Iterator[Buffer]:
    """Map an open file for the length of a block; one that is not large is read."""
    if os.fstat(file.fileno()).st_size <= READ_WHOLE:
        yield file.read()
        return
    try:
        data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (ValueError, OSError):  # empty, or on a file system that maps nothing
        yield file.read()
        return
    try:
        yield data
    finally:
        with suppress(BufferError):  # a view that somebody keeps goes with it
            data.close()


def pieces(data: Buffer) -> Iterator[bytes]:
    """Yield `data` piece by piece; of a file that is mapped no more than one stays in memory."""
    for piece in slices(data):
        yield piece
        release(data)


def release(data: Buffer) -> None:
    """Let what was read of a file that is mapped go out of memory."""
    if isinstance(data, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        data.madvise(mmap.MADV_DONTNEED)
