"""Start-up: what ``import extreg; extreg.install()`` runs, and nothing else.

The modules here import copyreg, os, sys, marshal and each other at their top, no more: every program that installs
a registry pays for them on every start.  For the same reason what every start needs stands in this one file and in
`extreg.startup.sources`: a file more is half a millisecond more.  Here are the ledger, the quiet case in full (a first
registry that meets nobody), and the public face; every other change is a transition (`extreg.startup.transition`) and
what happens to installations later stands in `extreg.startup.installations`.  What is needed only when something is
cold or wrong stands behind the one door in `extreg.startup.cold`.

copyreg's dictionaries are process-wide and pickle holds on to the objects themselves, so they are changed in place and
never replaced.  Rows go into the inverted registry first and come out of it last: at no instant does a row stand in
``_extension_registry`` alone, where it would be dumped and could not be loaded.
"""

import copyreg
import os
import sys
from _thread import RLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType
    from typing import Any, Literal, TypeVar

    from extreg.registry.model import Registry
    from extreg.startup.cold import Bound

    Key = tuple[str, str]
    T = TypeVar("T")
    State = tuple[tuple["Owner", ...], "Stand", "Stand"]
    Step = tuple["Stand", "Stand", State]
    OnConflict = Literal["error", "replace", "keep"]

__version__ = "0.2.0"

CODES: "dict[Key, int]" = copyreg._extension_registry  # type: ignore[attr-defined]
INVERTED: "dict[int, Key]" = copyreg._inverted_registry  # type: ignore[attr-defined]
CACHE: "dict[int, object]" = copyreg._extension_cache  # type: ignore[attr-defined]


class Rows:
    """What one registry file (or one `Registry`) says to copyreg.

    ``live`` maps ``(module, qualname)`` to its code; ``inverted`` maps every code that loads, live and load-only,
    to its key; ``retired`` maps spent codes to what they meant; ``reducers`` maps targets of types to targets of
    functions; ``rest`` is what copyreg need not know (include, ranges, moved), kept to show the registry again.
    """

    __slots__ = ("inverted", "live", "path", "reducers", "rest", "retired")

    def __init__(
        self,
        path: str,
        live: "dict[Key, int]",
        inverted: "dict[int, Key]",
        retired: "dict[int, Key]",
        reducers: "dict[str, str]",
        rest: "dict[str, Any]",
    ) -> None:
        self.path = path
        self.live = live
        self.inverted = inverted
        self.retired = retired
        self.reducers = reducers
        self.rest = rest

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Rows) and all(getattr(self, name) == getattr(other, name) for name in Rows.__slots__)

    __hash__ = None  # type: ignore[assignment]


class Stand:
    """What stands, or should stand, in copyreg.

    ``live`` is as in ``_extension_registry``, ``inverted`` as in ``_inverted_registry``; ``retired`` has no place
    in copyreg, but a code that is retired for one owner must not mean something else for another.
    """

    __slots__ = ("inverted", "live", "retired")

    def __init__(self, live: "dict[Key, int]", inverted: "dict[int, Key]", retired: "dict[int, Key]") -> None:
        self.live = live
        self.inverted = inverted
        self.retired = retired


def locked(lock: RLock, action: "Callable[..., T]", *arguments: "Any") -> "T":
    """Call `action` with `arguments` under `lock`, and release it whatever interrupts that, and wherever."""
    depth = _depth(lock)
    try:
        # On one line, so that no tracer or debugger can stop between the body and the release and leave us locked.
        with lock: return action(*arguments)  # noqa: E701  # fmt: skip
    except BaseException:
        # From CPython 3.14 on a signal handler may raise between taking the lock and entering the block (bpo-29988).
        if _depth(lock) > depth:
            lock.release()
        raise


def _depth(lock: RLock) -> int:
    """Return how often this thread has taken `lock`; 0 where Python does not tell, which are those with no need."""
    count = getattr(lock, "_recursion_count", None)
    return count() if count is not None else 0


def nothing() -> Stand:
    """Return a stand without rows."""
    return Stand({}, {}, {})


class Owner:
    """One installation's rows, one `Rows` per file, and how they get on with those of others."""

    __slots__ = ("layers", "on_conflict")

    def __init__(self, layers: "tuple[Rows, ...]", on_conflict: str) -> None:
        self.layers = layers
        self.on_conflict = on_conflict


class Ledger:
    """What extreg knows of this process's copyreg.

    ``owners`` are those of the installations in order; ``outside`` holds the rows of code outside extreg that concern
    one of them, because it has the same row or one that clashes; ``stand`` is what these add up to.  ``moving`` is the
    transition under way: the stands before and after it, and the former owners, outside and stand.
    """

    __slots__ = ("forks", "lock", "moving", "outside", "owners", "stand")

    def __init__(self) -> None:
        self.lock = RLock()
        self.owners: tuple[Owner, ...] = ()
        self.outside = nothing()
        self.stand = nothing()
        self.moving: Step | None = None
        self.forks = False

    def locked(self, action: "Callable[..., T]", *arguments: "Any") -> "T":
        """Call `action` with `arguments` under the lock."""
        return locked(self.lock, action, *arguments)

    def put_first(self, owner: Owner) -> bool:
        """Put the rows of the first owner in, if nothing stands in their way, and say whether that was so.

        All or nothing: an interruption leaves copyreg as it was.  Called through `locked`.
        """
        rows = owner.layers[0]
        quiet = (
            len(owner.layers) == 1
            and not (self.owners or self.moving or CACHE)
            and INVERTED.keys().isdisjoint(rows.inverted)
            and INVERTED.keys().isdisjoint(rows.retired)
            and CODES.keys().isdisjoint(rows.live)
        )
        if not quiet:
            return False
        self.watch_forks()
        stand = Stand(rows.live, rows.inverted, rows.retired)
        step = nothing(), stand, ((), nothing(), nothing())
        try:
            self.moving = step
            # One C call each under the interpreter lock: other threads see all of it or nothing.
            INVERTED.update(rows.inverted)
            CODES.update(rows.live)
            self.owners, self.outside, self.stand = (owner,), nothing(), stand
            self.moving = None
            return True  # noqa: TRY300 - even an interrupt at this line must undo the change
        except BaseException:
            self.move_back(step)
            raise

    def move_back(self, step: "Step") -> None:
        """Undo a transition, however far it came."""
        from extreg.startup.transition import move

        before, after, former = step
        move(after, before)
        self.owners, self.outside, self.stand = former
        self.moving = None

    def watch_forks(self) -> None:
        """See to it that a forked child gets a usable ledger; once, and not before something is installed."""
        if not self.forks and hasattr(os, "register_at_fork"):
            os.register_at_fork(after_in_child=self._after_fork)
        self.forks = True

    def _after_fork(self) -> None:
        """Put right, in a forked child, what another thread of the parent was in the middle of."""
        self.lock._at_fork_reinit()  # type: ignore[attr-defined]
        if self.moving is not None:
            self.move_back(self.moving)


ledger = Ledger()


POLICIES = ("error", "replace", "keep")
VARIABLE = "EXTREG_ON_CONFLICT"

INSTALLED: "list[Installation]" = []  # those whose rows are in copyreg, in order


class Installation:
    """A registry as it stands in copyreg; returned by `install`.

    Use it as a context manager to uninstall at the end of a block.
    """

    __slots__ = ("_bound", "_count", "_owner", "_source")

    def __init__(self, source: "str | Registry", owner: Owner) -> None:
        self._source = source
        self._owner = owner
        self._count = 0
        self._bound: Bound | None = None

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
    nothing: then what ``$EXTREG_REGISTRY`` names, else the nearest upward from the calling module's file, else upward
    from the working directory, that ``[tool.extreg] registry`` in a pyproject.toml names or that is a registry.toml.
    A file that was so found must belong to the user, to root or to the owner of the calling file; code in
    site-packages looks in its own package only.  No target is imported.

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
        from extreg.startup.sources import find, read

        path = find(source, sys._getframe(1).f_globals)
        owner = Owner(read(path), policy)
        if not watch_reloads and "extreg.startup.installations" not in sys.modules:
            return _first(path, owner)
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


def _first(path: str, owner: Owner) -> Installation:
    """Install the first registry of a process, in few steps if it meets nobody there."""
    if not owner.layers[0].reducers and "extreg.startup.hooks" not in sys.modules:
        installation = Installation(path, owner)
        try:
            if ledger.locked(_put_first, installation):
                return installation
        except BaseException:
            from extreg.startup.installations import withdraw

            withdraw(installation)
            raise
    from extreg.startup.installations import enter

    return enter(path, owner, False)


def _put_first(installation: Installation) -> bool:
    installation._count = 1
    INSTALLED.append(installation)  # first: a child forked in between must know whose the rows are
    if ledger.put_first(installation._owner):
        return True
    INSTALLED.remove(installation)
    installation._count = 0
    return False


def lazy(package: "dict[str, Any]", homes: "dict[str, str]") -> "tuple[Callable[[str], Any], Callable[[], list[str]]]":
    """Return ``__getattr__`` and ``__dir__`` (PEP 562) for the package with these globals.

    `homes` maps a public name to the module that it is loaded from when it is first used.
    """

    def load(name: str) -> "Any":
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {package['__name__']!r} has no attribute {name!r}")
        from importlib import import_module

        value = package[name] = getattr(import_module(home), name)
        return value

    def names() -> list[str]:
        return sorted({*package, *package["__all__"]})

    return load, names
