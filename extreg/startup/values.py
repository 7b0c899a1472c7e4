"""Between registry values and the rows that a start has of them."""

from extreg.ledger import Rows
from extreg.startup import source, with_included
from extreg.startup.rows import parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from extreg.ledger import Key
    from extreg.registry.model import Registry


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
            "aliases": dict(registry.aliases),
            "renamed": dict(registry.renamed),
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
        aliases=rows.rest["aliases"],
        renamed=rows.rest["renamed"],
        reducers=rows.reducers,
    )


def fingerprint_of(layers: "tuple[Rows, ...]") -> str:
    """Return the fingerprint of one registry, or of several together: a digest of their fingerprints in order."""
    from extreg.registry.fingerprint import combine

    return combine([registry_of(rows).fingerprint for rows in layers])


def _key(target: str) -> "Key":
    module, _, qualname = target.partition(":")
    return module, qualname


def _target(key: "Key") -> str:
    return f"{key[0]}:{key[1]}"
