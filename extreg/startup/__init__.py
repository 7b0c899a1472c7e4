"""Which registry file is meant, and what it says: out of the cache where that holds the very same bytes, else parsed.

The cache is to registry.toml what .pyc is to .py: one file in ``__pycache__`` (or below ``PYTHONPYCACHEPREFIX``) that
holds, for the file and each one it includes, the complete source bytes and the rows they mean.  An entry counts only
if its source equals the file as just read, byte for byte, so no change can go unnoticed, whatever clocks and sizes say.
It is marshal and not pickle, its checksum is compared before it is decoded, and its header names the exact extreg and
Python.  What it says beyond that is trusted as far as a .pyc is; a file that other users could have written is not.
"""

import os
import sys
from marshal import dumps, loads

from extreg.ledger import Rows, explaining

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from typing import Any

    from extreg.startup.cache import Cached

    Search = Callable[[], Sequence[str]]  # the folders to look for packages in; called when there is one to look for

__version__ = "0.2.0"

NAME = "registry.toml"
PYPROJECT = "pyproject.toml"
VARIABLE = "EXTREG_REGISTRY"
HEADER = f"extreg cache 2 {sys.byteorder}\nextreg {__version__}\npython {sys.version}\n".encode()
CHECKSUM = 8  # bytes
SPAN = {"first": int, "last": int, "allocate": str, "modules": tuple}
LARGEST = 1 << 30  # bytes; a million codes take a tenth of it
# Without waiting for whoever may write into a pipe in its place.
_READ = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0)


def find(source: "str | os.PathLike[str] | None", caller: "Mapping[str, object]") -> str:
    """Return the absolute path of the registry file that `source` means.

    Without a source: what ``$EXTREG_REGISTRY`` means; else what is found upward from the file of the `caller` (its
    globals), else upward from the working directory: see `named` and `upward`.  Code in an installed package looks in
    its own package only.  Raises `ExtregError` when there is none, and for a found one that may be a stranger's.
    """
    if source is None:
        name = os.environ.get(VARIABLE)
        return named(name, said=f"${VARIABLE}") if name else _nearest(caller)
    name = os.fspath(source)
    return named(name) if name is source else _file_at(name)


def named(name: str, base: str = "", search: "Search | None" = None, said: str = "") -> str:
    """Return the absolute path of the registry file that somebody means by `name`, and where it is `said`.

    With a path separator or the ending ``.toml`` it is a path (of the file, or of its folder) from the folder `base`;
    any other name is that of a package, which is searched for without being imported, in the folders that `search`
    returns: see `package_registry`.  Raises `UnreadableError` where there is no such package.
    """
    if is_path(name):
        return _file_at(os.path.join(base, name))
    try:
        return package_registry(name, search() if search is not None else None)
    except LookupError as missing:
        from extreg.errors import UnreadableError

        message, hint = missing.args
        raise UnreadableError(f"{said}: {message}" if said else message, hint) from None


def package_registry(package: str, search: "Sequence[str] | None" = None) -> str:
    """Return the path of the registry.toml in a `package`: see `extreg.startup.packages.package_file`."""
    from extreg.startup.packages import package_file

    return package_file(package, NAME, search)


def _file_at(path: str) -> str:
    return os.path.abspath(os.path.join(path, NAME) if _is_folder(path) else path)


def upward(
    folder: str,
    guide: "str | None",
    last: "str | None" = None,
    own: "str | None" = None,
    search: "Search | None" = None,
) -> "str | None":
    """Return the path of the registry that is meant in `folder`, or in the nearest one above, up to `last`; or None.

    In each folder that is what ``[tool.extreg] registry`` in pyproject.toml names (see `named`), else registry.toml; in
    what is installed, whose `last` folder is given, registry.toml alone.  Nobody named these files: raises
    `UnreadableError` where others than the effective user, root and the owner of the file or folder `guide` may have
    put them there, unless that is into the folder `own`; and for a pyproject.toml that cannot be read.
    """
    folder = os.path.abspath(folder)
    while True:
        path = os.path.join(folder, PYPROJECT)
        meant = configured(path, search) if last is None else None
        if meant is None:
            path = os.path.join(folder, NAME)
            meant = path if os.path.isfile(path) else None
        if meant is not None:
            if folder != own and not _is_plainly_ours(path, folder):
                from extreg.startup.strangers import refuse_strangers

                refuse_strangers(path, guide, meant)
            return meant
        above = os.path.dirname(folder)
        if folder in (above, last):
            return None
        folder = above


def configured(pyproject: str, search: "Search | None" = None) -> "str | None":
    """Return the path of the registry that `setting` in the file `pyproject` means, from its folder; or None."""
    value = setting(pyproject)
    if value is None:
        return None
    return named(value, os.path.dirname(pyproject), search, f"{pyproject}: tool.extreg.registry")


def setting(pyproject: str) -> "str | None":
    """Return what ``[tool.extreg] registry`` says in the file `pyproject`, or None.

    The file is parsed only where its bytes could say so, and what it says is cached as a registry is.  Raises
    `UnreadableError` for a file that cannot be read, is not TOML, or says it in a wrong way.
    """
    text = _if_there(pyproject)
    if not (b"extreg" in text and b"registry" in text):
        return None
    ours = _is_plainly_ours(pyproject, os.path.dirname(pyproject))
    known = load_cache(pyproject, _is_setting) if ours else []
    if not known or known[0] != text:
        from extreg.startup.pyproject import registry_setting

        known = [text, registry_setting(text, pyproject)]
        if ours:
            _keep(pyproject, known)
    value: str | None = known[1]
    return value


def _if_there(path: str) -> bytes:
    """Return the bytes of the file at `path`, none where there is no such file; raise `UnreadableError`."""
    try:
        descriptor = os.open(path, _READ)
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return b""
    except OSError as error:
        if not os.path.lexists(path):  # a folder that may not be searched: nor may its registry.toml be seen
            return b""
        from extreg.errors import UnreadableError

        raise UnreadableError(
            f"cannot read {path}, which may say where the registry is: {error.strerror}",
            f"name the registry: extreg.install(PATH), {VARIABLE}=PATH, or --registry PATH on the command line",
        ) from None
    try:
        status = os.fstat(descriptor)
        return os.read(descriptor, status.st_size) if status.st_mode & 0o170000 == 0o100000 else b""
    finally:
        os.close(descriptor)


def _is_plainly_ours(path: str, folder: str) -> bool:
    """Whether it needs no second look to tell that only the user and root can have put a file into its `folder`."""
    status = os.lstat(path)
    return (
        hasattr(os, "geteuid")
        and status.st_mode & 0o170002 == 0o100000
        and status.st_uid in (0, os.geteuid())
        and not os.stat(folder).st_mode & 0o002
    )


def _nearest(caller: "Mapping[str, object]") -> str:
    file = caller.get("__file__")
    guide = os.path.abspath(file) if isinstance(file, str) else None
    archive = getattr(caller.get("__loader__"), "archive", None)  # zipimporter has it
    package = _installed(guide) if guide is not None else None
    if guide is not None and archive is not None:
        from extreg.archives import nearest

        try:
            return nearest(guide, os.path.abspath(archive), NAME, _here() if package is None else None, upward)
        except LookupError as missing:
            from extreg.errors import UnreadableError

            hint = f"name it: extreg.install(PACKAGE), extreg.install(PATH) or {VARIABLE}=PATH"
            raise UnreadableError(missing.args[0], hint) from None
    starts = [os.path.dirname(guide)] if guide is not None and package != "" else []
    path = upward(starts[0], guide, package) if starts else None
    if path is None and package is None and not (guide is not None and _is_recorded(guide)):
        starts += _here()
        path = upward(starts[-1], guide) if starts else None
    if path is not None:
        return path
    from extreg.errors import UnreadableError
    from extreg.startup.packages import nothing_found

    raise UnreadableError(*nothing_found(NAME, VARIABLE, starts, guide, package))


def _here() -> "list[str]":
    """Return the working directory, unless it is gone."""
    try:
        return [os.getcwd()]
    except OSError:
        return []


def _installed(file: str) -> "str | None":
    """Return the folder of the installed package that `file` is of; empty where it is of none, None if not installed.

    What is installed looks in itself: folders above it are another's, and so is the one that somebody happens to be in.
    """
    for name in ("site-packages", "dist-packages"):
        before, found, after = file.rpartition(f"{os.sep}{name}{os.sep}")
        if found:
            package, inside, _ = after.partition(os.sep)
            return f"{before}{found}{package}" if inside else ""
    return None


def _is_recorded(file: str) -> bool:
    from extreg.startup.packages import is_recorded

    return is_recorded(file)


def is_path(name: str) -> bool:
    """Whether a registry's `name` is a path, and not the name of a package."""
    separators = (os.sep, os.altsep or os.sep)
    return name.endswith(".toml") or any(mark in name for mark in separators)


def _is_folder(name: str) -> bool:
    if os.path.isdir(name):
        return True
    if name.endswith(".toml") or os.path.exists(name):
        return False
    from extreg.archives import holds

    return holds(os.path.join(os.path.abspath(name), NAME))


def read(path: str, former_names: "bool | None" = None) -> "tuple[Rows, ...]":
    """Return the rows of the registry file at `path` and of the packages it includes, each file once, its own first.

    They have a table of former names where these are wanted: `former_names` says so, or without it the file.  Raises
    `RegistryError`, or `UnreadableError` when a file or an included package is not there.
    """
    entries = load_entries(path)
    layers, sources, known = read_through(path, entries)
    if wants_former(layers, former_names) and any(rows.rest["former"] is None for rows in layers):
        from extreg.startup.former import fill

        known = fill(layers)
    if not known == len(layers) == len(entries):
        from extreg.startup.cache import entries as to_keep

        _keep(path, to_keep(sources, layers))
    return layers


def wants_former(layers: "tuple[Rows, ...]", former_names: "bool | None") -> bool:
    """Whether plain pickle is to find former names: as `former_names` says, else the file that was named itself."""
    return layers[0].rest["former-names"] if former_names is None else former_names


def read_through(
    path: str, entries: "list[Cached]", search: "Sequence[str] | None" = None
) -> "tuple[tuple[Rows, ...], list[bytes], int]":
    """Return the rows as `read` does, their sources, and how many of them the cache `entries` held.

    Included packages are looked for in `search`: see `package_registry`.
    """
    sources: list[bytes] = []
    known = 0

    def rows_of_file(file: str) -> Rows:
        nonlocal known
        position = len(sources)
        sources.append(source(file))
        if position < len(entries) and entries[position][0] == sources[position]:
            rows = _rows(file, entries[position])
            if rows is not None:
                known += 1
                return rows
        from extreg.startup.rows import parse

        return parse(sources[position], file)

    return with_included(rows_of_file(path), path, rows_of_file, search), sources, known


def with_included(
    own: Rows, path: str, rows_of_file: "Any", search: "Sequence[str] | None" = None
) -> "tuple[Rows, ...]":
    """Return `own` and the rows of all that it includes: breadth first, cycles and diamonds cut."""
    if not own.rest["include"]:
        return (own,)
    found = [own]
    seen = {os.path.realpath(path)}
    for rows in found:  # which grows while it is walked
        for package in rows.rest["include"]:
            file = _located(package, rows.path, search)
            real = os.path.realpath(file)
            if real not in seen:
                seen.add(real)
                found.append(rows_of_file(file))
    return tuple(found)


def source(path: str) -> bytes:
    """Return the bytes of the file at `path`, which may be in a zip archive; raise `UnreadableError`."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except (OSError, ValueError):
        pass
    from extreg.archives import read as read_through_archives

    try:
        return read_through_archives(path)
    except (OSError, ValueError) as error:  # the latter for a path with a null character
        from extreg.errors import UnreadableError

        reason = error.strerror if isinstance(error, OSError) else error
        raise UnreadableError(f"cannot read {path}: {reason}", "`extreg init` writes a new one") from None


def _keep(path: str, held: "list[Any]") -> None:
    """Write the cache of the file at `path` as an import writes bytecode: not when told not to, nor where it cannot."""
    if not sys.dont_write_bytecode:
        from extreg.startup.cache import write_quietly

        write_quietly(cache_path(path), sealed(held))


def sealed(held: "list[Any]") -> bytes:
    """Return the contents of a cache file that holds the marshallable `held`."""
    payload = dumps(held)
    return HEADER + checksum(payload) + payload


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


def load_cache(path: str, fits: "Callable[[list[Any]], bool]") -> "list[Any]":
    """Return what the cache of the file at `path` holds; nothing where that is missing, not to be trusted or unfit."""
    place = cache_path(path)
    if place is None:
        return []
    try:
        data = _trusted_bytes(place)
    except (OSError, ValueError):  # the latter for a path that no system has
        return []
    payload = data[CHECKSUM:]
    if data[:CHECKSUM] != checksum(payload):
        return []
    try:
        held = loads(payload)  # noqa: S302 - our own, by owner, header and checksum
    except Exception:  # noqa: BLE001 - marshal does not say what it raises, and any of it means the same
        return []
    return held if type(held) is list and fits(held) else []


def load_entries(path: str) -> "list[Cached]":
    """Return the entries in the cache of the registry file at `path`; none where it is missing or not to be trusted."""
    return load_cache(path, _are_cached)


def _trusted_bytes(place: str) -> bytes:
    """Return what follows the header in the cache file at `place`; nothing where it is not to be trusted."""
    descriptor = os.open(place, _READ)
    try:
        status = os.fstat(descriptor)
        if not (_ours(status) and status.st_size <= LARGEST and os.read(descriptor, len(HEADER)) == HEADER):
            return b""
        return os.read(descriptor, status.st_size)
    finally:
        os.close(descriptor)


def _ours(status: os.stat_result) -> bool:
    """Whether it is a regular file, and no other user than root could have written it."""
    if status.st_mode & 0o170000 != 0o100000:
        return False
    return not hasattr(os, "geteuid") or (status.st_uid in (0, os.geteuid()) and not status.st_mode & 0o022)


def _is_setting(held: "list[Any]") -> bool:
    """Whether that is what a file holds and what it says about where the registry is."""
    return len(held) == 2 and type(held[0]) is bytes and (held[1] is None or type(held[1]) is str)


def _are_cached(held: "list[Any]") -> bool:
    return all(map(_is_cached, held))


def _is_cached(entry: object) -> bool:
    """Whether `entry` has the types of an `Cached`; its tables are made of parts that can hold nothing else."""
    return (
        type(entry) is tuple
        and tuple(map(type, entry)) == (bytes, tuple, tuple, tuple, dict, dict)
        and all(tuple(map(type, table)) == (str, bytes) for table in entry[1:4])
        and {str}.issuperset(map(type, (*entry[4], *entry[4].values())))
        and _is_rest(entry[5])
    )


def _is_rest(rest: "dict[str, Any]") -> bool:
    if not {"include", "ranges", "moved", "aliases", "renamed", "former-names", "former"} <= rest.keys():
        return False
    include, ranges, moved, aliases, renamed = (
        rest[name] for name in ("include", "ranges", "moved", "aliases", "renamed")
    )
    return (
        (type(include), type(ranges), type(moved), type(aliases), type(renamed)) == (tuple, dict, dict, dict, dict)
        and {str}.issuperset(map(type, (*include, *ranges)))
        and all(type(span) is dict and {name: type(span[name]) for name in span} == SPAN for span in ranges.values())
        and {str}.issuperset(map(type, (*renamed, *renamed.values())))
        and all(type(code) is int and type(names) is tuple for code, names in (*moved.items(), *aliases.items()))
        and type(rest["former-names"]) is bool
        and (rest["former"] is None or _is_former(rest["former"]))
    )


def _is_former(table: object) -> bool:
    """Whether that is a table of former names: see `extreg.healing`."""
    return type(table) is dict and all(
        type(module) is str
        and type(names) is dict
        and all(
            type(name) is str and type(now) is tuple and {str}.issuperset(map(type, now)) for name, now in names.items()
        )
        for module, names in table.items()
    )


def _rows(path: str, entry: "Cached") -> "Rows | None":
    """Return the rows in an entry of the cache, or None where its tables are none after all."""
    try:
        keys, codes = _table(*entry[1])
        inverted = dict(zip(codes, keys))  # noqa: B905 - of one length
        live = dict(zip(keys, codes))  # noqa: B905
        keys, codes = _table(*entry[2])
        inverted.update(zip(codes, keys))  # noqa: B905
        keys, codes = _table(*entry[3])
    except (TypeError, ValueError):
        return None
    retired = dict(zip(codes, keys))  # noqa: B905
    if retired:
        inverted.update(explaining(retired))
    return Rows(path, live, inverted, retired, entry[4], entry[5])


def _table(names: str, codes: bytes) -> "tuple[list[tuple[str, str]], list[int]]":
    """Return the keys and codes of a table; raise ValueError or TypeError where there are not as many of each."""
    parts = iter(names.split("\n"))
    keys, numbers = list(zip(parts, parts)), memoryview(codes).cast("I").tolist()  # noqa: B905
    if len(keys) != len(numbers):
        raise ValueError("not a table")
    return keys, numbers


def _located(package: str, including: str, search: "Sequence[str] | None") -> str:
    try:
        return package_registry(package, search)
    except LookupError as missing:
        from extreg.errors import UnreadableError

        raise UnreadableError(f"{including}: include: {missing.args[0]}", missing.args[1]) from None
