"""install and uninstall: registries into copyreg and out again, all or nothing."""

import os
import sys

from extreg.startup import cold
from extreg.startup.find import find
from extreg.startup.ledger import Owner, Refused, ledger
from extreg.startup.rows import Rows

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Literal

    from extreg.registry.model import Registry

    OnConflict = Literal["error", "replace", "keep"]

POLICIES = ("error", "replace", "keep")
VARIABLE = "EXTREG_ON_CONFLICT"

_installations: "list[Installation]" = []


class Installation:
    """A registry as it stands in copyreg; returned by `install`.

    Use it as a context manager to uninstall at the end of a block.
    """

    __slots__ = ("_count", "_owner", "_source")

    def __init__(self, source: "str | Registry", owner: Owner) -> None:
        self._source = source
        self._owner = owner
        self._count = 0

    @property
    def registry(self) -> "Registry":
        """The registry that is installed, as it was when it was last read; without what it includes."""
        return cold.registry_of(self._owner.layers[0])

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that say what all the rows installed here mean, included packages too."""
        return cold.fingerprint_of(self._owner.layers)

    @property
    def installed(self) -> bool:
        """Whether the rows are in copyreg; False once every `install` has been taken back by an `uninstall`."""
        return self._count > 0

    def uninstall(self) -> None:
        """Take back one `install` of this registry; the last one takes its rows out of copyreg.

        Rows that another installation or code outside extreg also has stay.  Calling it once too often does nothing.
        """
        with ledger.lock:
            if self._count == 1:
                _change(tuple(owner for owner in ledger.owners if owner is not self._owner))
                _installations.remove(self)
            self._count = max(0, self._count - 1)

    def __enter__(self) -> "Installation":
        return self

    def __exit__(
        self,
        kind: "type[BaseException] | None",
        error: "BaseException | None",
        traceback: "TracebackType | None",
    ) -> None:
        self.uninstall()

    def __repr__(self) -> str:
        rows = self._owner.layers
        live = sum(len(layer.live) for layer in rows)
        loaded = sum(len(layer.inverted) for layer in rows)
        parts = [f"{live} live", f"{loaded - live} load-only"]
        if len(rows) > 1:
            parts.append(f"from {len(rows)} files")
        if not self.installed:
            parts.append("uninstalled")
        return f"<extreg.Installation of {rows[0].path}: {', '.join(parts)}>"


def install(
    source: "str | os.PathLike[str] | Registry | None" = None, *, on_conflict: "OnConflict" = "error"
) -> Installation:
    """Put the codes of a registry into copyreg, all of them or none.

    `source` is a path, the name of a package that carries a registry.toml (it is not imported), a `Registry`, or
    nothing: then ``$EXTREG_REGISTRY``, else the nearest registry.toml upward from the calling module's file, else
    upward from the working directory.  No target is imported.

    `on_conflict` says what happens when copyreg already means something else by a code or a target: ``"error"``
    raises, ``"replace"`` takes it over until it is uninstalled, ``"keep"`` leaves the other owner in place.
    ``$EXTREG_ON_CONFLICT`` overrides it.

    Installing the same registry again changes nothing and returns the same `Installation`, which then wants to be
    uninstalled as many times.  Raises `ConflictError` naming every conflict, `RegistryError` naming every fault of a
    file, and `ExtregError` when there is no registry; copyreg is then as it was.
    """
    policy = os.environ.get(VARIABLE) or on_conflict
    if policy not in POLICIES:
        raise _bad_policy(policy, on_conflict)
    if source is None or isinstance(source, (str, os.PathLike)):
        path = find(source, sys._getframe(1).f_globals)
        return _install(path, cold.read(path), policy)
    return _install(source, cold.rows_of(source), policy)


def uninstall() -> None:
    """Take every registry that extreg installed in this process out of copyreg again."""
    with ledger.lock:
        _change(())
        for installation in _installations:
            installation._count = 0
        _installations.clear()


def _install(source: "str | Registry", layers: "tuple[Rows, ...]", policy: str) -> Installation:
    owner = Owner(layers, policy)
    cached = ledger.cached()
    try:
        with ledger.lock:
            return _enter(source, owner)
    except BaseException:
        # An interrupt may also come between the change and the return: nobody could uninstall what nobody was given.
        with ledger.lock:
            if owner in ledger.owners:
                ledger.change(tuple(other for other in ledger.owners if other is not owner))
                ledger.cache_again(cached)
                _installations[:] = [entry for entry in _installations if entry._owner is not owner]
        raise


def _enter(source: "str | Registry", owner: Owner) -> Installation:
    installation = _same(source, owner)
    if installation is None:
        ledger.watch_forks()
        installation = Installation(source, owner)
        _change((*ledger.owners, owner), owner)
        _installations.append(installation)
    installation._count += 1
    return installation


def _same(source: "str | Registry", owner: Owner) -> "Installation | None":
    """Return the installation of the very same rows under the same policy, if there is one."""
    for installation in _installations:
        other = installation._owner
        if installation._source == source and other.on_conflict == owner.on_conflict and other.layers == owner.layers:
            return installation
    return None


def _change(owners: "tuple[Owner, ...]", changed: "Owner | None" = None) -> None:
    try:
        ledger.change(owners, changed)
    except Refused as refused:
        layers = tuple(rows for owner in owners for rows in owner.layers)
        raise cold.conflict_error(refused.clashes, layers) from None


def _bad_policy(policy: str, argument: str) -> Exception:
    from extreg.errors import ExtregError

    place = "on_conflict" if policy == argument else f"${VARIABLE}"
    return ExtregError(f"{place} is {policy!r}, expected one of {', '.join(map(repr, POLICIES))}")
