"""There and back: assertions that an object survives pickling and copying."""

import copy
import copyreg
import pickle
from collections.abc import Iterable, Iterator, Mapping, Set
from typing import Any, TypeVar

_T = TypeVar("_T")
_MOST = 20  # differences shown


def roundtrip(obj: _T, protocol: int | None = None) -> _T:
    """Return `obj` pickled and loaded under `protocol`, or under each from 2 to the highest and then the last of them.

    Raises AssertionError, with the attributes and items that differ, if what comes back is not equal. Objects of
    classes without an ``__eq__`` are equal if their attributes are. Errors of pickle itself are left as they are.
    """
    protocols: Iterable[int] = range(2, pickle.HIGHEST_PROTOCOL + 1) if protocol is None else (protocol,)
    for number in protocols:
        back: _T = pickle.loads(pickle.dumps(obj, number))  # noqa: S301 - dumped on the same line
        _compare(obj, back, f"pickle protocol {number}")
    return back


def copy_roundtrip(obj: _T) -> _T:
    """Return a deep copy of `obj`, having compared it and a shallow one with `obj`; raise as `roundtrip` does."""
    _compare(obj, copy.copy(obj), "copy.copy")
    back = copy.deepcopy(obj)
    _compare(obj, back, "copy.deepcopy")
    return back


def _compare(before: object, after: object, how: str) -> None:
    found = list(_Comparison().differences(before, after, type(before).__name__))
    if found:
        more = [f"and {len(found) - _MOST} more"] if len(found) > _MOST else []
        lines = "\n  ".join([*found[:_MOST], *more])
        raise AssertionError(f"{type(before).__qualname__} came back different from {how}:\n  {lines}")


class _Comparison:
    """One walk through two graphs of objects."""

    def __init__(self) -> None:
        self.seen: set[tuple[int, int]] = set()
        # How many parts had to be compared without ==, which makes the == of all that holds them worthless.
        self.without_eq = 0

    def differences(self, before: Any, after: Any, path: str) -> Iterator[str]:
        if before is after:
            return
        if type(before) is not type(after):
            yield f"{path}: {_name(before)} before, {_name(after)} after: {before!r:.60} and {after!r:.60}"
            return
        verdict = _equal(before, after)
        if verdict:
            return
        pair = (id(before), id(after))
        self.without_eq += verdict is None or pair in self.seen
        if pair in self.seen:
            return
        self.seen.add(pair)
        trusted = self.without_eq
        within = list(self.within(before, after, path))
        yield from within
        # Nothing in it differs, and nothing in it excuses == for saying so.
        if verdict is False and not within and self.without_eq == trusted:
            yield f"{path}: {before!r:.80} before, {after!r:.80} after"

    def within(self, before: Any, after: Any, path: str) -> Iterator[str]:
        if isinstance(before, Mapping):
            yield from self.keys(before, after, path, "[{!r}]")
        elif isinstance(before, (list, tuple)):
            if len(before) != len(after):
                yield f"{path}: {len(before)} items before, {len(after)} after"
            for index, (one, other) in enumerate(zip(before, after, strict=False)):
                yield from self.differences(one, other, f"{path}[{index}]")
        elif isinstance(before, Set):
            ours, theirs = sorted(map(repr, before - after)), sorted(map(repr, after - before))
            yield f"{path}: only before {', '.join(ours) or 'nothing'}; only after {', '.join(theirs) or 'nothing'}"
        yield from self.keys(_attributes(before), _attributes(after), path, ".{}")

    def keys(self, before: Mapping[Any, Any], after: Mapping[Any, Any], path: str, form: str) -> Iterator[str]:
        for key in before:
            here = path + form.format(key)
            if key in after:
                yield from self.differences(before[key], after[key], here)
            else:
                yield f"{here}: {before[key]!r:.60} before, missing after"
        for key in after:
            if key not in before:
                yield f"{path}{form.format(key)}: missing before, {after[key]!r:.60} after"


def _equal(before: Any, after: Any) -> bool | None:
    """Return what ``==`` says, or None where it says nothing: no ``__eq__``, no truth value, NaN."""
    eq: Any = type(before).__eq__
    if eq is object.__eq__:
        return None
    try:
        nan = bool(before != before and after != after)
        return None if nan else bool(before == after)
    except Exception:  # noqa: BLE001 - arrays have no truth value: look at their parts instead
        return None


def _attributes(obj: Any) -> dict[str, Any]:
    slots = copyreg._slotnames(type(obj))  # type: ignore[attr-defined]
    return {**{name: getattr(obj, name) for name in slots if hasattr(obj, name)}, **getattr(obj, "__dict__", {})}


def _name(obj: object) -> str:
    return f"{type(obj).__module__}.{type(obj).__qualname__}"
