"""What stands in copyreg, and whose it is; what every start needs of that.

copyreg's dictionaries are process-wide and pickle holds on to the objects themselves, so they are changed in place and
never replaced.  Rows go into the inverted registry first and come out of it last: at no instant does a row stand in
``_extension_registry`` alone, where it would be dumped and could not be loaded.

The rooms of this package know no file and no TOML.  Here is the quiet case in full (a first registry that meets
nobody), because every start pays for a file more; every other change is a `transition`.
"""

import copyreg
import os
from _thread import RLock

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any, Protocol, TypeVar

    Key = tuple[str, str]
    T = TypeVar("T")
    State = tuple[tuple["Owner", ...], "Stand", "Stand"]
    Step = tuple["Stand", "Stand", State]

    class Bound(Protocol):
        """Reducers that can be bound, and how to undo it."""

        def begin(self) -> None:
            """Bind the reducers; raise for what cannot be bound, with nothing bound."""

        def undo(self) -> None:
            """Take the reducers back."""

    class Entry(Protocol):
        """An installation, as the ledger knows it: what was asked for, whose rows, how often, and its reducers."""

        _source: Any
        _former: "bool | None"
        _owner: "Owner"
        _count: int
        _bound: "Bound | None"


CODES: "dict[Key, int]" = copyreg._extension_registry  # type: ignore[attr-defined]
INVERTED: "dict[int, Key]" = copyreg._inverted_registry  # type: ignore[attr-defined]
CACHE: "dict[int, object]" = copyreg._extension_cache  # type: ignore[attr-defined]
RETIRED = "extreg.retired"  # the module that the rows of retired codes lead to: see there


class Rows:
    """What one registry file (or one `Registry`) says to copyreg.

    ``live`` maps ``(module, qualname)`` to its code, aliases included, before the targets; ``inverted`` maps every code
    that loads, live and load-only, to its key, and every retired one to a key in `RETIRED` that says so; ``retired``
    maps spent codes to what they meant; ``reducers`` maps targets of types to targets of functions; ``rest`` is what
    copyreg need not know (include, ranges, former and other names), kept to show it again.
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


def explaining(retired: "Mapping[int, Key]") -> "dict[int, Key]":
    """Return the rows that `retired` codes, with what they meant, have in the inverted registry.

    The names are for whoever meets them in an error of copyreg's or of an unpickler's; `extreg.retired` has more.  They
    have no dots: from protocol 4 on an unpickler takes a name apart at them, and that of CPython 3.14 would then hide
    what the module raises behind an AttributeError.
    """
    return {
        code: (RETIRED, f"{code} was {module}:{name} and is retired: see `extreg show {code}`".replace(".", "/"))
        for code, (module, name) in retired.items()
    }


class Stand:
    """What stands, or should stand, in copyreg.

    ``live`` is as in ``_extension_registry``, ``inverted`` as in ``_inverted_registry``; ``retired`` says what the
    retired codes meant: a code that is retired for one owner must not mean something else for another.
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
        from extreg.ledger.moves import move

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

INSTALLED: "list[Entry]" = []  # those whose rows are in copyreg, in order
