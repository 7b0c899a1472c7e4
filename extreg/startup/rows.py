"""From registry files to rows, without a cache.

A start-up without a cache runs this, so nothing heavier than tomli and `re` is imported unless something is wrong.
"""

from extreg.ledger import Rows, explaining
from extreg.registry.toml.schema import Tables, read_tables
from extreg.registry.toml.toml_reader import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from extreg.ledger import Key


def parse(raw: bytes, path: str) -> Rows:
    """Return the rows in the bytes of a registry file; raise `RegistryError` naming every fault."""
    try:
        tables, problems = read_tables(loads(raw.decode()))
    except (ValueError, RecursionError):  # not UTF-8, not TOML, or beyond tomli's limits
        problems = [None]  # type: ignore[list-item]  # what exactly is wrong is worked out below
    if problems:
        from extreg.registry.document import Document
        from extreg.registry.toml.read_file import decode

        Document.read(decode(raw, path), path=path).require()
        raise AssertionError("two readers of one file disagree")
    return _from_tables(tables, path)


def aliased(aliases: "Mapping[int, Iterable[str]]", codes: "Mapping[int, str]") -> "dict[Key, int]":
    """Return the codes of the `aliases` that live `codes` have, by their keys."""
    found: dict[Key, int] = {}
    for code, names in aliases.items():
        if code in codes:
            for name in names:
                module, _, qualname = name.partition(":")
                found[module, qualname] = code
    return found


def _from_tables(tables: Tables, path: str) -> Rows:
    keys = tables.keys.get("codes", [])
    inverted = dict(zip(tables.codes, keys, strict=True))
    # First, so that the target has the last word where a code is asked for its key.
    live = aliased(tables.aliases, tables.codes) if tables.aliases else {}
    live.update(zip(keys, tables.codes, strict=True))
    inverted.update(zip(tables.load_only, tables.keys.get("load-only", ()), strict=True))
    retired = dict(zip(tables.retired, tables.keys.get("retired", ()), strict=True))
    inverted.update(explaining(retired))
    rest: dict[str, Any] = {"include": tables.include, "ranges": tables.ranges, "moved": tables.moved}
    rest |= {"aliases": tables.aliases, "renamed": tables.renamed}
    # What plain pickle needs of these is worked out where it is wanted: see `extreg.startup.former`.
    rest |= {"former-names": tables.former_names, "former": None}
    return Rows(path, live, inverted, retired, tables.reducers, rest)
