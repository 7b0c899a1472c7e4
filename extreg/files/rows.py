"""From registry files to rows, without a cache.

A start-up without a cache runs this, so nothing heavier than tomli and `re` is imported unless something is wrong.
"""

import os

import tomli

from extreg.startup.find import package_registry
from extreg.startup.rows import Rows
from extreg.text.schema import Tables, read_tables

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable

    from extreg.registry.model import Registry
    from extreg.startup.rows import Key


def read_all(path: str) -> "tuple[Rows, ...]":
    """Return the rows of the file at `path` and of all that it includes, each file once, its own first.

    Raises `RegistryError` for the first file with faults, naming all of its faults, and `ExtregError` when a file or
    an included package cannot be found.
    """
    return _with_included(read_one(path), os.path.realpath(path))


def read_one(path: str) -> Rows:
    """Return the rows of the file at `path` alone."""
    try:
        with open(path, "rb") as file:
            raw = file.read()
    except OSError as error:
        from extreg.errors import UnreadableError

        raise UnreadableError(f"cannot read {path}: {error.strerror}", "`extreg init` writes a new one") from None
    return parse(raw, path)


def parse(raw: bytes, path: str) -> Rows:
    """Return the rows in the bytes of a registry file; raise `RegistryError` naming every fault."""
    try:
        tables, problems = read_tables(tomli.loads(raw.decode()))
    except (ValueError, RecursionError):  # not UTF-8, not TOML, or beyond tomli's limits
        problems = [None]  # type: ignore[list-item]  # what exactly is wrong is worked out below
    if problems:
        from extreg.files.source import decode
        from extreg.text.document import Document

        Document.read(decode(raw, path), path=path).require()
        raise AssertionError("two readers of one file disagree")
    return _from_tables(tables, path)


def rows_of(registry: "Registry") -> "tuple[Rows, ...]":
    """Return the rows of a registry value and of the packages it includes, its own first."""
    own = Rows(
        "a Registry value",
        {_key(target): code for code, target in registry.codes.items()},
        {code: _key(target) for rows in (registry.codes, registry.load_only) for code, target in rows.items()},
        {code: _key(target) for code, target in registry.retired.items()},
        dict(registry.reducers),
        {
            "include": registry.include,
            "ranges": {
                name: {"first": span.first, "last": span.last, "allocate": span.allocate, "modules": span.modules}
                for name, span in registry.ranges.items()
            },
            "moved": dict(registry.moved),
        },
    )
    return _with_included(own, "")


def registry_of(rows: Rows) -> "Registry":
    """Return the registry that `rows` were made from."""
    from extreg.registry.model import Registry
    from extreg.registry.ranges import Range

    return Registry(
        include=tuple(rows.rest["include"]),
        ranges={name: Range(**span) for name, span in rows.rest["ranges"].items()},
        codes={code: _target(key) for key, code in rows.live.items()},
        load_only={code: _target(key) for code, key in rows.inverted.items() if rows.live.get(key) != code},
        moved=rows.rest["moved"],
        retired={code: _target(key) for code, key in rows.retired.items()},
        reducers=rows.reducers,
    )


def fingerprint_of(layers: "tuple[Rows, ...]") -> str:
    """Return the fingerprint of one registry, or of several together: a digest of their fingerprints in order."""
    from extreg.registry.fingerprint import combine

    return combine([registry_of(rows).fingerprint for rows in layers])


def _from_tables(tables: Tables, path: str) -> Rows:
    keys = [tuple(target.split(":")) for target in tables.codes.values()]
    inverted: dict[int, Key] = dict(zip(tables.codes, keys, strict=True))  # type: ignore[arg-type]
    live: dict[Key, int] = dict(zip(keys, tables.codes, strict=True))  # type: ignore[arg-type]
    for code, target in tables.load_only.items():
        inverted[code] = _key(target)
    retired = {code: _key(target) for code, target in tables.retired.items()}
    rest = {"include": tables.include, "ranges": tables.ranges, "moved": tables.moved}
    return Rows(path, live, inverted, retired, tables.reducers, rest)


def _with_included(own: Rows, path: str) -> "tuple[Rows, ...]":
    found = [own]
    seen = {path}
    for rows in found:  # grows while it is walked: breadth first, cycles and diamonds cut by `seen`
        for included in _locate(rows):
            real = os.path.realpath(included)
            if real not in seen:
                seen.add(real)
                found.append(read_one(included))
    return tuple(found)


def _locate(rows: Rows) -> "Iterable[str]":
    for package in rows.rest["include"]:
        try:
            yield package_registry(package)
        except LookupError as missing:
            from extreg.errors import UnreadableError

            raise UnreadableError(f"{rows.path}: include: {missing.args[0]}", missing.args[1]) from None


def _key(target: str) -> "Key":
    module, _, qualname = target.partition(":")
    return module, qualname


def _target(key: "Key") -> str:
    return f"{key[0]}:{key[1]}"
