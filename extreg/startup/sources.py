"""Which registry file is meant, and what it says: out of the cache where that holds the very same bytes, else parsed.

The cache is to registry.toml what .pyc is to .py: one file in ``__pycache__`` (or below ``PYTHONPYCACHEPREFIX``) that
holds, for the file and each one it includes, the complete source bytes and the rows they mean.  An entry counts only
if its source equals the file as just read, byte for byte, so no change can go unnoticed, whatever clocks and sizes say.
It is marshal and not pickle, its checksum is compared before it is decoded, and its header names the exact extreg and
Python.  What it says beyond that is trusted as far as a .pyc is; a file that other users could have written is not.
"""

import os
import sys
from marshal import loads

from extreg.startup import Rows, __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

    Entry = tuple[bytes, dict[tuple[str, str], int], dict[int, tuple[str, str]], dict[int, tuple[str, str]], Any, Any]

NAME = "registry.toml"
VARIABLE = "EXTREG_REGISTRY"
HEADER = f"extreg cache 1\nextreg {__version__}\npython {sys.version}\n".encode()
CHECKSUM = 8  # bytes


def find(source: "str | os.PathLike[str] | None", caller: "Mapping[str, object]") -> str:
    """Return the absolute path of the registry file that `source` means.

    A path-like, or a string with a path separator or the ending ``.toml``, is a path (of the file, or of its folder);
    any other string is the name of a package, which is searched for without being imported.  Without a source:
    ``$EXTREG_REGISTRY``, else the nearest registry.toml upward from the file of the `caller` (its globals), else
    upward from the working directory.  Raises `ExtregError` when there is none.
    """
    if source is None:
        source = os.environ.get(VARIABLE) or None
    if source is None:
        return _nearest(caller)
    name = os.fspath(source)
    if name is not source or _is_path(name):
        return os.path.abspath(os.path.join(name, NAME) if os.path.isdir(name) else name)
    from extreg.startup.packages import package_registry

    try:
        return package_registry(name)
    except LookupError as missing:
        from extreg.errors import UnreadableError

        raise UnreadableError(*missing.args) from None


def upward(folder: str) -> "str | None":
    """Return the path of the nearest registry.toml in `folder` or above it, or None."""
    folder = os.path.abspath(folder)
    while True:
        path = os.path.join(folder, NAME)
        if os.path.isfile(path):
            return path
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


def _nearest(caller: "Mapping[str, object]") -> str:
    file = caller.get("__file__")
    starts = [os.path.dirname(os.path.abspath(file))] if isinstance(file, str) else []
    starts.append(os.getcwd())
    for start in starts:
        path = upward(start)
        if path is not None:
            return path
    from extreg.errors import UnreadableError

    raise UnreadableError(
        f"no {NAME} found upward from {' or '.join(starts)}",
        f"write one with `extreg init`, or name it: extreg.install(PATH) or {VARIABLE}=PATH",
    )


def _is_path(name: str) -> bool:
    separators = (os.sep, os.altsep or os.sep)
    return name.endswith(".toml") or any(mark in name for mark in separators)


def read(path: str) -> "tuple[Rows, ...]":
    """Return the rows of the registry file at `path` and of the packages it includes, each file once, its own first.

    Raises `RegistryError`, or `UnreadableError` when a file or an included package is not there.
    """
    entries = load_cache(path)
    layers, sources, known = read_through(path, entries)
    if not known == len(layers) == len(entries):
        from extreg.startup import cold

        cold.write_cache(path, sources, layers)
    return layers


def read_through(path: str, entries: "list[Entry]") -> "tuple[tuple[Rows, ...], list[bytes], int]":
    """Return the rows as `read` does, their sources, and how many of them the cache `entries` held."""
    sources: list[bytes] = []
    known = 0

    def rows_of_file(file: str) -> Rows:
        nonlocal known
        position = len(sources)
        sources.append(source(file))
        if position < len(entries) and entries[position][0] == sources[position]:
            known += 1
            return _rows(file, entries[position])
        from extreg.startup import cold

        return cold.parse(sources[position], file)

    return with_included(rows_of_file(path), path, rows_of_file), sources, known


def with_included(own: Rows, path: str, rows_of_file: "Any") -> "tuple[Rows, ...]":
    """Return `own` and the rows of all that it includes: breadth first, cycles and diamonds cut."""
    if not own.rest["include"]:
        return (own,)
    found = [own]
    seen = {os.path.realpath(path)}
    for rows in found:  # which grows while it is walked
        for package in rows.rest["include"]:
            file = _located(package, rows.path)
            real = os.path.realpath(file)
            if real not in seen:
                seen.add(real)
                found.append(rows_of_file(file))
    return tuple(found)


def source(path: str) -> bytes:
    """Return the bytes of the file at `path`; raise `UnreadableError`."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError as error:
        from extreg.errors import UnreadableError

        raise UnreadableError(f"cannot read {path}: {error.strerror}", "`extreg init` writes a new one") from None


def cache_path(path: str) -> "str | None":
    """Return where the cache of the registry file at `path` is, as Python places bytecode; None without bytecode."""
    if not sys.implementation.cache_tag:
        return None
    import _frozen_importlib_external as importlib_external  # importlib.util has it too, but is not loaded yet

    bytecode: str = importlib_external.cache_from_source(path, optimization="")
    return f"{bytecode[: -len('.pyc')]}.extreg"


def checksum(payload: bytes) -> bytes:
    """Return a checksum of `payload` that tells accidents, not malice: SipHash, as hash-based .pyc files have it."""
    import _imp

    return _imp.source_hash(0x65787472, payload)


def load_cache(path: str) -> "list[Entry]":
    """Return the entries in the cache of the registry file at `path`; none where it is missing or not to be trusted."""
    place = cache_path(path)
    try:
        with open(place, "rb", 0) as file:  # type: ignore[arg-type]  # None raises TypeError
            if not _ours(os.fstat(file.fileno())):
                return []
            data = file.read()
    except (OSError, TypeError):
        return []
    start = len(HEADER) + CHECKSUM
    if data[: len(HEADER)] != HEADER:
        return []
    payload = data[start:]
    if data[len(HEADER) : start] != checksum(payload):
        return []
    entries: list[Entry] = loads(payload)  # noqa: S302 - our own, by owner, header and checksum
    return entries


def _ours(status: os.stat_result) -> bool:
    """Whether no other user than root could have written the file."""
    return not hasattr(os, "geteuid") or (status.st_uid in (0, os.geteuid()) and not status.st_mode & 0o022)


def _rows(path: str, entry: "Entry") -> Rows:
    _, live, load_only, retired, reducers, rest = entry
    inverted = dict(zip(live.values(), live))  # noqa: B905 - two views of one dictionary
    inverted.update(load_only)
    return Rows(path, live, inverted, retired, reducers, rest)


def _located(package: str, including: str) -> str:
    from extreg.startup.packages import package_registry

    try:
        return package_registry(package)
    except LookupError as missing:
        from extreg.errors import UnreadableError

        raise UnreadableError(f"{including}: include: {missing.args[0]}", missing.args[1]) from None
