"""State that knows its version: `versioned`.

How the version travels
=======================

pickle ends a plain object with its state and BUILD, which calls ``__setstate__`` (PEP 307).  A versioned object ends
with its version, the same state and SETITEM, which calls ``obj[version] = state``::

    undecorated   EXT2 lo hi  EMPTY_TUPLE NEWOBJ MEMOIZE               <state>  BUILD
    versioned     EXT2 lo hi  EMPTY_TUPLE NEWOBJ MEMOIZE  BININT1 <n>  <state>  SETITEM

BININT1 and its argument are two bytes, SETITEM takes the place of BUILD: two bytes more, under every protocol from 1
to 5, whatever the state is.  (Wrapping the state in a tuple would be four or five: pickle memoizes every tuple but
the empty one.)  The state goes through pickle untouched, so what it shares with other objects stays shared, and a
class without ``__setitem__`` cannot have produced SETITEM before it was decorated: there is nothing to confuse it with.

What differs:

- An object without any state has no BUILD to replace: BININT1 n BUILD, three bytes.  Were the class to have a
  ``__setstate__`` of its own, an int might be a state of that class, so there it is BININT1 n NONE SETITEM: four.
- A class with a ``__setitem__`` of its own, or derived from dict or list, uses SETITEM itself, so its version has to
  travel within the state.  A default state, dict or ``(dict, slots dict)``, becomes a tuple of odd length that ends
  with the version, ``(name, value, ..., n)`` or ``(dict, slots dict, n)``: one or two bytes more, for a tuple of names
  and values is smaller than the dict.  What a ``__getstate__`` returned is wrapped as ``(state, {None: n})``, which
  no default state can be: eight to ten.

With ``write=n`` the state is brought back to version n by ``reverse``, and n stands in the place of the class's
version, for readers that know no newer one.  Where n is ``unversioned`` the bytes are those of the undecorated class,
which is all that readers without the decorator can load; only an object without any state gets an empty one.
"""

from __future__ import annotations

import copyreg
import sys
from _thread import get_ident
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import chain
from types import CodeType, FunctionType, MappingProxyType
from typing import Any, TypeVar

from extreg.errors import MigrationError, ReducerError, StateVersionError
from extreg.reduce.copies import copied

Migration = Callable[[Any], Any]
_Class = TypeVar("_Class", bound=type)

_MARK = "__extreg_versioned__"
_MISSING: Any = object()
_HIGHEST = 255  # what BININT1 holds
# What "no reducer of its own" looks like: the functions that object.__reduce_ex__ rebuilds an object with.
_DEFAULT_MAKERS = (copyreg.__newobj__, copyreg.__newobj_ex__, copyreg._reconstructor)  # type: ignore[attr-defined]
# (thread, object, what is being done to it): a hook that is reached through super() passes through.
_busy: set[tuple[int, int, str]] = set()


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class _Plan:
    """What a decorated class carries: its version, the ways there and back, and the methods that hooks displaced."""

    version: int
    steps: Mapping[int, Migration]
    unversioned: int
    write: int | None
    reverse: Mapping[int, Migration]
    own: Mapping[str, Any]


def versioned(
    version: int,
    migrations: Mapping[int, Migration] = MappingProxyType({}),
    unversioned: int = 1,
    *,
    write: int | None = None,
    reverse: Mapping[int, Migration] = MappingProxyType({}),
) -> Callable[[_Class], _Class]:
    """Return a class decorator that stores `version` with each pickled state and brings older states up to date.

    ``migrations[n]`` takes the state of version n and returns that of version n + 1; the last result goes to the
    class's ``__setstate__``, or is set as pickle would (dict, or ``(dict or None, slots dict)``).  An object that was
    pickled without any state hands its migrations an empty one.  Pickles written before the class was decorated count
    as version `unversioned`.  ``copy`` and ``deepcopy`` pass the current version along, so nothing migrates.

    Readers that do not know `version` yet refuse it (those without the decorator with a TypeError).  As long as there
    are any, let `write` be the version that they know: every version is read, and that one is written; where it is
    `unversioned`, as the undecorated class would.  ``reverse[n]`` undoes ``migrations[n]``: it takes the state of
    version n + 1 and returns that of version n.  The dict or list that it gets is its own, what that refers to is the
    living object's.  It may stay where `write` is gone, for the day that it is needed again.

    A subclass that is not decorated shares the version and migrations of its base; one that is has its own, and they
    see the whole state, so give it a version above any that its base ever had.  Put the decorator above
    ``@dataclass``, which may replace the class and its methods.

    What does not pass through a state cannot be versioned: arguments of a class's own ``__reduce__``, and an object
    that was pickled without any state before the class was decorated (its pickle sets none).

    Raises `MigrationError` here for a version outside 1..255, a step there or back that is missing, or one that would
    never run; loading raises `StateVersionError` for a version newer than the class, or older than its first migration.
    """
    steps, back = dict(migrations), dict(reverse)
    _check(version, steps, unversioned)
    _check_write(version, steps, write, back)

    def decorate(cls: _Class) -> _Class:
        if _MARK in vars(cls):
            raise MigrationError(f"{_target(cls)} is versioned twice")
        names = ["__reduce_ex__", "__setstate__"]
        # A class on a C container stores its items in C; a hook would slow every store down.  On PyPy what is not
        # written in Python is a function as well, with code of another kind.
        setitem = _inherited(cls, "__setitem__")
        if setitem is None or isinstance(getattr(setitem, "__code__", None), CodeType):
            names.append("__setitem__")
        if write is not None and write < version:
            names += ["__copy__", "__deepcopy__"]
        own = {name: vars(cls)[name] for name in names if name in vars(cls)}
        plan = _Plan(version=version, steps=steps, unversioned=unversioned, write=write, reverse=back, own=own)
        setattr(cls, _MARK, plan)
        for hook in _hooks(plan):
            if hook.__name__ in names:
                setattr(cls, hook.__name__, hook)
        return cls

    return decorate


def _check(version: int, steps: dict[int, Migration], unversioned: int) -> None:
    for what, number in (("version", version), ("unversioned", unversioned)):
        if not _is_version(number):
            raise MigrationError(f"{what} must be an int from 1 to {_HIGHEST}, not {number!r}")
    if unversioned > version:
        raise MigrationError(f"unversioned pickles cannot be newer ({unversioned}) than the class ({version})")
    for number, step in steps.items():
        if not _is_version(number) or not callable(step):
            raise MigrationError(f"migrations must map a version to a function, not {number!r} to {step!r}")
    needed = range(min([unversioned, *steps]), version)
    missing = [number for number in needed if number not in steps]
    if missing:
        ways = ", ".join(f"{number} to {number + 1}" for number in missing)
        raise MigrationError(f"no migration from version {ways}", f"migrations={{{missing[0]}: function, ...}}")
    surplus = sorted(set(steps) - set(needed))
    if surplus:
        raise MigrationError(f"the migration from version {surplus[0]} never runs: the class has version {version}")


def _check_write(version: int, steps: dict[int, Migration], write: int | None, back: dict[int, Migration]) -> None:
    for number, step in back.items():
        if not _is_version(number) or not callable(step):
            raise MigrationError(f"reverse must map a version to a function, not {number!r} to {step!r}")
        if number not in steps:
            raise MigrationError(f"reverse leads back to version {number}, from which no migration leads on")
    if write is None:
        return
    if not _is_version(write):
        raise MigrationError(f"write must be an int from 1 to {_HIGHEST}, not {write!r}")
    if write > version:
        raise MigrationError(f"version {write} cannot be written: the class has version {version}")
    if write < version and write not in steps:
        raise MigrationError(
            f"version {write} would be written, and nothing would read it", f"migrations={{{write}: function, ...}}"
        )
    missing = [number for number in range(version - 1, write - 1, -1) if number not in back]
    if missing:
        ways = ", ".join(f"{number + 1} to {number}" for number in missing)
        raise MigrationError(f"no way back from version {ways}", f"reverse={{{missing[0]}: function, ...}}")


def _is_version(value: object) -> bool:
    return type(value) is int and 1 <= value <= _HIGHEST


def _target(cls: type) -> str:
    return f"{cls.__module__}:{cls.__qualname__}"


def _hooks(plan: _Plan) -> tuple[Callable[..., Any], ...]:
    """Return the methods of a class decorated with `plan`; they know their place in a class hierarchy by it."""

    def __reduce_ex__(self: Any, protocol: int) -> Any:  # noqa: N807
        reduced = _inherited(type(self), "__reduce_ex__", plan).__get__(self, type(self))
        key = (get_ident(), id(self), "reduce")
        if key in _busy:
            return reduced(protocol)
        _busy.add(key)
        try:
            return _add_version(self, reduced(protocol))
        finally:
            _busy.discard(key)

    def __copy__(self: Any) -> Any:  # noqa: N807
        return _copied(self, plan, "__copy__")

    def __deepcopy__(self: Any, memo: dict[int, Any]) -> Any:  # noqa: N807
        return _copied(self, plan, "__deepcopy__", memo)

    def __setstate__(self: Any, state: Any) -> None:  # noqa: N807
        if (get_ident(), id(self), "load") in _busy:
            # A __setstate__ that the class or a subclass wrote calls super(): by then the state has been migrated.
            _apply(self, state, plan)
        else:
            _load(self, *_unwrap(self, state))

    def __setitem__(self: Any, key: Any, value: Any) -> None:  # noqa: N807
        own = _inherited(type(self), "__setitem__", plan)
        if _is_version(key) and ((own is None and isinstance(value, (dict, tuple, list))) or _is_blank(self)):
            _load(self, key, value)
        elif own is not None:
            own.__get__(self, type(self))(key, value)
        else:
            raise TypeError(f"{type(self).__name__!r} object does not support item assignment")

    hooks = (__reduce_ex__, __setstate__, __setitem__, __copy__, __deepcopy__)
    for hook in hooks:
        vars(hook)[_MARK] = True
    return hooks


def _inherited(cls: type, name: str, beyond: _Plan | None = None) -> Any:
    """Return what `cls` would have as method `name` without our hooks, or None.

    With `beyond`, only the class that carries that plan and those after it in the MRO are asked, as by super().
    """
    for base in cls.__mro__:
        attributes = base.__dict__
        plan = attributes.get(_MARK)
        if beyond is not None:
            if plan is not beyond:
                continue
            beyond = None
        found = plan.own.get(name) if plan is not None else None
        if found is not None:
            return found
        found = attributes.get(name)
        if found is not None and not (type(found) is FunctionType and _MARK in found.__dict__):
            return found
    return None


def _copied(obj: Any, plan: _Plan, name: str, *memo: dict[int, Any]) -> Any:
    """Copy `obj` as its class does, or else as `copy` does, and let it reduce to its current state meanwhile."""
    own = _inherited(type(obj), name, plan)
    key = (get_ident(), id(obj), "copy")
    outermost = key not in _busy
    _busy.add(key)
    try:
        return copied(obj, *memo) if own is None else own.__get__(obj, type(obj))(*memo)
    finally:
        if outermost:
            _busy.discard(key)


def _add_version(obj: Any, reduced: Any) -> Any:
    if isinstance(reduced, str):
        return reduced
    make, args, state, items, pairs, setter = (*reduced, None, None, None, None)[:6]
    if state is None and make not in _DEFAULT_MAKERS:
        return reduced
    if setter is not None:
        raise ReducerError(f"{_target(type(obj))}: a state with a setter of its own cannot be versioned")
    plan = getattr(type(obj), _MARK)
    version = plan.version
    if plan.write is not None and (get_ident(), id(obj), "copy") not in _busy:
        version = plan.write
        if version < plan.version:
            state = _migrated(obj, _own_copy(state), plan.reverse, range(plan.version - 1, version - 1, -1))
        if version == plan.unversioned:
            return make, args, state, items, pairs
        if reduced[2:3] in ((), (None,)) and state in ({}, (None, {})):
            state = None
    if state is None and not _has_own(obj, "__setstate__"):
        return make, args, version, items, pairs
    if pairs is not None or _has_own(obj, "__setitem__") or not hasattr(type(obj), "__setitem__"):
        return make, args, _wrap(obj, state, version), items, pairs
    return make, args, None, items, iter(((version, state),))


def _has_own(obj: Any, name: str) -> bool:
    return _inherited(type(obj), name) is not None


def _has_default_state(obj: Any) -> bool:
    get = getattr(type(obj), "__getstate__", None)
    return get is getattr(object, "__getstate__", None) and not _has_own(obj, "__setstate__")


def _wrap(obj: Any, state: Any, version: int) -> tuple[Any, ...]:
    """Return a state for BUILD that holds `version` as well."""
    if _has_default_state(obj):
        if type(state) is dict:
            return (*chain.from_iterable(state.items()), version)
        if type(state) is tuple and len(state) == 2:
            return (*state, version)
    return state, {None: version}


def _unwrap(obj: Any, state: Any) -> tuple[int, Any]:
    """Return version and state of what BUILD brought."""
    if type(state) is tuple and state:
        *rest, mark = state
        if len(state) == 2 and type(mark) is dict and len(mark) == 1 and _is_version(mark.get(None)):
            return mark[None], state[0]
        if len(state) % 2 == 1 and _is_version(mark) and _has_default_state(obj):
            if len(state) == 3 and not isinstance(state[0], str):
                return mark, tuple(rest)
            return mark, dict(zip(rest[::2], rest[1::2], strict=True))
    if _is_version(state) and not _has_own(obj, "__setstate__"):
        return state, None
    return getattr(type(obj), _MARK).unversioned, state


def _load(obj: Any, version: int, state: Any) -> None:
    """Bring `state` from `version` to that of the class and give it to `obj`."""
    plan = getattr(type(obj), _MARK)
    if version > plan.version:
        hint = f"a newer release wrote it: deploy that here as well, and until then let it write={plan.version}"
        raise StateVersionError(_target(type(obj)), version, plan.version, hint)
    if version < plan.version:
        if version not in plan.steps:
            raise StateVersionError(_target(type(obj)), version, plan.version, f"add migrations[{version}]")
        state = _migrated(obj, state, plan.steps, range(version, plan.version))
    if state is None:
        return
    key = (get_ident(), id(obj), "load")
    _busy.add(key)
    try:
        _apply(obj, state)
    finally:
        _busy.discard(key)


def _migrated(obj: Any, state: Any, steps: Mapping[int, Migration], numbers: range) -> Any:
    """Return what the `steps` of these `numbers` make of a state of `obj`, one after the other."""
    if state is None and not _has_own(obj, "__setstate__"):
        state = {} if _own_attribute(obj, "__dict__") is not _MISSING else (None, {})
    for number in numbers:
        former, state = state, steps[number](state)
        if state is None and former is not None:
            step = f"migration from version {number}" if numbers.step > 0 else f"way back to version {number}"
            raise MigrationError(f"{_target(type(obj))}: the {step} returned None")
    return state


def _own_copy(state: Any) -> Any:
    """Return `state` as one that may be changed: pickle hands out the ``__dict__`` of the living object."""
    if type(state) in (dict, list):
        return state.copy()
    if type(state) is tuple and len(state) == 2:
        return tuple(part.copy() if type(part) is dict else part for part in state)
    return state


def _apply(obj: Any, state: Any, beyond: _Plan | None = None) -> None:
    own = _inherited(type(obj), "__setstate__", beyond)
    if own is not None:
        own.__get__(obj, type(obj))(state)
        return
    # As load_build in Lib/pickle.py, but a class that gave up its __dict__ for slots takes a dict too.
    slots = None
    if isinstance(state, tuple) and len(state) == 2:
        state, slots = state
    if state:
        attributes = _own_attribute(obj, "__dict__")
        if attributes is _MISSING:
            slots = {**state, **(slots or {})}
        else:
            for name, value in state.items():
                attributes[sys.intern(name) if type(name) is str else name] = value
    if slots:
        for name, value in slots.items():
            setattr(obj, name, value)


def _is_blank(obj: Any) -> bool:
    """Tell whether `obj` is as ``__new__`` left it: nothing in its ``__dict__``, no slot set."""
    if _own_attribute(obj, "__dict__") not in (_MISSING, {}):
        return False
    slots = copyreg._slotnames(type(obj))  # type: ignore[attr-defined]
    return all(_own_attribute(obj, name) is _MISSING for name in slots)


def _own_attribute(obj: Any, name: str) -> Any:
    """Return the attribute, past any ``__getattr__``: few of those bear an object that has nothing yet."""
    try:
        return object.__getattribute__(obj, name)
    except AttributeError:
        return _MISSING
