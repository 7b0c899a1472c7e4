"""Between registry values and the rows that a start has of them."""

from extreg.ledger import Rows, explaining
from extreg.startup import source, wants_former, with_included
from extreg.startup.rows import aliased, parse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from extreg.ledger import Key
    from extreg.registry.model import Registry


def rows_of(
    registry: "Registry", search: "Sequence[str] | None" = None, *, former_names: "bool | None" = False
) -> "tuple[Rows, ...]":
    """Return the rows of a registry value and of the packages it includes, its own first.

    Those are looked for in `search`, without one as this process would import them.  They have a table of former names
    where these are wanted: `former_names` says so, or None leaves it to the value.
    """
    retired = {code: _key(target) for code, target in registry.retired.items()}
    loaded = {code: _key(target) for rows in (registry.codes, registry.load_only) for code, target in rows.items()}
    own = Rows(
        "a Registry value",
        aliased(registry.aliases, registry.codes) | {_key(target): code for code, target in registry.codes.items()},
        {**loaded, **explaining(retired)},
        retired,
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
            "former-names": registry.former_names,
            "former": None,
        },
    )
    layers = with_included(own, "", lambda file: parse(source(file), file), search)
    if wants_former(layers, former_names):
        from extreg.startup.former import fill

        fill(layers)
    return layers


def _key(target: str) -> "Key":
    module, _, qualname = target.partition(":")
    return module, qualname
