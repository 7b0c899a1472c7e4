"""The registries that rows were made from, to be shown or worked with."""

from extreg.ledger import Rows, nothing
from extreg.startup.cache import load_only_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from extreg.ledger import Key
    from extreg.registry.model import Registry
    from extreg.startup.standing import Standing


def registry_of(rows: Rows) -> "Registry":
    """Return the registry that `rows` were made from."""
    from extreg.registry.model import Registry
    from extreg.registry.ranges import Range

    return Registry(
        include=tuple(rows.rest["include"]),
        ranges={name: Range(**span) for name, span in rows.rest["ranges"].items()},
        codes={code: _target(key) for key, code in rows.live.items()},
        load_only={code: _target(key) for code, key in load_only_of(rows).items()},
        moved=rows.rest["moved"],
        retired={code: _target(key) for code, key in rows.retired.items()},
        aliases=rows.rest["aliases"],
        renamed=rows.rest["renamed"],
        former_names=rows.rest["former-names"],
        reducers=rows.reducers,
    )


def fingerprint_of(layers: "tuple[Rows, ...]") -> str:
    """Return the fingerprint of one registry, or of several together: a digest of their fingerprints in order."""
    from extreg.registry.fingerprint import combine

    return combine([registry_of(rows).fingerprint for rows in layers])


def standing_of_layers(layers: "tuple[Rows, ...]") -> "Standing":
    """Return what stands where these rows do and no others."""
    from extreg.ledger.layers import merge
    from extreg.startup.standing import standing_of

    stand, _ = merge(nothing(), ((rows, "keep") for rows in layers), {})
    return standing_of(stand.live, stand.inverted)


def _target(key: "Key") -> str:
    return f"{key[0]}:{key[1]}"
