"""install, reload and uninstall: the public face of the start-up layer.

What a first, quiet start does not need stands in `extreg.startup.installations`.
"""

import os
import sys

from extreg.startup.ledger import Owner, ledger
from extreg.startup.sources import find, read

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import TracebackType
    from typing import Literal

    from extreg.registry.model import Registry
    from extreg.startup.cold import Bound

    OnConflict = Literal["error", "replace", "keep"]

POLICIES = ("error", "replace", "keep")
VARIABLE = "EXTREG_ON_CONFLICT"

installations: "list[Installation]" = []  # those whose rows are in copyreg, in order


class Installation:
    """A registry as it stands in copyreg; returned by `install`.

    Use it as a context manager to uninstall at the end of a block.
    """

    __slots__ = ("_bound", "_count", "_owner", "_source", "_watches")

    def __init__(self, source: "str | Registry", owner: Owner) -> None:
        self._source = source
        self._owner = owner
        self._count = 0
        self._bound: Bound | None = None
        self._watches = False

    @property
    def registry(self) -> "Registry":
        """The registry that is installed, as it was when it was last read; without what it includes."""
        from extreg.startup import cold

        return cold.registry_of(self._owner.layers[0])

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that say what all the rows installed here mean, included packages too."""
        from extreg.startup import cold

        return cold.fingerprint_of(self._owner.layers)

    @property
    def installed(self) -> bool:
        """Whether the rows are in copyreg; False once every `install` has been taken back by an `uninstall`."""
        return self._count > 0

    def reload(self) -> "frozenset[int]":
        """Read the registry and all it includes again and apply the difference; see `extreg.reload`."""
        from extreg.startup.installations import reload

        return reload([self])

    def uninstall(self) -> None:
        """Take back one `install` of this registry; the last one takes its rows out of copyreg.

        Rows that another installation or code outside extreg also has stay.  Calling it once too often does nothing.
        """
        from extreg.startup.installations import leave

        leave(self)

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
    source: "str | os.PathLike[str] | Registry | None" = None,
    *,
    on_conflict: "OnConflict" = "error",
    watch_reloads: bool = False,
) -> Installation:
    """Put the codes of a registry into copyreg, all of them or none.

    `source` is a path, the name of a package that carries a registry.toml (it is not imported), a `Registry`, or
    nothing: then ``$EXTREG_REGISTRY``, else the nearest registry.toml upward from the calling module's file, else
    upward from the working directory.  No target is imported.

    `on_conflict` says what happens when copyreg already means something else by a code or a target: ``"error"``
    raises, ``"replace"`` takes it over until it is uninstalled, ``"keep"`` leaves the other owner in place.
    ``$EXTREG_ON_CONFLICT`` overrides it.  With `watch_reloads`, ``importlib.reload`` of a module leaves none of its
    former classes in the extension cache.

    Installing the same registry again changes nothing and returns the same `Installation`, which then wants to be
    uninstalled as many times.  Raises `ConflictError` naming every conflict, `RegistryError` naming every fault of a
    file, and `ExtregError` when there is no registry; copyreg is then as it was.
    """
    policy = os.environ.get(VARIABLE) or on_conflict
    if policy not in POLICIES:
        from extreg.startup.installations import bad_policy

        raise bad_policy(policy, on_conflict)
    if source is None or isinstance(source, (str, os.PathLike)):
        path = find(source, sys._getframe(1).f_globals)
        owner = Owner(read(path), policy)
        if not watch_reloads and "extreg.startup.installations" not in sys.modules:
            installation = _first(path, owner)
            if installation is not None:
                return installation
        source = path
    else:
        from extreg.startup import cold

        owner = Owner(cold.rows_of(source), policy)
    from extreg.startup.installations import enter

    return enter(source, owner, watch_reloads)


def reload() -> "frozenset[int]":
    """Read every installed registry and all they include again, and apply the difference.

    All or nothing: a file that became invalid or rows that clash raise as in `install` and leave everything as it was.
    The extension cache is cleared and the callbacks of `on_clear` are called.  Returns the codes whose meaning changed.
    A load or dump, in another thread, of a code that is the same before and after never fails.
    """
    from extreg.startup.installations import reload as reload_all

    return reload_all(None)


def uninstall() -> None:
    """Take every registry that extreg installed in this process out of copyreg again."""
    from extreg.startup.installations import leave_all

    leave_all()


def _first(path: str, owner: Owner) -> "Installation | None":
    """Install the first registry of a process, if it meets nobody there; else return None."""
    if owner.layers[0].reducers or "extreg.startup.hooks" in sys.modules:
        return None
    installation = Installation(path, owner)
    try:
        if not ledger.locked(_put_first, installation):
            return None
        installation._count = 1
        return installation  # noqa: TRY300 - even an interrupt at this line must undo the change
    except BaseException:
        from extreg.startup.installations import withdraw

        withdraw(owner, {})
        raise


def _put_first(installation: Installation) -> bool:
    installations.append(installation)  # first: a child forked in between must know whose the rows are
    if ledger.put_first(installation._owner):
        return True
    installations.remove(installation)
    return False
