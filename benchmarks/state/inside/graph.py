"""What an object holds: its attributes, and the library's objects that can be reached from it."""

import enum
from collections.abc import Iterator
from typing import Any

MOST = 3000  # objects looked at for one root
_ATOMS = (str, bytes, int, float)
_CONTAINERS = (list, tuple, set, frozenset)


def name_of(kind: type) -> str:
    """Return a class as its target, ``module:qualname``."""
    return f"{kind.__module__}:{kind.__qualname__}"


def attributes(obj: object) -> dict[str, Any]:
    """Return what stands in the object's dictionary and in its slots, by name; no property is asked."""
    found: dict[str, Any] = {}
    for kind in type(obj).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else tuple(slots):
            name = f"_{kind.__name__.lstrip('_')}{slot}" if slot.startswith("__") and not slot.endswith("__") else slot
            member = kind.__dict__.get(name)
            if slot in ("__dict__", "__weakref__") or type(member).__name__ != "member_descriptor":
                continue
            try:
                found[name] = member.__get__(obj, type(obj))
            except AttributeError:
                continue
    try:
        own = object.__getattribute__(obj, "__dict__")
    except AttributeError:
        own = {}
    if isinstance(own, dict):
        found.update((name, value) for name, value in own.items() if isinstance(name, str))
    return found


def parts(root: object, package: tuple[str, ...]) -> Iterator[object]:
    """Yield the objects reachable from `root` whose classes one of the packages defines, Enum members left out."""
    seen, waiting = set(), [root]
    kept = []  # an id is only an object's as long as it lives
    while waiting and len(seen) < MOST:
        obj = waiting.pop()
        ours = type(obj).__module__.partition(".")[0] in package
        if id(obj) in seen or isinstance(obj, (type, enum.Enum)) or (not ours and isinstance(obj, _ATOMS)):
            continue
        seen.add(id(obj))
        kept.append(obj)
        if ours:
            yield obj
            waiting.extend(attributes(obj).values())
        if isinstance(obj, dict):
            waiting.extend(dict.keys(obj))
            waiting.extend(dict.values(obj))
        elif isinstance(obj, _CONTAINERS):
            waiting.extend(_plain(obj))


def _plain(obj: Any) -> Iterator[Any]:
    """Yield the items by the builtin's own iterator: a subclass may think otherwise, or break."""
    for kind in _CONTAINERS:
        if isinstance(obj, kind):
            yield from kind.__iter__(obj)


def certain(root: object, package: tuple[str, ...]) -> dict[str, list[str]]:
    """Return, by class, the attributes that all of its objects under `root` have."""
    found: dict[str, set[str]] = {}
    for obj in parts(root, package):
        names = set(attributes(obj))
        found[name_of(type(obj))] = found.get(name_of(type(obj)), names) & names
    return {name: sorted(names) for name, names in found.items()}
