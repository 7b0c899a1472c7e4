"""Decompressing what others compressed, within bounds: of memory, and of what a few bytes may become."""

import io
import mmap
import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from importlib import import_module
from types import ModuleType
from typing import IO, cast
from zipfile import BadZipFile

from extreg.pickles.walking.opcodes import Buffer


def _broken() -> tuple[type[Exception], ...]:
    """Return what reading a broken file raises: the modules have errors of their own, and raise others' besides."""
    found: list[type[Exception]] = [OSError, EOFError, ValueError, KeyError, IndexError, OverflowError]
    found += [MemoryError, struct.error]
    # An encrypted member of a zip file; one that is compressed in an unknown way raises NotImplementedError, which is
    # a RuntimeError too.
    found += [RuntimeError, BadZipFile]
    for module, name in (("zlib", "error"), ("lzma", "LZMAError"), ("sqlite3", "Error")):
        with suppress(ImportError):  # a Python may be built without them
            found.append(getattr(import_module(module), name))
    return tuple(found)


BROKEN = _broken()

# What one file may become when it is decompressed, with all its members: 4 GiB.
MOST = 1 << 32
# How much of it stays in memory; a temporary file takes what is more.
_IN_MEMORY = 1 << 25
_CHUNK = 1 << 20


class Budget:
    """How many bytes one file may still become."""

    def __init__(self) -> None:
        self.left = MOST

    def spend(self, size: int) -> None:
        """Take `size` bytes off; raise ValueError when there are not that many."""
        self.left -= size
        if self.left < 0:
            raise ValueError(f"becomes more than {MOST} bytes when decompressed, which is not read")


@contextmanager
def opened(data: Buffer, file: IO[bytes] | None) -> Iterator[IO[bytes]]:
    """Open `data` as a file; it is what `file` holds, if there is one."""
    if file is not None:
        file.seek(0)
        yield file
    else:
        with io.BytesIO(data) as stream:
            yield stream


@contextmanager
def decompressor(form: str, stream: IO[bytes]) -> Iterator[IO[bytes]]:
    """Open a compressed stream for reading."""
    with cast("IO[bytes]", compression(form).open(stream)) as plain:
        yield plain


def compression(form: str) -> ModuleType:
    """Return the module that compresses and decompresses `form`; ValueError where this Python has none."""
    name = {"gzip": "gzip", "bz2": "bz2", "xz": "lzma"}[form]
    try:
        return import_module(name)
    except ImportError:
        raise ValueError(f"this Python is built without {name}") from None


@contextmanager
def expanded(
    head: bytes, stream: IO[bytes], budget: Budget, promising: Callable[[bytes], bool]
) -> Iterator[Buffer | None]:
    """Read a stream, whose `head` was read already, to its end.

    None where there is more than stays in memory, and the beginning is not `promising`.
    """
    begun = head + stream.read(_IN_MEMORY - len(head))
    budget.spend(len(begun))
    if len(begun) < _IN_MEMORY:
        yield begun
    elif not promising(begun):
        yield None
    else:
        with tempfile.TemporaryFile() as file:
            file.write(begun)
            del begun
            while chunk := stream.read(_CHUNK):
                budget.spend(len(chunk))
                file.write(chunk)
            file.flush()
            data = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            try:
                yield data
            finally:
                with suppress(BufferError):
                    data.close()
