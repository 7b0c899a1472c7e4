"""The ``[reducers]`` of a registry: bound when the module of the type is first imported, and again when it is reloaded.

Nothing here imports a type's module.  An error in a row whose module is imported already is raised by `bind`.  An
error that shows later, while somebody else's import runs, must not break that import, nor be lost: the type gets a
reducer that raises it at the first dump; where there is no type to give one to, a RuntimeWarning names the row.
"""

from _thread import RLock

from extreg import importhook
from extreg.ledger import locked
from extreg.reduce.firstuse import FirstUse, find
from extreg.reduce.table import Registration

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from types import ModuleType
    from typing import Any, TypeVar

    from extreg.reduce.table import OnConflict

    T = TypeVar("T")


class ReducerRow:
    """One row of ``[reducers]``: the target of a type, that of its reduction function, and the place it stands at."""

    __slots__ = ("function", "place", "type")

    def __init__(self, type: str, function: str, place: str) -> None:  # noqa: A002
        self.type = type
        self.function = function
        self.place = place

    def __repr__(self) -> str:
        return f"ReducerRow({self.type!r}, {self.function!r}, {self.place!r})"


def bind(rows: "Iterable[ReducerRow]", *, on_conflict: "OnConflict" = "error") -> "Binding":
    """Bind each row now, or when the module of its type has been imported; return the `Binding`, which undoes it.

    `on_conflict` says what happens where a type has another reducer already: ``"error"``, ``"replace"`` (until undo)
    or ``"keep"`` (the other stays).

    Raises one `ReducerError` that names every row whose type's module is imported and has no such class, or whose
    type has another reducer; nothing is bound then.
    """
    binding = Binding(rows, on_conflict)
    try:
        binding.begin()
        return binding  # noqa: TRY300 - even an interrupt at this line must undo it
    except BaseException:
        binding.undo()
        raise


class Binding:
    """The reducers of some rows; ``pending`` are the rows that wait for the import of their type's module."""

    def __init__(self, rows: "Iterable[ReducerRow]", on_conflict: "OnConflict") -> None:
        self.on_conflict = on_conflict
        self._bound: dict[ReducerRow, Registration | None] = dict.fromkeys(rows)
        self._modules = {_module(target) for row in self._bound for target in (row.type, row.function)}
        self._lock = RLock()
        self._watch: importhook.Watch | None = importhook.Watch(None, self._ran, self._modules)

    @property
    def rows(self) -> "tuple[ReducerRow, ...]":
        """All rows, in the order they were given."""
        return tuple(self._bound)

    @property
    def pending(self) -> "tuple[ReducerRow, ...]":
        """The rows whose type has no reducer from here yet."""
        return tuple(row for row, bound in self._bound.items() if bound is None)

    def begin(self) -> None:
        """Bind what can be bound now, and the rest when it is imported; raise `ReducerError` with nothing bound."""
        # Watched first: what another thread imports in the meantime is bound twice over rather than not at all.
        if self._watch is not None:
            self._watch.start()
        problems = self._locked(self._bind_all)
        if not problems:
            return
        self.undo()
        if len(problems) == 1:
            raise problems[0]
        from extreg.errors import ReducerError

        places = [place for problem in problems for place in getattr(problem, "places", ())]
        raise ReducerError("\n".join(map(str, problems)), tuple(places))

    def undo(self) -> None:
        """Take every reducer back that is bound, and bind no more. Twice is once."""
        if self._watch is not None:
            self._watch.stop()
        self._watch = None
        self._locked(self._release_all)

    def _locked(self, action: "Callable[..., T]", *arguments: "Any") -> "T":
        return locked(self._lock, action, *arguments)

    def _release_all(self) -> None:
        for row in self._bound:
            self._release(row)

    def _bind_all(self) -> "list[Exception]":
        problems = []
        for row in self._bound:
            module = importhook.started(_module(row.type))
            if module is not None:
                problem = self._bind(row, module)
                # What a running module lacks it may still define: then we are told when it has ended.
                if problem is not None and not _running(module):
                    problems.append(problem)
        return problems

    def _ran(self, name: str, module: "ModuleType", failed: bool) -> None:
        """Follow a module whose code has just run, for the first time or again."""
        self._locked(self._catch_up, name, module, failed)

    def _catch_up(self, name: str, module: "ModuleType", failed: bool) -> None:
        if self._watch is None:
            return
        for row in self._bound:
            if name == _module(row.type):
                self._follow(row, module, failed)
            elif name == _module(row.function):
                self._renew(row)

    def _follow(self, row: ReducerRow, module: "ModuleType", failed: bool) -> None:
        if failed and find(module, _qualname(row.type)) is None:
            return  # it ended before it came to the class: what was bound stays
        problem = self._bind(row, module)
        if problem is None or failed:
            return
        cls = find(module, _qualname(row.type))
        if isinstance(cls, type):
            self._hold(row, cls, FirstUse(place=row.place, error=problem), "replace")
            return
        import warnings

        warnings.warn(str(problem), RuntimeWarning, stacklevel=2)

    def _bind(self, row: ReducerRow, module: "ModuleType") -> "Exception | None":
        """Bind `row` to the class that `module` has now; return what is wrong instead of raising it."""
        reducer = FirstUse(target=row.function, place=row.place)
        bound = self._bound[row]
        cls = find(module, _qualname(row.type))
        if bound is not None and bound.type is cls and not bound.broken:
            bound.renew(reducer)
            return None
        self._release(row)
        if not isinstance(cls, type):
            return _no_type(row, cls)
        function = reducer.peek()
        if function is not None and not callable(function):
            return reducer.error_for(f"{row.function} is not a function: {function!r}")
        try:
            self._hold(row, cls, reducer, self.on_conflict)
        except Exception as error:  # noqa: BLE001 - a ReducerError, which bind() raises and an import must not
            return error
        return None

    def _renew(self, row: ReducerRow) -> None:
        bound = self._bound[row]
        module = importhook.started(_module(row.type))
        if bound is not None and not bound.broken:
            bound.renew(FirstUse(target=row.function, place=row.place))
        elif bound is not None and module is not None:
            self._follow(row, module, False)

    def _hold(self, row: ReducerRow, cls: type, reducer: FirstUse, on_conflict: "OnConflict") -> None:
        # Kept before it is held, so that it can be undone wherever this is interrupted.
        self._bound[row] = share = Registration(cls, reducer.place)
        try:
            share.take(reducer, on_conflict)
        except Exception:
            self._bound[row] = None
            raise

    def _release(self, row: ReducerRow) -> None:
        bound = self._bound[row]
        if bound is not None:
            bound.undo()
        self._bound[row] = None


def _module(target: str) -> str:
    return target.partition(":")[0]


def _qualname(target: str) -> str:
    return target.partition(":")[2]


def _running(module: "Any") -> bool:
    return bool(getattr(getattr(module, "__spec__", None), "_initializing", False))


def _no_type(row: ReducerRow, found: "Any") -> Exception:
    from extreg.errors import ReducerError

    what = f"it is {found!r:.80}" if found is not None else f"{_module(row.type)} has no {_qualname(row.type)}"
    return ReducerError(f"{row.place}: {row.type} is no class that could be reduced: {what}", (row.place,))
