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

from extreg.pickles.kinds import AS_TEXT, UNKNOWN, kind_of, may_be_text, slices
from extreg.pickles.walking.opcodes import Buffer
from extreg.pickles.walking.sniff import may_begin, plausible
from extreg.stores.bounded import BROKEN, Budget, decompressor, expanded, opened
from extreg.stores.databases import Value, cells, values
from extreg.stores.files import Found

Form = Literal["pickle", "gzip", "bz2", "xz", "zip", "npy", "sqlite", "gdbm"]

_MAGIC: tuple[tuple[bytes, Form], ...] = (
    (b"\x1f\x8b\x08", "gzip"),
    (b"BZh", "bz2"),
    (b"\xfd7zXZ\x00", "xz"),
    (b"PK\x03\x04", "zip"),
    (b"PK\x05\x06", "zip"),  # an empty one
    (b"\x93NUMPY", "npy"),
    (b"SQLite format 3\x00", "sqlite"),
    # The numbers that dbm.whichdb knows, in this machine's order of bytes: no other is opened.
    *((number.to_bytes(4, sys.byteorder), "gdbm") for number in (0x13579ACD, 0x13579ACE, 0x13579ACF)),
)
_HEAD = 16
# Up to this size a file is read and not mapped: what is read stays, however short the file becomes.
READ_WHOLE = 1 << 24
# The longest header of an array that is looked at.
_HEADER = 1 << 16
# What may hold any bytes, in a header: bytes, texts and small integers, by themselves or as fields of records.
_BYTES = re.compile(rb"'[|<>=]?(?:[SaVU]\d+|[ub]1|i1)'")
# What is opened to see what is in it.
_OPENED = {"gzip", "bz2", "xz", "zip"}
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


class Passed(NamedTuple):
    """Bytes that may hold pickles and are not read, in a ``member`` of a file or the file, and of what ``kind``."""

    member: str
    kind: str


Item = Blob | Fault | Passed


def contents(found: Found) -> Iterator[Item]:
    """Yield the rows of pickles in a file, what keeps others from being read, and what nobody here understands.

    Nothing for what is known to hold none.
    """
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


def parts(data: Buffer) -> Iterator[bytes]:
    """Yield `data` piece by piece; of a file that is mapped no more than one stays in memory."""
    for piece in slices(data):
        yield piece
        release(data)


def release(data: Buffer) -> None:
    """Let what was read of a file that is mapped go out of memory."""
    if isinstance(data, mmap.mmap) and hasattr(mmap, "MADV_DONTNEED"):
        data.madvise(mmap.MADV_DONTNEED)


def _other(data: Buffer, member: str) -> Iterator[Passed]:
    """Yield what is wrong with taking bytes, in which no pickle begins, for ones that hold none."""
    kind = kind_of(data, parts)
    if kind is not None:
        yield Passed(member, kind)


def _file(path: Path) -> Iterator[Item]:
    with path.open("rb") as file:
        form = form_of(file.read(_HEAD))
        if form in {"sqlite", "gdbm"}:
            yield from _values(cells(path) if form == "sqlite" else values(path, "dbm.gnu"))
            return
        file.seek(0)
        with mapped_file(file) as data:
            yield from _within(data, "", file, 0, Budget())


def _values(values: "Iterator[Value | str]") -> Iterator[Item]:
    """Yield what pickles are among the values of a database, and what else; archives there are not read."""
    for value in values:
        if isinstance(value, str):
            yield Fault("", value)
            continue
        member, data, readable = value
        if form_of(data[:_HEAD]) != "pickle" or not plausible(data):
            yield from _other(data, member)
        elif readable:
            yield Blob(member, data)
        else:
            yield Passed(member, AS_TEXT)


def _within(data: Buffer, member: str, file: IO[bytes] | None, depth: int, budget: Budget) -> Iterator[Item]:
    """Yield the rows of pickles in `data`, which is what `file` holds if there is one."""
    form = form_of(data[:_HEAD])
    if form == "pickle" and plausible(data):
        yield Blob(member, data)
    elif form == "npy":
        yield from _array(data, member)
    elif form in _OPENED:
        if depth == _DEEPEST:
            yield Fault(member, f"archives within archives, more than {_DEEPEST} deep")
        elif form == "zip":
            with opened(data, file) as stream:
                yield from _members(stream, member, depth, budget)
        else:
            with opened(data, file) as stream:
                yield from _compressed(form, stream, member, depth, budget)
    else:
        yield from _other(data, member)


def _compressed(form: str, stream: IO[bytes], member: str, depth: int, budget: Budget) -> Iterator[Item]:
    with decompressor(form, stream) as plain:
        yield from _stream(plain, member, depth, budget)


def _stream(plain: IO[bytes], member: str, depth: int, budget: Budget) -> Iterator[Item]:
    """Yield what is in a decompressed stream, read as far as it takes to know that."""
    try:
        with expanded(b"", plain, budget, _promising) as data:
            if data is not None:
                yield from _within(data, member, None, depth + 1, budget)
            else:
                yield Passed(member, UNKNOWN)
    except BROKEN as error:
        yield Fault(member, describe(error))


def _promising(begun: bytes) -> bool:
    """Tell whether the rest of what has `begun` so has to be read as well."""
    form = form_of(begun)
    if form == "npy":
        return _objects_from(begun) is not None
    return form in _OPENED or (form == "pickle" and plausible(begun)) or may_be_text(begun)


def _members(stream: IO[bytes], archive: str, depth: int, budget: Budget) -> Iterator[Item]:
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


def _array(data: Buffer, member: str) -> Iterator[Item]:
    """Yield the pickle behind the header of an array of objects; numbers are none, but bytes and texts may be."""
    start = _objects_from(data)
    if start is not None:
        with memoryview(data) as view, view[start:] as payload:
            yield Blob(member, payload)
    elif _BYTES.search(bytes(data[:_HEADER])):
        yield Passed(member, "arrays of bytes or text")


def _objects_from(data: Buffer) -> int | None:
    """Return where the pickle in an array of objects begins, None for other arrays (numpy/lib/format.py)."""
    width = 2 if data[6] == 1 else 4
    length = int.from_bytes(bytes(data[8 : 8 + width]), "little")
    header = bytes(data[8 + width : 8 + width + min(length, 1 << 20)])
    return 8 + width + length if _OBJECTS.search(header) else None
