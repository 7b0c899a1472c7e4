"""Decompressing what others compressed, within bounds: of memory, and of what a few bytes may become."""

import errno
import io
import mmap
import os
import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from importlib import import_module
from types import ModuleType
from typing import IO, Any, cast
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
# What decompressing LZMA may take of memory.
_MOST_OF_LZMA = 1 << 28


class Budget:
    """How many bytes one file may still become."""

    def __init__(self, most: int | None = None) -> None:
        self.most = self.left = MOST if most is None else most

    def spend(self, size: int) -> None:
        """Take `size` bytes off; raise ValueError when there are not that many."""
        self.left -= size
        if self.left < 0:
            raise ValueError(f"becomes more than {self.most} bytes when decompressed, which is not read")


class _Reader(io.RawIOBase):
    """Bytes in memory, or mapped, as a file: none of them is copied before it is asked for."""

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self._place = 0

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def readinto(self, into: Any, /) -> int:
        part = self._data[self._place : self._place + len(into)]
        into[: len(part)] = part
        self._place += len(part)
        return len(part)

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        begin = {os.SEEK_SET: 0, os.SEEK_CUR: self._place, os.SEEK_END: len(self._data)}[whence]
        if begin + offset < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))  # as a file would
        self._place = begin + offset
        return self._place


@contextmanager
def opened(data: Buffer) -> Iterator[IO[bytes]]:
    """Open `data` as a file for the length of a block, without copying it."""
    with memoryview(data) as view, io.BufferedReader(_Reader(view), _CHUNK) as stream:
        yield cast("IO[bytes]", stream)


class _Unpacking(io.RawIOBase):
    """What a stream is when it is decompressed, by as many of the `made` decompressors as there are streams in a row.

    What follows the last one and is no stream is an error, not passed over: somebody may read it.
    """

    def __init__(self, stream: IO[bytes], made: Callable[[], Any], begins: bytes) -> None:
        self._stream = stream
        self._made = made
        self._begins = begins
        self._unpacker = made()
        self._waiting = b""

    def readable(self) -> bool:
        return True

    def readinto(self, into: Any, /) -> int:
        while True:
            if self._unpacker.eof and not self._next():
                return 0
            fed = self._waiting
            if not fed and getattr(self._unpacker, "needs_input", True):
                fed = self._stream.read(_CHUNK)
                if not fed:
                    raise EOFError("the compressed data is cut short")
            made = self._unpacker.decompress(fed, len(into))
            self._waiting = getattr(self._unpacker, "unconsumed_tail", b"")
            if made:
                into[: len(made)] = made
                return len(made)

    def _next(self) -> bool:
        """Begin with the stream behind the one that has ended, if there is one."""
        rest = self._unpacker.unused_data or self._stream.read(_CHUNK)
        while rest and not rest.strip(b"\0"):
            rest = self._stream.read(_CHUNK)
        if not rest:
            return False
        if not (self._begins and rest.startswith(self._begins)):
            raise ValueError("other bytes follow the compressed data")
        self._unpacker, self._waiting = self._made(), rest
        return True


@contextmanager
def decompressor(form: str, stream: IO[bytes]) -> Iterator[IO[bytes]]:
    """Open a compressed stream for reading."""
    module = cast("Any", compression(form))
    if form == "gzip":
        with module.open(stream) as plain:
            yield plain
        return
    made: Callable[[], Any]
    if form == "zlib":
        made, begins = module.decompressobj, b""
    elif form == "bz2":
        made, begins = module.BZ2Decompressor, b"BZh"
    else:
        # A dictionary of gigabytes is asked for in five bytes.
        kind = module.FORMAT_ALONE if form == "lzma" else module.FORMAT_XZ
        made, begins = partial(module.LZMADecompressor, kind, memlimit=_MOST_OF_LZMA), b"\xfd7zXZ\0"
    with io.BufferedReader(_Unpacking(stream, made, begins), _CHUNK) as plain:
        yield cast("IO[bytes]", plain)


def compression(form: str) -> ModuleType:
    """Return the module that compresses and decompresses `form`; ValueError where this Python has none."""
    name = {"gzip": "gzip", "bz2": "bz2", "xz": "lzma", "lzma": "lzma", "zlib": "zlib"}[form]
    try:
        return import_module(name)
    except ImportError:
        raise ValueError(f"this Python is built without {name}") from None


@contextmanager
def expanded(stream: IO[bytes], budget: Budget, promising: Callable[[bytes], bool]) -> Iterator[Buffer | None]:
    """Read a stream to its end.

    None where there is more than stays in memory, and the beginning is not `promising`.
    """
    begun = stream.read(_IN_MEMORY)
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
