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

from extreg.reduce.firstuse import FirstUse

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Literal

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
    return hold(type, FirstUse(function=function, place=place), on_conflict)


_TYPE = type


class Registration:
    """One owner's share in one type's reducer; ``held`` is False if another was kept instead, or after `undo`."""

    def __init__(self, cls: type, layer: "_Layer | None", place: str) -> None:
        self.type = cls
        self.place = place
        self._layer = layer

    @property
    def held(self) -> bool:
        """Whether this registration still counts."""
        return self._layer is not None

    @property
    def broken(self) -> bool:
        """Whether the reducer only raises the error that kept the true one from being bound."""
        return self._layer is not None and self._layer.reducer.error is not None

    def undo(self) -> None:
        """Give the share back; with the last one the type gets what it had before. Twice is once."""
        with _lock:
            layer, self._layer = self._layer, None
            stack = _stacks.get(self.type)
            if layer is None or stack is None or layer not in stack.layers:
                return
            layer.owners.remove(self.place)
            if not layer.owners:
                stack.drop(layer)

    def renew(self, reducer: FirstUse) -> None:
        """Put `reducer` where ours stands: the function's module ran again and has a new one."""
        with _lock:
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
        with _lock:
            standing: Any = copyreg.dispatch_table.get(self.type)
            if standing is layer.reducer:
                copyreg.dispatch_table[self.type] = layer.stored = layer.reducer.function

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


def hold(cls: type, reducer: FirstUse, on_conflict: "OnConflict" = "error") -> Registration:
    """Register `reducer` for `cls` on behalf of the place it names; see `register`."""
    with _lock:
        current = copyreg.dispatch_table.get(cls)
        stack = _stacks.get(cls)
        if stack is not None and not stack.intact():
            stack = None  # begin anew from what is there
        if stack is not None and (top := stack.layers[-1]).reducer.same(reducer):
            top.owners.append(reducer.place)
            return Registration(cls, top, reducer.place)
        if stack is not None or (current is not None and reducer.peek() is not current):
            if on_conflict == "error":
                raise _conflict(cls, reducer, current, stack)
            if on_conflict == "keep":
                return Registration(cls, None, reducer.place)
        if stack is None:
            stack = _stacks[cls] = _Stack(cls)
        return Registration(cls, stack.push(reducer), reducer.place)


def snapshot() -> "Callable[[], None]":
    """Return a function that brings the table, and what is known of its owners, back to how they are now."""
    with _lock:
        table = dict(copyreg.dispatch_table)
        stacks = {
            cls: (stack, [(layer, list(layer.owners)) for layer in stack.layers]) for cls, stack in _stacks.items()
        }

    def restore() -> None:
        with _lock:
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

    return restore


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
