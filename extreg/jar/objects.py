"""What a pickle has become: an object as it is seen without asking its own methods, the same under every Python.

Attributes are read where they lie, past ``__getattr__`` and properties.  What lies nowhere that Python could see it, as
in types written in C, is what the object says to pickle.  Of the standard library what is shown is what its objects
mean: their insides differ from version to version.
"""

import copyreg
import enum
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from types import BuiltinFunctionType, BuiltinMethodType, FunctionType, MethodType, ModuleType
from typing import Any, Final, NamedTuple

from extreg.jar import literals
from extreg.jar.certain import Lack, is_standard, lacking
from extreg.jar.drawing import Look, Looks, Part, draw
from extreg.registry.model import Registry
from extreg.registry.target import is_target

_FUNCTIONS: Final = (FunctionType, BuiltinFunctionType, BuiltinMethodType, MethodType)
# Where a version of Python keeps what it calls otherwise to the world.
_PRIVATE: Final = {
    "pathlib._local": "pathlib",
    "_decimal": "decimal",
    "_pydecimal": "decimal",
    "_pydatetime": "datetime",
}
_MISSING: Final = object()


class ObjectLooks(Looks):
    """Looks at objects; `registry` says what their classes are called today."""

    def __init__(self, registry: Registry) -> None:
        super().__init__()
        self._registry = registry
        self._names: dict[type, str] = {}

    def see(self, value: Any) -> Look:
        """Return what is seen of an object."""
        cls = type(value)
        plain = _PLAIN.get(cls)
        if plain is not None:
            return Look(plain(value))
        if issubclass(cls, type):
            return Look(f"global {self._target(value)}")
        if issubclass(cls, _FUNCTIONS):
            return self._function(value)
        if issubclass(cls, ModuleType):
            return Look(f"module {literals.name(str(value.__name__))}")
        if issubclass(cls, enum.Enum):
            return self._member(value)
        parts = list(self._parts(value, cls))
        named = cls.__name__ if cls in _BOXES and cls is not deque else self._target(cls)
        return Look(f"{named}{self._content(value, cls)}", parts, bool(parts) or _is_changeable(cls))

    def name_of(self, cls: type) -> str:
        """Return the target of a class as the registry calls it today."""
        known = self._names.get(cls)
        if known is None:
            module = _text(cls.__module__)
            spelled = f"{_PRIVATE.get(module, module)}:{_text(cls.__qualname__)}"
            known = self._names[cls] = self._registry.current(spelled) if is_target(spelled) else spelled
        return known

    def _target(self, cls: type) -> str:
        return literals.target(self.name_of(cls))

    def _function(self, value: Any) -> Look:
        owner = getattr(value, "__self__", None)
        if owner is None or isinstance(owner, ModuleType):
            return Look(f"global {literals.target(f'{value.__module__}:{value.__qualname__}')}")
        return Look(f"method {literals.name(value.__name__)}", [("(of)", owner)])

    def _member(self, value: enum.Enum) -> Look:
        cls, own = type(value), value._value_
        shown = self.look(own).label
        if isinstance(value, enum.Flag) or value._name_ is None:
            return Look(f"{self._target(cls)} {shown}")
        return Look(f"{self._target(cls)} {literals.name(value._name_)} = {shown}")

    def _content(self, value: Any, cls: type) -> str:
        """Return what stands behind the name of a class: what the object is worth, or how much it holds."""
        meaning = _meaning_of(cls)
        if meaning is not None:
            return f" {meaning(value)}"
        for base in cls.__mro__:
            if base in _PLAIN:
                return f" {_PLAIN[base](value)}"
            if base in _BOXES:
                return f" ({base.__len__(value)})"  # type: ignore[attr-defined]
        return ""

    def _parts(self, value: Any, cls: type) -> Iterator[Part]:
        known = _meaning_of(cls) is not None
        shown = known or cls in _EXTRAS or cls in _BOXES
        attributes = [] if shown and is_standard(cls) else list(attributes_of(value, slots=not known))
        yield from ((f".{literals.name(_text(name))}", found) for name, found in sorted(attributes, key=_by_name))
        if known:
            zone = getattr(value, "tzinfo", None)
            yield from [] if zone is None else [(".tzinfo", zone)]
            return
        seen = any(base in _PLAIN for base in cls.__mro__)
        for base in cls.__mro__:
            if base in _EXTRAS:
                seen = True
                # On PyPy some of them are attributes as well.
                own = {f".{name}" for name, _ in attributes}
                yield from (part for part in _EXTRAS[base](value) if part[0] not in own)
            if base in _BOXES:
                seen = True
                yield from self._items(value, base)
                break
        if not seen and _reduces_in_c(cls):
            yield from self._reduced(value, dict(attributes))

    def _items(self, value: Any, base: Any) -> Iterator[Part]:
        if base is dict:
            yield from ((f"[{self.key(key)}]", found) for key, found in dict.items(value))
        elif base in {set, frozenset}:
            yield from self.sorted(base.__iter__(value))
        else:
            fields = _fields_of(value) if base is tuple else None
            for number, found in enumerate(base.__iter__(value)):
                yield (f".{literals.name(fields[number])}" if fields else f"[{number}]"), found

    def _reduced(self, value: Any, attributes: dict[str, Any]) -> Iterator[Part]:
        """Yield what an object written in C says to pickle, but for the attributes that are seen."""
        try:
            reduced = value.__reduce_ex__(4)
        except Exception:  # noqa: BLE001 - what cannot be pickled has nothing to say
            return
        if not isinstance(reduced, tuple):
            return
        args, state, items, pairs = (*reduced, None, None, None)[1:5]
        yield from ((f"({number})", part) for number, part in enumerate(args))
        if state is not None and state != attributes:
            yield "(state)", state
        yield from ((f"[{number}]", part) for number, part in enumerate(items or ()))
        yield from ((f"[{self.key(key)}]", part) for key, part in pairs or ())


class TypeLooks(ObjectLooks):
    """Looks at objects and sees their types, and keys, but not what they are worth."""

    def __init__(self, registry: Registry) -> None:
        super().__init__(registry)
        self._keys = ObjectLooks(registry)

    def see(self, value: Any) -> Look:
        """Return what is seen of an object."""
        cls = type(value)
        return Look(cls.__name__) if cls in _PLAIN else super().see(value)

    def key(self, value: Any, depth: int = 0) -> str:
        """Return a key as it is."""
        return self._keys.key(value, depth)

    def _content(self, value: Any, cls: type) -> str:
        return super()._content(value, cls) if any(base in _BOXES for base in cls.__mro__) else ""


def attributes_of(value: Any, *, slots: bool = True) -> Iterator[tuple[str, Any]]:
    """Yield the attributes that lie in an object, in its ``__dict__`` and its `slots`, without asking it."""
    for base in type(value).__mro__:
        own = base.__dict__.get("__dict__")
        if own is not None and hasattr(type(own), "__get__"):
            found = own.__get__(value)
            if isinstance(found, dict):
                yield from list(dict.items(found))
            break
    for name in copyreg._slotnames(type(value)) if slots else ():  # type: ignore[attr-defined]
        found = slot_value(value, name)
        if found is not _MISSING:
            yield name, found


def slot_value(value: Any, name: str, default: object = _MISSING) -> Any:
    """Return what lies in the slot `name` of an object, or `default` where that is empty or no slot."""
    for base in type(value).__mro__:
        descriptor = base.__dict__.get(name)
        if descriptor is not None:
            try:
                return descriptor.__get__(value, type(value))
            except AttributeError:
                return default
    return default


class Gap(NamedTuple):
    """A ``lack`` of an object of class ``owner``, and its ``place``; ``line`` is the object's in the tree, from 0."""

    place: str
    owner: str
    line: int
    lack: Lack


def tree_of_object(root: Any, looks: ObjectLooks) -> tuple[list[str], list[Gap], list[Any]]:
    """Return the lines that show what a pickle has become, what its objects lack, and all objects in it."""
    lines: list[str] = []
    lacks: list[Gap] = []
    objects: list[Any] = []
    for line, place, value in draw(root, looks):
        lines.append(line)
        if not isinstance(value, _NEVER_LACKING):
            objects.append(value)
            owner = looks.name_of(type(value))
            lacks += (Gap(f"{place}.{lack.name}", owner, len(lines) - 1, lack) for lack in lacking(value))
    return lines, lacks, objects


def _fields_of(value: tuple[Any, ...]) -> tuple[str, ...] | None:
    """Return the names of the items of a named tuple; None of any other."""
    fields = getattr(type(value), "_fields", None)
    if type(fields) is tuple and len(fields) == tuple.__len__(value) and all(type(name) is str for name in fields):
        return fields
    return None


def _text(name: object) -> str:
    return name if type(name) is str else str(name)


def _by_name(attribute: tuple[Any, Any]) -> str:
    return _text(attribute[0])


def _meaning_of(cls: type) -> Callable[[Any], str] | None:
    """Return what tells the meaning of an object, so that its insides need not be seen."""
    for base in cls.__mro__[:-1]:
        found = _MEANINGS.get(f"{_PRIVATE.get(base.__module__, base.__module__)}:{base.__qualname__}")
        if found is not None:
            return found
    return None


def _is_changeable(cls: type) -> bool:
    """Tell whether it matters that two of a class without anything in them are one."""
    if cls in {tuple, frozenset} or _meaning_of(cls) is not None:
        return False
    return not any(base in _PLAIN for base in cls.__mro__)


def _reduces_in_c(cls: type) -> bool:
    """Tell whether a class has a way to be pickled that is not written in Python, and so may hold what nobody sees."""
    for name in ("__reduce_ex__", "__reduce__", "__getstate__"):
        found = getattr(cls, name, None)
        if found is not getattr(object, name, None) and not isinstance(found, (FunctionType, MethodType)):
            return True
    return False


def _meaning(name: str) -> Callable[[Any], str]:
    """Return what asks a class of the standard library for the string of an object."""
    return lambda value: literals.text(str(_base_of(value, name).__str__(value)))


def _base_of(value: Any, name: str) -> Any:
    return next(base for base in type(value).__mro__ if base.__name__ == name)


def _iso(name: str) -> Callable[[Any], str]:
    return lambda value: literals.text(_base_of(value, name).isoformat(value))


def _timedelta(value: Any) -> str:
    return f"{value.days} days, {value.seconds} s, {value.microseconds} us"


def _pattern(value: Any) -> str:
    shown = literals.text(value.pattern) if isinstance(value.pattern, str) else literals.octets(value.pattern)
    return f"{shown}, flags {int(value.flags)}"


def _array(value: Any) -> str:
    return f"{value.typecode} ({len(value)}) {literals.octets(value.tobytes())}"


def _random(value: Any) -> str:
    return f"sha256 {literals.digest(repr(_base_of(value, 'Random').getstate(value)).encode())}"


# What objects of the standard library mean, by the names of their classes.
_MEANINGS: Final[dict[str, Callable[[Any], str]]] = {
    "datetime:datetime": lambda value: f"{_iso('datetime')(value)}{' (fold)' if value.fold else ''}",
    "datetime:date": _iso("date"),
    "datetime:time": lambda value: f"{_iso('time')(value)}{' (fold)' if value.fold else ''}",
    "datetime:timedelta": _timedelta,
    "datetime:timezone": lambda value: f"{literals.text(value.tzname(None))}, {_timedelta(value.utcoffset(None))}",
    "zoneinfo:ZoneInfo": lambda value: literals.text(str(value.key)),
    "decimal:Decimal": _meaning("Decimal"),
    "fractions:Fraction": lambda value: f"{literals.integer(value.numerator)}/{literals.integer(value.denominator)}",
    "uuid:UUID": _meaning("UUID"),
    "pathlib:PurePath": _meaning("PurePath"),
    "ipaddress:IPv4Address": _meaning("IPv4Address"),
    "ipaddress:IPv6Address": _meaning("IPv6Address"),
    "ipaddress:IPv4Interface": _meaning("IPv4Interface"),
    "ipaddress:IPv6Interface": _meaning("IPv6Interface"),
    "ipaddress:IPv4Network": lambda value: literals.text(value.with_prefixlen),
    "ipaddress:IPv6Network": lambda value: literals.text(value.with_prefixlen),
    "re:Pattern": _pattern,
    "array:array": _array,
    "random:Random": _random,
}

# Values that are shown in one line and hold nothing else.
_PLAIN: Final[dict[type, Callable[[Any], str]]] = {
    type(None): repr,
    type(...): lambda _: "Ellipsis",
    type(NotImplemented): lambda _: "NotImplemented",
    bool: repr,
    int: literals.integer,
    float: literals.floating,
    complex: literals.complex_number,
    str: literals.text,
    bytes: literals.octets,
    bytearray: lambda value: literals.octets(value, "bytearray "),
    range: lambda value: f"range({value.start}, {value.stop}, {value.step})",
}

# Containers, whose items are read by their own methods whatever a subclass says.
_BOXES: Final = frozenset({dict, list, tuple, set, frozenset, deque})


# What has no attributes of its own, and classes, whose attributes are not those of an object.
_NEVER_LACKING: Final = (type, *_FUNCTIONS, ModuleType)


def _exception(value: BaseException) -> list[Part]:
    parts: list[Part] = [(f"({number})", part) for number, part in enumerate(value.args)]
    if isinstance(value, OSError) and value.filename is not None:
        parts.append((".filename", value.filename))
    return parts


# What else objects hold where nobody sees it.
_EXTRAS: Final[dict[type, Callable[[Any], list[Part]]]] = {
    defaultdict: lambda value: [(".default_factory", value.default_factory)],
    deque: lambda value: [(".maxlen", value.maxlen)] if value.maxlen is not None else [],
    slice: lambda value: [(".start", value.start), (".stop", value.stop), (".step", value.step)],
    BaseException: _exception,
}
