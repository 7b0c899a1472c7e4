"""Reducers in `copyreg.dispatch_table`, with an owner each: `register`.

copyreg.pickle overwrites whatever reducer a type had and cannot be undone.  Here each type has a stack of reducers with
their owners: the same reducer registered twice is one layer with two owners, a conflict is an error unless the caller
replaces, and the last owner's undo uncovers what was there before.  What code outside extreg stored is never removed.

Light on imports: an installer with reducers to bind runs this at start-up.
"""

import copyreg
import os
import sys
from _thread import RLock

from extreg.ledger import locked
from extreg.reduce.firstuse import FirstUse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal, TypeVar

    T = TypeVar("T")
    OnConflict = Literal["error", "replace", "keep"]

_lock = RLock()  # reentrant: a destructor that the collector runs in here may itself dump something
_stacks: "dict[type, _Stack]" = {}


def _after_fork() -> None:
    global _lock
    _lock = RLock()  # the thread that held it is not in the child


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)


def register(type: type, function: "Callable[[Any], Any]", *, on_conflict: "OnConflict" = "error") -> "Registration":  # noqa: A002
    """Have every pickler of the process reduce objects of exactly `type` by ``function(obj)``, as copyreg.pickle does.

    Returns a `Registration`; its ``undo()``, or leaving it as a context manager, puts back what was there before.
    `function` returns what ``__reduce__`` may (a string, or a tuple of two to six items); the first time it is used
    its result is checked, and from then on it stands in `copyreg.dispatch_table` itself.

    Raises TypeError where copyreg.pickle does (and for a `type` that is none), and `ReducerError` if the type has
    another reducer, naming it and who holds it, unless `on_conflict` is ``"replace"``, which covers it until undo,
    or ``"keep"``, which leaves it and makes the registration an empty one.
    """
    if not isinstance(type, _TYPE):
        raise TypeError(f"expected a type, not {type!r}")
    if not callable(function):
        raise TypeError("reduction functions must be callable")  # as copyreg says it
    if isinstance(function, FirstUse):  # taken out of the dispatch table
        function = function.peek() or function
    caller = sys._getframe(1)
    place = f"{caller.f_code.co_filename}:{caller.f_lineno}"
    registration = Registration(type, place)
    try:
        registration.take(FirstUse(function=function, place=place), on_conflict)
        return registration  # noqa: TRY300 - even an interrupt at this line must undo it
    except BaseException:
        registration.undo()
        raise


_TYPE = type
_NOTHING = object()


def _locked(action: "Callable[..., T]", *arguments: "Any") -> "T":
    return locked(_lock, action, *arguments)


class Registration:
    """One owner's share in one type's reducer; ``held`` is False if another was kept instead, or after `undo`."""

    def __init__(self, cls: type, place: str) -> None:
        self.type = cls
        self.place = place
        self._layer: _Layer | None = None

    @property
    def held(self) -> bool:
        """Whether this registration still counts."""
        return self._layer is not None

    @property
    def broken(self) -> bool:
        """Whether the reducer only raises the error that kept the true one from being bound."""
        return self._layer is not None and self._layer.reducer.error is not None

    def take(self, reducer: FirstUse, on_conflict: "OnConflict") -> None:
        """Hold `reducer` for the type; see `register`. An interruption leaves everything as it was."""
        _locked(self._undisturbed, self._take, reducer, on_conflict)

    def undo(self) -> None:
        """Give the share back; with the last one the type gets what it had before. Twice is once."""
        _locked(self._undisturbed, self._undo)

    def renew(self, reducer: FirstUse) -> None:
        """Put `reducer` where ours stands: the function's module ran again and has a new one."""
        _locked(self._undisturbed, self._renew, reducer)

    def _undisturbed(self, action: "Callable[..., None]", *arguments: "Any") -> None:
        """Call `action`; where it is interrupted, bring back all that is known of the type."""
        stack, standing, own = _stacks.get(self.type), copyreg.dispatch_table.get(self.type, _NOTHING), self._layer
        layers = [(layer, layer.reducer, layer.stored, list(layer.owners)) for layer in (stack.layers if stack else ())]
        try:
            action(*arguments)
        except BaseException:
            self._layer = own
            if stack is not None:
                stack.layers[:] = [layer for layer, *_ in layers]
                _stacks[self.type] = stack
            else:
                _stacks.pop(self.type, None)
            for layer, reducer, stored, owners in layers:
                layer.reducer, layer.stored, layer.owners[:] = reducer, stored, owners
            if standing is not _NOTHING:
                copyreg.dispatch_table[self.type] = standing  # type: ignore[assignment]
            else:
                copyreg.dispatch_table.pop(self.type, None)
            raise

    def _take(self, reducer: FirstUse, on_conflict: "OnConflict") -> None:
        cls, current = self.type, copyreg.dispatch_table.get(self.type)
        stack = _stacks.get(cls)
        if stack is not None and not stack.intact():
            stack = None  # begin anew from what is there
        if stack is not None and (top := stack.layers[-1]).reducer.same(reducer):
            top.owners.append(reducer.place)
            self._layer = top
            return
        if stack is not None or (current is not None and reducer.peek() is not current):
            if on_conflict == "error":
                raise _conflict(cls, reducer, current, stack)
            if on_conflict == "keep":
                return
        if stack is None:
            stack = _stacks[cls] = _Stack(cls)
        self._layer = stack.push(reducer)

    def _undo(self) -> None:
        layer, self._layer = self._layer, None
        stack = _stacks.get(self.type)
        if layer is None or stack is None or layer not in stack.layers:
            return
        layer.owners.remove(self.place)
        if not layer.owners:
            stack.drop(layer)

    def _renew(self, reducer: FirstUse) -> None:
        stack = _stacks.get(self.type)
        if self._layer is not None and stack is not None and self._layer in stack.layers and stack.intact():
            stack.store(self._layer, reducer)

    def __enter__(self) -> "Registration":
        return self

    def __exit__(self, *_: object) -> None:
        self.undo()

    def __repr__(self) -> str:
        what = "not held" if self._layer is None else f"reduced by {self._layer.reducer!r}"
        return f"<Registration of {self.type.__module__}:{self.type.__qualname__}, {what}>"


class _Layer:
    def __init__(self, reducer: FirstUse) -> None:
        self.reducer = reducer
        self.stored: Any = None  # what stands in the dispatch table for it
        self.owners = [reducer.place]


class _Stack:
    """The reducers of one type: the one in force last, and beneath them all what was there before us."""

    def __init__(self, cls: type) -> None:
        self.type = cls
        self.former = copyreg.dispatch_table.get(cls)
        self.layers: list[_Layer] = []

    def intact(self) -> bool:
        """Whether the table holds what we stored; code outside extreg may store over it, or empty the table."""
        return copyreg.dispatch_table.get(self.type) is self.layers[-1].stored

    def push(self, reducer: FirstUse) -> _Layer:
        layer = _Layer(reducer)
        shared = not self.layers and self.former is not None and reducer.peek() is self.former
        self.layers.append(layer)
        if shared:
            layer.stored = self.former  # registered by others as well: nothing to store, nothing to take away
        else:
            self.store(layer, reducer)
        return layer

    def store(self, layer: _Layer, reducer: FirstUse) -> None:
        layer.reducer = layer.stored = reducer
        reducer.settle = lambda: self.settle(layer)
        if layer is self.layers[-1]:
            copyreg.dispatch_table[self.type] = reducer

    def settle(self, layer: _Layer) -> None:
        """Let the function itself stand where its first use was awaited: from here on the check costs nothing."""
        _locked(self._settle, layer)

    def _settle(self, layer: _Layer) -> None:
        standing: Any = copyreg.dispatch_table.get(self.type)
        if standing is layer.reducer:
            try:
                copyreg.dispatch_table[self.type] = layer.stored = layer.reducer.function
            except BaseException:  # what stands in the table and is not noted would be taken for somebody else's
                copyreg.dispatch_table[self.type] = layer.stored = standing
                raise

    def drop(self, layer: _Layer) -> None:
        uncover = layer is self.layers[-1] and self.intact()
        self.layers.remove(layer)
        if not self.layers:
            del _stacks[self.type]
        if not uncover:
            return
        beneath = self.layers[-1].stored if self.layers else self.former
        if beneath is not None:
            copyreg.dispatch_table[self.type] = beneath
        else:
            del copyreg.dispatch_table[self.type]


def snapshot() -> "Callable[[], None]":
    """Return a function that brings the table, and what is known of its owners, back to how they are now."""
    table, stacks = _locked(_copied)
    return lambda: _locked(_restore, table, stacks)


def _copied() -> "tuple[dict[Any, Any], dict[type, tuple[_Stack, list[tuple[_Layer, list[str]]]]]]":
    stacks = {cls: (stack, [(layer, list(layer.owners)) for layer in stack.layers]) for cls, stack in _stacks.items()}
    return dict(copyreg.dispatch_table), stacks


def _restore(table: "dict[Any, Any]", stacks: "dict[type, tuple[_Stack, list[tuple[_Layer, list[str]]]]]") -> None:
    copyreg.dispatch_table.clear()
    copyreg.dispatch_table.update(table)
    _stacks.clear()
    for cls, (stack, layers) in stacks.items():
        _stacks[cls] = stack
        stack.layers[:] = [layer for layer, _ in layers]
        for layer, owners in layers:
            layer.owners[:] = owners
        if stack.layers:
            stack.layers[-1].stored = table.get(cls)


def _conflict(cls: type, reducer: FirstUse, current: "Any", stack: "_Stack | None") -> Exception:
    from extreg.errors import ReducerError

    owners: list[str] = []
    if stack is not None:
        owners = stack.layers[-1].owners
        held = f"{', '.join(map(str, owners))} has it reduced by {stack.layers[-1].reducer!r}"
    else:
        code = getattr(current, "__code__", None)
        place = f" ({code.co_filename}:{code.co_firstlineno})" if code is not None else ""
        name = f"{getattr(current, '__module__', '?')}:{getattr(current, '__qualname__', repr(current))}"
        held = f"copyreg.dispatch_table holds {name}{place}, registered by code outside extreg"
    message = f"{reducer.place}: {cls.__module__}:{cls.__qualname__} is to be reduced by {reducer!r}, but {held}"
    return ReducerError(message, (reducer.place, *owners))
