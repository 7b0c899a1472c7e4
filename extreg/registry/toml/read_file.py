"""Reading registry files from disk, with errors that say which file and why."""

import os

from extreg.archives import read
from extreg.errors import Problem, RegistryError, UnreadableError


def read_text(path: "str | os.PathLike[str]") -> str:
    """Return the text of the file at `path`, which may be in a zip archive, line ends as they are.

    Raises OSError when it cannot be read and `RegistryError` when it is not UTF-8.
    """
    return decode(read(path), os.fspath(path))


def decode(raw: bytes, path: str) -> str:
    """Return the bytes of a registry file as text; raise `RegistryError` when they are not plain UTF-8."""
    try:
        text = raw.decode()
    except UnicodeDecodeError as error:
        line = raw.count(b"\n", 0, error.start) + 1
        column = error.start - raw.rfind(b"\n", 0, error.start)
        message = f"not UTF-8: byte 0x{raw[error.start]:02x} at column {column}"
        raise RegistryError((Problem("", message, "save the file as UTF-8", path, line),)) from None
    if text.startswith("\ufeff"):
        message = "starts with a byte order mark, which TOML does not allow"
        raise RegistryError((Problem("", message, "save the file as UTF-8 without BOM", path, 1),))
    return text


def _instead(path: "str | os.PathLike[str]", error: OSError) -> str:
    if isinstance(error, FileNotFoundError):
        return "extreg init writes a new one"
    if isinstance(error, IsADirectoryError):
        return f"that is a folder, where a registry file is expected: {os.fspath(path)}{os.sep}registry.toml"
    return ""


def read_source(path: "str | os.PathLike[str]", *, shown: "str | None" = None) -> str:
    """Return the text of the registry file at `path`, which messages call `shown`.

    Raises `UnreadableError` when there is no such file and `RegistryError` when it is not text.
    """
    name = shown or os.fspath(path)
    try:
        return decode(read(path), name)
    except OSError as error:
        raise UnreadableError(f"cannot read {name}: {error.strerror}", _instead(name, error)) from None
