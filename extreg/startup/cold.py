"""The one door from the start-up layer to the layers below: what is needed only when there is no cache, or no peace.

Every function imports what it needs when it is called; a test holds all other start-up modules to their layer.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Protocol

    from extreg.errors import ConflictError
    from extreg.registry.model import Registry
    from extreg.startup import Owner, Rows
    from extreg.startup.merging import Clash
    from extreg.startup.transition import Change

    class Bound(Protocol):
        """Reducers that can be bound, and how to undo it."""

        def begin(self) -> None:
            """Bind the reducers; raise for what cannot be bound, with nothing bound."""

        def undo(self) -> None:
            """Take the reducers back."""


def parse(source: bytes, path: str) -> "Rows":
    """Return the rows in the bytes of one registry file; raise `RegistryError` naming every fault."""
    from extreg.files.rows import parse as parse_rows

    return parse_rows(source, path)


def write_entries(path: str, sources: "list[bytes]", layers: "tuple[Rows, ...]") -> None:
    """Write the start-up cache of the registry file at `path`, if that is possible and wanted."""
    from extreg.files.cache import entries, write_quietly

    write_quietly(path, entries(sources, layers))


def write_cache(path: str, held: "list[Any]") -> None:
    """Write the start-up cache of the file at `path`, if that is possible and wanted."""
    from extreg.files.cache import write_quietly

    write_quietly(path, held)


def registry_setting(source: bytes, path: str) -> "str | None":
    """Return what ``[tool.extreg] registry`` says in the bytes of a pyproject.toml; raise `UnreadableError`."""
    from extreg.files.pyproject import registry_setting as setting

    return setting(source, path)


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


def binding_of(owner: "Owner") -> "Bound":
    """Return the reducers of an owner's rows, to be bound as their types' modules are imported."""
    from extreg.files.reducers import binding_of as binding

    return binding(owner)


def finish(change: "Change | None", *, everything: bool = False) -> None:
    """Finish a change of codes outside the ledger's lock: nothing of what they meant before may come back.

    Waits until no load in another thread can do that, evicts the codes (or all codes, for `everything`), and calls the
    callbacks.  Warns with RuntimeWarning when such a load has not ended in time.
    """
    from extreg.startup import hooks, settle

    if change is not None and change.stale and not settle.settle({module for module, _ in change.stale.values()}):
        from warnings import warn

        warn(
            f"another thread is still inside a load that began before these codes changed: {sorted(change.stale)}; it "
            f"has been waiting {settle.PATIENCE:.0f} seconds for an import or a find_class. Call extreg.clear_cache() "
            "once that has ended.",
            RuntimeWarning,
            stacklevel=4,
        )
    codes = change.codes if change is not None else frozenset()
    if everything:
        hooks.clear_cache(codes)
    else:
        hooks.evict(codes)
