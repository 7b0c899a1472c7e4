"""Archives: what zip files and arrays of numpy hold."""

import re
from collections.abc import Iterator
from typing import IO
from zipfile import ZipFile, ZipInfo

from extreg.pickles.walking.opcodes import Buffer

# What may hold any bytes, in a header: bytes, texts and small integers, by themselves or as fields of records.
_BYTES = re.compile(rb"'[|<>=]?(?:[SaVU]\d+|[ub]1|i1)'")
_OBJECTS = re.compile(rb"'[|<>=]?O\d*'")
# The longest header of an array that is looked at.
_HEADER = 1 << 16


def members(stream: IO[bytes]) -> Iterator[tuple[ZipFile, ZipInfo]]:
    """Yield what is in a zip file, but for folders, and the bytes of tensors in torch's archives."""
    with ZipFile(stream) as packed:
        names = {info.filename for info in packed.infolist()}
        for info in packed.infolist():
            if not info.is_dir() and not _is_storage(info.filename, names):
                yield packed, info


def _is_storage(name: str, names: set[str]) -> bool:
    """Tell whether a member of a zip file is the bytes of a tensor, which may begin as a pickle does.

    torch calls them ``ROOT/data/NUMBER``, beside ``ROOT/data.pkl`` and ``ROOT/version`` (caffe2/serialize).
    """
    folder, _, number = name.rpartition("/")
    if not number.isdecimal() or folder.rpartition("/")[2] != "data":
        return False
    return f"{folder}.pkl" in names and f"{folder[: -len('data')]}version" in names


def objects_from(data: Buffer) -> int | None:
    """Return where the pickle in an array of objects begins, None for other arrays (numpy/lib/format.py)."""
    width = 2 if data[6] == 1 else 4
    length = int.from_bytes(bytes(data[8 : 8 + width]), "little")
    header = bytes(data[8 + width : 8 + width + min(length, 1 << 20)])
    return 8 + width + length if _OBJECTS.search(header) else None


def may_hold_bytes(data: Buffer) -> bool:
    """Tell whether an array, which is none of objects, may hold pickles all the same: numbers do not."""
    return _BYTES.search(bytes(data[:_HEADER])) is not None
