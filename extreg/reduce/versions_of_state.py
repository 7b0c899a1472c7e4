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
    """What a decorated class carries: its version, the way there, and the methods that the hooks displaced."""

    version: int
    steps: Mapping[int, Migration]
    unversioned: int
    own: Mapping[str, Any]


def versioned(
    version: int, migrations: Mapping[int, Migration] = MappingProxyType({}), unversioned: int = 1
) -> Callable[[_Class], _Class]:
    """Return a class decorator that stores `version` with each pickled state and brings older states up to date.

    ``migrations[n]`` takes the state of version n and returns that of version n + 1; the last result goes to the
    class's ``__setstate__``, or is set as pickle would (dict, or ``(dict or None, slots dict)``).  An object that was
    pickled without any state hands its migrations an empty one.  Pickles written before the class was decorated count
    as version `unversioned`.  ``copy`` and ``deepcopy`` pass the current version along, so nothing migrates.

    A subclass that is not decorated shares the version and migrations of its base; one that is has its own, and they
    see the whole state, so give it a version above any that its base ever had.  Put the decorator above
    ``@dataclass``, which may replace the class and its methods.

    What does not pass through a state cannot be versioned: arguments of a class's own ``__reduce__``, and an object
    that was pickled without any state before the class was decorated (its pickle sets none).

    Raises `MigrationError` here for a version outside 1..255, a step that is missing, or one that would never run;
    loading raises `StateVersionError` for a version newer than the class, or older than its first migration.
    """
    steps = dict(migrations)
    _check(version, steps, unversioned)

    def decorate(cls: _Class) -> _Class:
        if _MARK in vars(cls):
            raise MigrationError(f"{_target(cls)} is versioned twice")
        names = ["__reduce_ex__", "__setstate__"]
        # A class on a C container stores its items in C; a hook would slow every store down.  On PyPy what is not
        # written in Python is a function as well, with code of another kind.
        setitem = _inherited(cls, "__setitem__")
        if setitem is None or isinstance(getattr(setitem, "__code__", None), CodeType):
            names.append("__setitem__")
        own = {name: vars(cls)[name] for name in names if name in vars(cls)}
        plan = _Plan(version=version, steps=steps, unversioned=unversioned, own=own)
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

    hooks = (__reduce_ex__, __setstate__, __setitem__)
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


def _add_version(obj: Any, reduced: Any) -> Any:
    if isinstance(reduced, str):
        return reduced
    make, args, state, items, pairs, setter = (*reduced, None, None, None, None)[:6]
    if state is None and make not in _DEFAULT_MAKERS:
        return reduced
    if setter is not None:
        raise ReducerError(f"{_target(type(obj))}: a state with a setter of its own cannot be versioned")
    version = getattr(type(obj), _MARK).version
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
        hint = "the pickle was written by a newer release: deploy that, or migrate on the writing side"
        raise StateVersionError(_target(type(obj)), version, plan.version, hint)
    if version < plan.version:
        if version not in plan.steps:
            raise StateVersionError(_target(type(obj)), version, plan.version, f"add migrations[{version}]")
        if state is None and not _has_own(obj, "__setstate__"):
            state = {} if _own_attribute(obj, "__dict__") is not _MISSING else (None, {})
        for number in range(version, plan.version):
            former, state = state, plan.steps[number](state)
            if state is None and former is not None:
                raise MigrationError(f"{_target(type(obj))}: the migration from version {number} returned None")
    if state is None:
        return
    key = (get_ident(), id(obj), "load")
    _busy.add(key)
    try:
        _apply(obj, state)
    finally:
        _busy.discard(key)


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
