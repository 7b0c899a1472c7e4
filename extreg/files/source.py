"""Reading registry files from disk, with errors that say which file and why."""

import os
from pathlib import Path

from extreg.errors import Problem, RegistryError
from extreg.text.document import Document


def read_text(path: "str | os.PathLike[str]") -> str:
    """Return the text of the file at `path`, line ends as they are.

    Raises OSError when it cannot be read and `RegistryError` when it is not UTF-8.
    """
    raw = Path(path).read_bytes()
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        message = f"not UTF-8: byte 0x{raw[error.start]:02x} at column {column}"
        problem = Problem("", message, "save the file as UTF-8", path=os.fspath(path), line=line)
        raise RegistryError((problem,)) from None
    if text.startswith("\ufeff"):
        message = "starts with a byte order mark, which TOML does not allow"
        problem = Problem("", message, "save the file as UTF-8 without BOM", path=os.fspath(path), line=1)
        raise RegistryError((problem,))
    return text


def read_document(path: "str | os.PathLike[str]") -> Document:
    """Return the document in the file at `path`; raise OSError or `RegistryError` when there is no text to read."""
    return Document.read(read_text(path), path=os.fspath(path))
