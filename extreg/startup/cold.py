"""The one door from the start-up layer to the layers below: what is needed only when there is no cache, or no peace.

Every function imports what it needs when it is called; a test holds all other start-up modules to their layer.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Protocol

    from extreg.errors import ConflictError
    from extreg.registry.model import Registry
    from extreg.startup.ledger import Owner
    from extreg.startup.rows import Clash, Rows

    class Bound(Protocol):
        """Reducers that were bound, and how to undo it."""

        def undo(self) -> None:
            """Take the reducers back."""


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


def bind(owner: "Owner") -> "Bound | None":
    """Bind the reducers of an owner's rows, as their types' modules are imported; None when there are none."""
    if not any(rows.reducers for rows in owner.layers):
        return None
    from extreg.files.reducers import bind as bind_reducers

    return bind_reducers(owner)


def watch_reloads(wanted: bool) -> None:
    """Want the reload watcher, or want it no longer."""
    from extreg.startup import watch

    if wanted:
        watch.start()
    else:
        watch.stop()


def settle(modules: "set[str]", codes: "Iterable[int]") -> None:
    """Wait until no load in another thread can bring back the old meaning of `codes`, which lay in `modules`.

    Warns with RuntimeWarning when a load has not ended in time.
    """
    from extreg.startup.settle import PATIENCE
    from extreg.startup.settle import settle as wait

    if not wait(modules):
        from warnings import warn

        warn(
            f"another thread is still inside a load that began before these codes changed: {sorted(codes)}; it waited "
            f"{PATIENCE:.0f} seconds for an import or a find_class. Call extreg.clear_cache() once that has ended.",
            RuntimeWarning,
            stacklevel=5,
        )
