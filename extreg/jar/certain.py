"""What an object certainly should have, by its running class, and does not: fields that were added since it was dumped.

What a class does not say is not certain: an attribute that is assigned under a condition, one that a ``__getattr__``
answers for, whatever source that cannot be read assigns.
"""

import ast
import enum
import inspect
import sys
import textwrap
from collections.abc import Iterator
from types import FunctionType
from typing import Any, Final, NamedTuple

if sys.version_info >= (3, 14):
    import annotationlib

_STDLIB: Final = frozenset(sys.stdlib_module_names)
# Statements that end when they do, and whose bodies always run.
_PASSED: Final = (ast.Expr, ast.Pass, ast.Import, ast.ImportFrom, ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
# Methods that answer for attributes which nobody sees.
_ANSWERING: Final = ("__getattr__", "__getattribute__")
# By the id of a class, which need not be hashable; the class is kept, so that the id stays its own.
_KNOWN: Final[dict[int, "tuple[type, tuple[Lack, ...]]"]] = {}


class Lack(NamedTuple):
    """An attribute that an object does not have, and ``why`` it should; ``sure`` unless it may be filled later.

    In a slot (``slotted``) no default of the class answers for it.
    """

    name: str
    why: str
    sure: bool
    slotted: bool = False


def lacking(value: Any) -> Iterator[Lack]:
    """Yield what an object certainly should have and does not; of classes of the standard library nothing."""
    cls = type(value)
    known = _KNOWN.get(id(cls))
    if known is None:
        known = _KNOWN[id(cls)] = (cls, _expected(cls))
    for lack in known[1]:
        if not _has(value, lack.name):
            yield lack


def is_standard(cls: type) -> bool:
    """Tell whether a class is the standard library's."""
    return cls.__module__.partition(".")[0] in _STDLIB


def _expected(cls: type) -> tuple[Lack, ...]:
    """Return what every object of a class should have."""
    if is_standard(cls) or issubclass(cls, (tuple, type, enum.Enum)):
        return ()
    if any(name in base.__dict__ for base in cls.__mro__[:-1] for name in _ANSWERING):
        return ()
    found: dict[str, Lack] = {}
    for lack in (*_dataclass_fields(cls), *_attrs_fields(cls), *_assigned(cls), *_slots(cls), *_annotated(cls)):
        found.setdefault(lack.name, lack)
    slots = {lack.name for lack in _slots(cls)}
    return tuple(lack._replace(slotted=lack.name in slots) for lack in found.values())


def _has(value: Any, name: str) -> bool:
    """Tell whether an object has an attribute, of its own or of its class; properties are not run."""
    for base in type(value).__mro__:
        own = base.__dict__.get("__dict__")
        if own is not None and hasattr(type(own), "__get__"):
            held = own.__get__(value)
            if isinstance(held, dict) and name in held:
                return True
            break
    for base in type(value).__mro__:
        if name in base.__dict__:
            found = base.__dict__[name]
            if not inspect.ismemberdescriptor(found):
                return True
            try:
                found.__get__(value, type(value))
            except AttributeError:
                continue
            return True
    return False


def _dataclass_fields(cls: type) -> Iterator[Lack]:
    fields = getattr(cls, "__dataclass_fields__", {})
    missing = sys.modules["dataclasses"].MISSING if fields else None
    for name, field in fields.items():
        if field._field_type.name != "_FIELD":
            continue
        # What `__init__` does not set, `__post_init__` may.
        if field.init or field.default is not missing or field.default_factory is not missing:
            yield Lack(name, "a field of the dataclass", True)


def _attrs_fields(cls: type) -> Iterator[Lack]:
    for field in getattr(cls, "__attrs_attrs__", ()):
        if field.init or field.default is not sys.modules["attr"].NOTHING:
            yield Lack(field.name, "a field of the attrs class", True)


def _slots(cls: type) -> Iterator[Lack]:
    for base in cls.__mro__:
        for name, found in base.__dict__.items():
            if inspect.ismemberdescriptor(found) and name not in {"__dict__", "__weakref__"}:
                yield Lack(name, "a slot", False)


def _annotated(cls: type) -> Iterator[Lack]:
    for base in cls.__mro__[:-1]:
        if is_standard(base):
            continue
        for name, kind in _annotations(base).items():
            # As `typing.get_type_hints` sees them, but nothing is evaluated.
            if "ClassVar" not in str(kind) and "InitVar" not in str(kind):
                yield Lack(name, "annotated in the class", False)


def _annotations(cls: type) -> dict[str, Any]:
    if sys.version_info >= (3, 14):
        try:
            return dict(annotationlib.get_annotations(cls, format=annotationlib.Format.STRING))
        except Exception:  # noqa: BLE001 - annotations are user code
            return {}
    return inspect.get_annotations(cls)


def _assigned(cls: type) -> Iterator[Lack]:
    """Yield what ``__init__`` assigns whatever it is given, by its source, where that is to be had."""
    waiting: list[type] = list(cls.__mro__[:-1])
    while waiting:
        base = waiting.pop(0)
        function = base.__dict__.get("__init__")
        if function is None:
            continue
        if not isinstance(function, FunctionType) or is_standard(base):
            return
        names, goes_on = _certain_names(function)
        yield from (Lack(_mangled(name, base), f"assigned in {base.__qualname__}.__init__", True) for name in names)
        if not goes_on:
            return


def _certain_names(function: FunctionType) -> tuple[list[str], bool]:
    """Return the attributes of its first parameter that a function assigns on every path, and whether it calls super's.

    Nothing of what has no source, or one that cannot be read.
    """
    try:
        tree = ast.parse(textwrap.dedent(inspect.getsource(function)))
    except (OSError, TypeError, SyntaxError, ValueError, RecursionError, MemoryError):
        return [], False
    definition = tree.body[0] if tree.body else None
    if not isinstance(definition, ast.FunctionDef) or definition.decorator_list:
        return [], False
    parameters = [*definition.args.posonlyargs, *definition.args.args]
    return _straight(definition.body, parameters[0].arg) if parameters else ([], False)


def _straight(body: list[ast.stmt], first: str) -> tuple[list[str], bool]:
    """Return which attributes of `first` a body assigns whatever happens, and whether it calls super's ``__init__``."""
    names: list[str] = []
    supers = False
    for statement in body:
        if isinstance(statement, (ast.Assign, ast.AnnAssign)):
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            names += (name for target in targets if statement.value for name in _attributes(target, first))
        elif isinstance(statement, ast.With) and not any(map(_may_swallow, statement.items)):
            inner, more = _straight(statement.body, first)
            names, supers = names + inner, supers or more
        elif isinstance(statement, ast.Expr) and _is_super(statement.value):
            supers = True
        if not isinstance(statement, _PASSED) and any(isinstance(node, ast.Return) for node in ast.walk(statement)):
            break  # what comes after it is not certain any more
    removed = {
        name
        for statement in body
        for node in ast.walk(statement)
        if isinstance(node, ast.Delete)
        for target in node.targets
        for name in _attributes(target, first)
    }
    return [name for name in names if name not in removed], supers


def _may_swallow(item: ast.withitem) -> bool:
    """Tell whether a block may end before its end, with an exception that nobody sees."""
    return any("suppress" in (getattr(node, "id", ""), getattr(node, "attr", "")) for node in ast.walk(item))


def _attributes(target: ast.expr, first: str) -> Iterator[str]:
    if isinstance(target, (ast.Tuple, ast.List)):
        for part in target.elts:
            yield from _attributes(part, first)
    elif isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name) and target.value.id == first:
        yield target.attr


def _is_super(call: ast.expr) -> bool:
    return (
        isinstance(call, ast.Call)
        and isinstance(call.func, ast.Attribute)
        and call.func.attr == "__init__"
        and isinstance(call.func.value, ast.Call)
        and isinstance(call.func.value.func, ast.Name)
        and call.func.value.func.id == "super"
    )


def _mangled(name: str, cls: type) -> str:
    if not name.startswith("__") or name.endswith("__"):
        return name
    return f"_{cls.__name__.lstrip('_')}{name}"
