"""Opening what holds pickles: one file in, the rows of pickles in it out.  Nothing is executed, nothing is written.

What a file is, its first bytes say, not its name.  A plain file is mapped, so that one of any size takes no memory;
what has to be decompressed and is large goes through a nameless temporary file.
"""

import mmap
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Literal, NamedTuple
from zipfile import ZipFile

from extreg.files.bounded import BROKEN, Budget, decompressor, expanded, opened
from extreg.files.databases import cells, values
from extreg.files.found import Found
from extreg.pickles.opcodes import Buffer
from extreg.pickles.sniff import may_begin, plausible

Form = Literal["pickle", "gzip", "bz2", "xz", "zip", "npy", "sqlite", "gdbm"]

_MAGIC: tuple[tuple[bytes, Form], ...] = (
    (b"\x1f\x8b\x08", "gzip"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"PK\x03\x04", "zip"),
    (b"\x93NUMPY", "npy"),
    (b"SQLite format 3\x00", "sqlite"),
    # The numbers that dbm.whichdb knows, in this machine's order of bytes: no other is opened.
    *((number.to_bytes(4, sys.byteorder), "gdbm") for number in (0x13579ACD, 0x13579ACE, 0x13579ACF)),
)
_HEAD = 16
_SMALL = 1 << 16
_OBJECTS = re.compile(rb"'[|<>=]?O\d*'")
# Archives within archives, further in than anybody packs them.
_DEEPEST = 4


class Blob(NamedTuple):
    """Bytes that begin with a pickle; ``member`` says where in the file, and is empty for the file itself.

    The bytes are valid until the next one is asked for.
    """

    member: str
    data: Buffer


class Fault(NamedTuple):
    """Why a ``member`` of a file, or the file, could not be read, in whole or in part."""

    member: str
    message: str


def contents(found: Found) -> Iterator[Blob | Fault]:
    """Yield the rows of pickles in a file, and what keeps others from being read; nothing for what holds none."""
    if found.problem is not None:
        yield Fault("", found.problem)
        return
    try:
        if found.database is not None:
            yield from _values(values(found.path, found.database))
        else:
            yield from _file(found.path)
    except BROKEN as error:
        yield Fault("", describe(error))


def describe(error: Exception) -> str:
    """Return what an exception says, in one line that is never empty."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()) or type(error).__name__


def form_of(head: Buffer) -> Form | None:
    """Return what begins with the bytes `head`, or None for what holds no pickles."""
    for magic, form in _MAGIC:
        if bytes(head[: len(magic)]) == magic:
            return form
    return "pickle" if len(head) and may_begin(head[0]) else None


@contextmanager
def mapped(path: Path) -> Iterator[Buffer]:
    """Map the file at `path` for the length of a block; bytes where it is small or cannot be mapped."""
    with path.open("rb") as file, mapped_file(file) as data:
        yield data


@contextmanager
def mapped_file(file: IO[bytes]) -> Iterator[Buffer]:
    """Map an open file for the length of a block; a small one is read, which is faster."""
    if os.fstat(file.fileno()).st_size <= _SMALL:
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


def _file(path: Path) -> Iterator[Blob | Fault]:
    with path.open("rb") as file:
        form = form_of(file.read(_HEAD))
        if form is None:
            return
        if form in {"sqlite", "gdbm"}:
            yield from _values(cells(path) if form == "sqlite" else values(path, "dbm.gnu"))
            return
        file.seek(0)
        with mapped_file(file) as data:
            yield from _within(data, "", file, 0, Budget())


def _values(values: "Iterator[tuple[str, bytes] | str]") -> Iterator[Blob | Fault]:
    """Yield what pickles are among the values of a database, whose members may be archives themselves."""
    for value in values:
        if isinstance(value, str):
            yield Fault("", value)
            continue
        member, data = value
        if form_of(data[:_HEAD]) == "pickle" and plausible(data):
            yield Blob(member, data)


def _within(data: Buffer, member: str, file: IO[bytes] | None, depth: int, budget: Budget) -> Iterator[Blob | Fault]:
    """Yield the rows of pickles in `data`, which is what `file` holds if there is one."""
    form = form_of(data[:_HEAD])
    if form == "pickle":
        if plausible(data):
            yield Blob(member, data)
    elif form == "npy":
        yield from _array(data, member)
    elif form is not None and form not in {"sqlite", "gdbm"}:
        if depth == _DEEPEST:
            yield Fault(member, f"archives within archives, more than {_DEEPEST} deep")
        elif form == "zip":
            with opened(data, file) as stream:
                yield from _members(stream, member, depth, budget)
        else:
            with opened(data, file) as stream:
                yield from _compressed(form, stream, member, depth, budget)


def _compressed(form: str, stream: IO[bytes], member: str, depth: int, budget: Budget) -> Iterator[Blob | Fault]:
    with decompressor(form, stream) as plain:
        yield from _stream(plain, member, depth, budget)


def _stream(plain: IO[bytes], member: str, depth: int, budget: Budget) -> Iterator[Blob | Fault]:
    """Yield what is in a decompressed stream, if its first bytes promise anything."""
    try:
        head = plain.read(_HEAD)
        if form_of(head) is None:
            return
        with expanded(head, plain, budget, _promising) as data:
            if data is not None:
                yield from _within(data, member, None, depth + 1, budget)
    except BROKEN as error:
        yield Fault(member, describe(error))


def _promising(begun: bytes) -> bool:
    form = form_of(begun)
    return plausible(begun) if form == "pickle" else form != "npy" or _objects_from(begun) is not None


def _members(stream: IO[bytes], archive: str, depth: int, budget: Budget) -> Iterator[Blob | Fault]:
    with ZipFile(stream) as packed:
        names = {info.filename for info in packed.infolist()}
        for info in packed.infolist():
            if info.is_dir() or _is_storage(info.filename, names):
                continue
            member = f"{archive}::{info.filename}" if archive else info.filename
            try:
                plain = packed.open(info)
            except BROKEN as error:  # encrypted, or in a way that nobody here decompresses
                yield Fault(member, describe(error))
                continue
            with plain:
                yield from _stream(plain, member, depth, budget)


def _is_storage(name: str, names: set[str]) -> bool:
    """Tell whether a member of a zip file is the bytes of a tensor, which may begin as a pickle does.

    torch calls them ``ROOT/data/NUMBER``, beside ``ROOT/data.pkl`` and ``ROOT/version`` (caffe2/serialize).
    """
    folder, _, number = name.rpartition("/")
    if not number.isdecimal() or folder.rpartition("/")[2] != "data":
        return False
    return f"{folder}.pkl" in names and f"{folder[: -len('data')]}version" in names


def _array(data: Buffer, member: str) -> Iterator[Blob]:
    """Yield the pickle behind the header of an array of objects."""
    start = _objects_from(data)
    if start is not None:
        with memoryview(data) as view, view[start:] as payload:
            yield Blob(member, payload)


def _objects_from(data: Buffer) -> int | None:
    """Return where the pickle in an array of objects begins, None for other arrays (numpy/lib/format.py)."""
    width = 2 if data[6] == 1 else 4
    length = int.from_bytes(bytes(data[8 : 8 + width]), "little")
    header = bytes(data[8 + width : 8 + width + min(length, 1 << 20)])
    return 8 + width + length if _OBJECTS.search(header) else None
