"""Stable pickle extension codes from a committed registry.toml.

``import extreg`` changes nothing in the process and imports nothing but what a start needs: this file with `install`,
`extreg.ledger` (what stands in copyreg) and `extreg.startup` (which registry, and what it says).  These three import
copyreg, os, sys and marshal, no more: every program that installs a registry pays for them on every start, and a file
more is a tenth of it.  Every other public name is loaded when it is first used (PEP 562).
"""

__all__ = [
    "AllocationError",
    "CallbackError",
    "ConflictError",
    "ExtregError",
    "Finding",
    "ForbiddenGlobalError",
    "Installation",
    "Registry",
    "RegistryError",
    "RetiredCodeError",
    "UnreadableError",
    "clear_cache",
    "dump",
    "dumps",
    "explain",
    "install",
    "lint",
    "load",
    "load_ipython_extension",
    "loads",
    "on_clear",
    "reload",
    "standing",
    "uninstall",
    "unload_ipython_extension",
]
import os
import sys


def _begin_command() -> None:
    """Prepare the process of ``python -m extreg``, and take the working directory off the import path.

    Whatever is imported later, copyreg to begin with, would be taken from a strange project that has a file of that
    name.  What imports modules of the project puts it there again.
    """
    _end_quietly()
    safe = sys.flags.isolated or getattr(sys.flags, "safe_path", False)  # then it is not there, or by wish
    try:
        if not safe and sys.path[0] in ("", os.getcwd()):  # noqa: PTH109 - pathlib is for later
            del sys.path[0]
    except OSError:  # it is gone, and so was never put there
        return


def _end_quietly() -> None:
    """See to it that from here on an interrupt ends the command without a traceback."""
    import _signal  # which is built in

    if _signal.getsignal(_signal.SIGINT) is _signal.default_int_handler:
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)  # until there is something better
    from extreg.process import prepare

    prepare()


def _called_as() -> str:
    """Return how this process's command line calls extreg: ``-m``, the name of the script, or "" where it does not."""
    if not (getattr(sys, "argv", None) and hasattr(sys, "orig_argv")):
        return ""
    if sys.argv[0] == "-m":
        named = sys.orig_argv[-len(sys.argv)]  # what stands before the program's own arguments
        return "-m" if named == "extreg" or (named.startswith("-") and named.endswith("mextreg")) else ""
    name = sys.argv[0].replace("\\", "/").rpartition("/")[2]
    return name if name in ("extreg", "extreg.exe", "extreg-script.py") else ""  # what an installer makes of us


# This file is run before extreg/__main__.py is; until that is found, runpy has "-m" in the place of its name.  It is so
# when Python starts, too: where autoload imports us, the working directory is yet to come, and __main__ sees to it.
_CALLED_AS = _called_as()
if _CALLED_AS == "-m" and "runpy" in sys.modules:
    _begin_command()
elif _CALLED_AS:
    _end_quietly()

from extreg.ledger import INSTALLED as _INSTALLED  # noqa: E402 - see above
from extreg.ledger import Owner as _Owner  # noqa: E402
from extreg.ledger import ledger as _ledger  # noqa: E402
from extreg.startup import __version__ as __version__  # noqa: E402
from extreg.startup import find as _find  # noqa: E402
from extreg.startup import read as _read  # noqa: E402
from extreg.startup import wants_former as _wants_former  # noqa: E402

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType
    from typing import Any, Literal

    from extreg.errors import (
        AllocationError,
        CallbackError,
        ConflictError,
        ExtregError,
        ForbiddenGlobalError,
        RegistryError,
        RetiredCodeError,
        UnreadableError,
    )
    from extreg.integrations.ipython import load_ipython_extension, unload_ipython_extension
    from extreg.ledger import Bound as _Bound
    from extreg.ledger.clearing import clear_cache, on_clear
    from extreg.linter.finding import Finding
    from extreg.linter.run import lint
    from extreg.project.explaining import explain
    from extreg.registry.model import Registry
    from extreg.scoped import dump, dumps, load, loads
    from extreg.startup.standing import Standing, standing

# Where each public name lives that is not needed at start-up.
_LAZY = {
    "AllocationError": "extreg.errors",
    "CallbackError": "extreg.errors",
    "ConflictError": "extreg.errors",
    "ExtregError": "extreg.errors",
    "Finding": "extreg.linter.finding",
    "ForbiddenGlobalError": "extreg.errors",
    "Registry": "extreg.registry.model",
    "RegistryError": "extreg.errors",
    "RetiredCodeError": "extreg.errors",
    "UnreadableError": "extreg.errors",
    "clear_cache": "extreg.ledger.clearing",
    "dump": "extreg.scoped",
    "dumps": "extreg.scoped",
    "explain": "extreg.project.explaining",
    "lint": "extreg.linter.run",
    "load": "extreg.scoped",
    "load_ipython_extension": "extreg.integrations.ipython",
    "loads": "extreg.scoped",
    "on_clear": "extreg.ledger.clearing",
    "standing": "extreg.startup.standing",
    "unload_ipython_extension": "extreg.integrations.ipython",
}


_POLICIES = ("error", "replace", "keep")
_POLICY_VARIABLE = "EXTREG_ON_CONFLICT"


class Installation:
    """A registry as it stands in copyreg; returned by `install`.

    Use it as a context manager to uninstall at the end of a block.
    """

    __slots__ = ("_bound", "_count", "_former", "_owner", "_source")

    def __init__(self, source: "str | Registry", owner: _Owner, former_names: "bool | None") -> None:
        self._source = source
        self._owner = owner
        self._former = former_names
        self._count = 0
        self._bound: _Bound | None = None

    @property
    def registry(self) -> "Registry":
        """The registry that is installed, as it was when it was last read; without what it includes."""
        from extreg.startup.shown import registry_of

        return registry_of(self._owner.layers[0])

    @property
    def fingerprint(self) -> str:
        """Sixteen hexadecimal digits that say what all the rows installed here mean, included packages too."""
        from extreg.startup.shown import fingerprint_of

        return fingerprint_of(self._owner.layers)

    @property
    def standing(self) -> "Standing":
        """What `extreg.standing` tells of a process in which these rows stand and no others."""
        from extreg.startup.shown import standing_of_layers

        return standing_of_layers(self._owner.layers)

    @property
    def installed(self) -> bool:
        """Whether the rows are in copyreg; False once every `install` has been taken back by an `uninstall`."""
        return self._count > 0

    def reload(self) -> "frozenset[int]":
        """Read the registry and all it includes again and apply the difference; see `extreg.reload`."""
        from extreg.startup.changes import reload

        return reload([self])

    def uninstall(self) -> None:
        """Take back one `install` of this registry; the last one takes its rows out of copyreg.

        Rows that another installation or code outside extreg also has stay.  Calling it once too often does nothing.
        """
        from extreg.startup.changes import leave

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
        live = sum(len({*layer.live.values()}) for layer in rows)
        load_only = sum(len(layer.inverted) - len(layer.retired) for layer in rows) - live
        parts = [f"{live} live", f"{load_only} load-only"]
        if len(rows) > 1:
            parts.append(f"from {len(rows)} files")
        if not self.installed:
            parts.append("uninstalled")
        return f"<extreg.Installation of {rows[0].path}: {', '.join(parts)}>"


def install(
    source: "str | os.PathLike[str] | Registry | None" = None,
    *,
    on_conflict: "Literal['error', 'replace', 'keep']" = "error",
    watch_reloads: bool = False,
    former_names: "bool | None" = None,
) -> Installation:
    """Put the codes of a registry into copyreg, all of them or none.

    `source` is a path, the name of a package that carries a registry.toml (it is not imported), a `Registry`, or
    nothing: then what ``$EXTREG_REGISTRY`` names, else the nearest upward from the calling module's file, else upward
    from the working directory, that ``[tool.extreg] registry`` in a pyproject.toml names or that is a registry.toml.
    A file that was so found must belong to the user, to root or to the owner of the calling file; code in
    site-packages looks in its own package only.  No target is imported.

    `on_conflict` says what happens when copyreg already means something else by a code or a target: ``"error"``
    raises, ``"replace"`` takes it over until it is uninstalled, ``"keep"`` leaves the other owner in place.
    ``$EXTREG_ON_CONFLICT`` overrides it.  With `watch_reloads`, ``importlib.reload`` of a module leaves none of its
    former classes in the extension cache.  With `former_names`, plain ``pickle.loads`` finds what the registry records
    as former and other names, those in included registries too; without it, where the registry says
    ``former-names = true``.

    Installing the same registry again changes nothing and returns the same `Installation`, which then wants to be
    uninstalled as many times.  Raises `ConflictError` naming every conflict, `RegistryError` naming every fault of a
    file, and `ExtregError` when there is no registry; copyreg is then as it was.
    """
    policy = _policy(on_conflict, os.environ)
    if source is None or isinstance(source, (str, os.PathLike)):
        path = _find(source, sys._getframe(1).f_globals)
        return _install_file(path, policy, watch_reloads=watch_reloads, former_names=former_names)
    from extreg.startup.values import rows_of

    entry = Installation(source, _Owner(rows_of(source, former_names=former_names), policy), former_names)
    return _enter(entry, watch_reloads=watch_reloads)


def _policy(on_conflict: str, variables: "Mapping[str, str]") -> str:
    policy = variables.get(_POLICY_VARIABLE) or on_conflict
    if policy not in _POLICIES:
        from extreg.errors import ExtregError

        place = "on_conflict" if policy == on_conflict else f"${_POLICY_VARIABLE}"
        raise ExtregError(f"{place} is {policy!r}, expected one of {', '.join(map(repr, _POLICIES))}")
    return policy


def _install_file(
    path: str, policy: str, *, watch_reloads: bool = False, former_names: "bool | None" = None
) -> Installation:
    entry = Installation(path, _Owner(_read(path, former_names), policy), former_names)
    if not watch_reloads and "extreg.startup.changes" not in sys.modules and _is_first(entry):
        return entry
    return _enter(entry, watch_reloads=watch_reloads)


def _enter(entry: Installation, *, watch_reloads: bool) -> Installation:
    from extreg.startup.changes import enter

    installed: Any = enter(entry, watch_reloads)  # this one, or the same one of before
    return installed  # type: ignore[no-any-return]


def reload() -> "frozenset[int]":
    """Read every installed registry and all they include again, and apply the difference.

    All or nothing: a file that became invalid or rows that clash raise as in `install` and leave everything as it was.
    The extension cache is cleared and the callbacks of `on_clear` are called.  Returns the codes whose meaning changed.
    A load or dump, in another thread, of a code that is the same before and after never fails.

    Raises `UnreadableError`, `RegistryError` and `ConflictError` as `install` does, `ReducerError` for a reducer that
    cannot be bound, and `CallbackError` when all is done but a callback failed.
    """
    from extreg.startup.changes import reload as reload_all

    return reload_all(None)


def uninstall() -> None:
    """Take every registry that extreg installed in this process out of copyreg again, however often it was installed.

    Raises `CallbackError` when all is done but a callback of `on_clear` failed.
    """
    from extreg.startup.changes import leave_all

    leave_all()


def _is_first(installation: Installation) -> bool:
    """Install the first registry of a process, in few steps, and say whether it met nobody there."""
    if installation._owner.layers[0].reducers or "extreg.ledger.clearing" in sys.modules:
        return False
    try:
        return _ledger.locked(_put_first, installation)
    except BaseException:
        from extreg.startup.changes import withdraw

        withdraw(installation)
        raise


def _put_first(installation: Installation) -> bool:
    installation._count = 1
    _INSTALLED.append(installation)  # first: a child forked in between must know whose the rows are
    if _ledger.put_first(installation._owner):
        if _wants_former(installation._owner.layers, installation._former):
            _heal(installation)
        return True
    _INSTALLED.remove(installation)
    installation._count = 0
    return False


def _heal(installation: Installation) -> None:
    from extreg.healing import start

    start(installation, [rows.rest["former"] for rows in installation._owner.layers])


def __getattr__(name: str) -> "Any":
    from extreg.lazy import lazy

    load, _ = lazy(globals(), _LAZY)
    return load(name)


def __dir__() -> "list[str]":
    # What is public, and the public modules.
    return sorted(
        {*__all__, "errors", "pickles", "reduce", "scoped", "testing", "workers", *filter(_is_dunder, globals())}
    )


def _is_dunder(name: str) -> bool:
    return name.startswith("__")
