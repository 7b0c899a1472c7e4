"""The one door from the start-up layer to the layers below: what is needed only when there is no cache, or no peace.

Every function imports what it needs when it is called; a test holds all other start-up modules to their layer.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from extreg.errors import ConflictError
    from extreg.registry.model import Registry
    from extreg.startup.rows import Clash, Rows


def read(path: str) -> "tuple[Rows, ...]":
    """Return the rows of the registry file at `path` and of the packages it includes, its own first.

    Raises `RegistryError`, or `ExtregError` when a file cannot be read.
    """
    from extreg.files.rows import read_all

    return read_all(path)


def rows_of(registry: "Registry") -> "tuple[Rows, ...]":
    """Return the rows of a `Registry` and of the packages it includes, its own first."""
    from extreg.files.rows import rows_of as rows_of_value

    return rows_of_value(registry)


def registry_of(rows: "Rows") -> "Registry":
    """Return the registry whose rows these are."""
    from extreg.files.rows import registry_of as value_of

    return value_of(rows)


def fingerprint_of(layers: "tuple[Rows, ...]") -> str:
    """Return the fingerprint of all these rows together."""
    from extreg.files.rows import fingerprint_of as fingerprint

    return fingerprint(layers)


def conflict_error(clashes: "list[Clash]", layers: "tuple[Rows, ...]") -> "ConflictError":
    """Return the error that names every clash, who holds what, and what cures it."""
    from extreg.files.conflicts import conflict_error as explained

    return explained(clashes, layers)
