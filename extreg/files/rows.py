"""From registry files to rows, without a cache.

A start-up without a cache runs this, so nothing heavier than tomli and `re` is imported unless something is wrong.
"""

from extreg.startup import Rows
from extreg.startup.sources import source, with_included
from extreg.text.schema import Tables, read_tables
from extreg.text.toml_reader import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from extreg.registry.model import Registry
    from extreg.startup import Key


def parse(raw: bytes, path: str) -> Rows:
    """Return the rows in the bytes of a registry file; raise `RegistryError` naming every fault."""
    try:
        tables, problems = read_tables(loads(raw.decode()))
    except (ValueError, RecursionError):  # not UTF-8, not TOML, or beyond tomli's limits
        problems = [None]  # type: ignore[list-item]  # what exactly is wrong is worked out below
    if problems:
        from extreg.files.source import decode
        from extreg.text.document import Document

        Document.read(decode(raw, path), path=path).require()
        raise AssertionError("two readers of one file disagree")
    return _from_tables(tables, path)


def rows_of(registry: "Registry", search: "Sequence[str] | None" = None) -> "tuple[Rows, ...]":
    """Return the rows of a registry value and of the packages it includes, its own first.

    Those are looked for in `search`, without one as this process would import them.
    """
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
    return with_included(own, "", lambda file: parse(source(file), file), search)


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
    keys = tables.keys.get("codes", [])
    inverted = dict(zip(tables.codes, keys, strict=True))
    live = dict(zip(keys, tables.codes, strict=True))
    inverted.update(zip(tables.load_only, tables.keys.get("load-only", ()), strict=True))
    retired = dict(zip(tables.retired, tables.keys.get("retired", ()), strict=True))
    rest = {"include": tables.include, "ranges": tables.ranges, "moved": tables.moved}
    return Rows(path, live, inverted, retired, tables.reducers, rest)


def _key(target: str) -> "Key":
    module, _, qualname = target.partition(":")
    return module, qualname


def _target(key: "Key") -> str:
    return f"{key[0]}:{key[1]}"
