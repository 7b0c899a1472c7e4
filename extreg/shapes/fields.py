"""The fields that a class statement declares: those of dataclasses, of attrs, and of named tuples."""

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from extreg.shapes.following import Builtin, ClassAt, Found, Known
from extreg.shapes.parsed import Body
from extreg.shapes.signatures import Parameters
from extreg.targets.reach import dotted_name

Follow = Callable[[str | None], Found]
Default = Literal["", "value", "factory", "unknown"]
Maker = Literal["", "dataclass", "attrs"]

_DATACLASS = {"dataclasses.dataclass": {"slots": False, "frozen": False, "init": True, "kw_only": False}}
_DEFINE = {"slots": True, "auto_detect": True, "init": True}
_PLAIN = {"slots": False, "init": True}
_ATTRS = {
    "attrs.define": _DEFINE,
    "attrs.mutable": _DEFINE,
    "attrs.frozen": _DEFINE,
    "attrs.s": _PLAIN,
    "attrs.attrs": _PLAIN,
    "attrs.attributes": _PLAIN,
    "attrs.dataclass": {"slots": False, "auto_attribs": True, "init": True},
}
_FIELD_CALLS = frozenset({"attrs.ib", "attrs.attrib", "attrs.attr", "attrs.field"})


@dataclass(frozen=True, slots=True)
class FieldFact:
    """One declared field.

    ``argument`` is its name in ``__init__``; ``init`` that it is one; ``passing`` that it is no attribute (InitVar).
    ``sure`` is False for a field of which not everything could be read.
    """

    name: str
    argument: str = ""
    init: bool = True
    keyword: bool = False
    default: Default = ""
    passing: bool = False
    sure: bool = True


class Making(NamedTuple):
    """How a decorator makes a class: by dataclass or attrs, with which options; None for one that is no constant."""

    maker: Maker
    options: Mapping[str, bool | None]
    unknown: str = ""


def making(decorator: ast.expr, found: Found) -> Making | None:
    """Return what a decorator that leads to `found` makes, or None where it is none of dataclass and attrs."""
    if not isinstance(found, Known):
        return None
    maker: Maker = "dataclass" if found.dotted in _DATACLASS else "attrs" if found.dotted in _ATTRS else ""
    if not maker:
        return None
    options: dict[str, bool | None] = dict((_DATACLASS if maker == "dataclass" else _ATTRS)[found.dotted])
    if found.dotted == "attrs.frozen":
        options["frozen"] = True
    unknown = ""
    for word in decorator.keywords if isinstance(decorator, ast.Call) else ():
        if word.arg is None or word.arg == "these":
            unknown = f"it is decorated with {word.arg or '**'} that only running it shows"
        else:
            options[word.arg] = bool(word.value.value) if isinstance(word.value, ast.Constant) else None
    if isinstance(decorator, ast.Call) and decorator.args:
        unknown = "its decorator has arguments by position"
    if options.get("slots", False) is None:
        unknown = "whether it has slots shows only when it runs"
    return Making(maker, options, unknown)


def declared(body: Body, how: Making, follow: Follow) -> tuple[FieldFact, ...]:
    """Return the fields that the statements of a class body declare to `how`."""
    if how.maker == "dataclass":
        return tuple(_dataclass_fields(body, how, follow))
    return tuple(_attrs_fields(body, how, follow))


def _dataclass_fields(body: Body, how: Making, follow: Follow) -> list[FieldFact]:
    found: dict[str, FieldFact] = {}
    keyword = how.options.get("kw_only") is not False
    for statement, sure in body.statements:
        if not isinstance(statement, ast.AnnAssign) or not isinstance(statement.target, ast.Name):
            continue
        kind = _annotation(statement.annotation, follow)
        name = statement.target.id
        if kind == "dataclasses.KW_ONLY":
            keyword = True
        elif kind != "typing.ClassVar":
            fact = FieldFact(name, name, keyword=keyword, passing=kind == "dataclasses.InitVar", sure=sure)
            found[name] = _with_default(fact, statement.value, "dataclasses.field", follow)
    return list(found.values())


def _annotation(node: ast.expr, follow: Follow) -> str:
    """Return what kind of annotation marks a field as none, or as an argument only."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        try:
            node = ast.parse(node.value, mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return ""
    if isinstance(node, ast.Subscript):
        if (dotted_name(node.value) or "").rpartition(".")[2] in ("Annotated", "Final"):
            inner = node.slice.elts[0] if isinstance(node.slice, ast.Tuple) and node.slice.elts else node.slice
            return _annotation(inner, follow)
        node = node.value
    name = dotted_name(node)
    if name is None or name.rpartition(".")[2] not in ("ClassVar", "InitVar", "KW_ONLY"):
        return ""
    kind = follow(name)
    return kind.dotted if isinstance(kind, Known) else ""


def _with_default(fact: FieldFact, value: ast.expr | None, field: str, follow: Follow) -> FieldFact:
    if value is None:
        return fact
    if isinstance(value, ast.Call):
        function = follow(dotted_name(value.func))
        if isinstance(function, Known) and (function.dotted == field or function.dotted in _FIELD_CALLS):
            return _from_call(fact, value)
        plain = isinstance(function, (Builtin, ClassAt, Known))
        return replace(fact, default="value") if plain else replace(fact, default="unknown", sure=False)
    return replace(fact, default="value")


def _from_call(fact: FieldFact, call: ast.Call) -> FieldFact:
    words = {word.arg: word.value for word in call.keywords}
    default: Default = ""
    if "default" in words or call.args:
        default = "value"
        given = words.get("default") or call.args[0]
        if isinstance(given, ast.Call) and (dotted_name(given.func) or "").rpartition(".")[2] == "Factory":
            default = "factory"
    if "default_factory" in words or "factory" in words:
        default = "factory"
    if "on_setattr" in words and None in words:
        default = "unknown"
    keyword = _flag(words.get("kw_only"), otherwise=fact.keyword)
    argument = words.get("alias")
    if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
        fact = replace(fact, argument=argument.value)
    init = _flag(words.get("init"), otherwise=True)
    return replace(fact, init=init, keyword=keyword, default=default, sure=fact.sure and None not in words)


def _flag(node: ast.expr | None, *, otherwise: bool) -> bool:
    return bool(node.value) if isinstance(node, ast.Constant) else otherwise


def _attrs_fields(body: Body, how: Making, follow: Follow) -> list[FieldFact]:
    called: dict[str, FieldFact] = {}
    annotated: dict[str, FieldFact] = {}
    bare = False
    keyword = how.options.get("kw_only", False) is not False
    for statement, sure in body.statements:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            name, value = statement.target.id, statement.value
            if _annotation(statement.annotation, follow) == "typing.ClassVar":
                continue
        elif isinstance(statement, ast.Assign) and isinstance(statement.targets[0], ast.Name):
            name, value = statement.targets[0].id, statement.value
        else:
            continue
        fact = FieldFact(name, name.lstrip("_"), keyword=keyword, sure=sure)
        fact = _with_default(fact, value, "attrs.field", follow)
        if _is_field_call(value, follow):
            called[name] = fact
            bare |= isinstance(statement, ast.Assign)
        if isinstance(statement, ast.AnnAssign):
            annotated[name] = fact
    for name in _defaulted_by_method(body):
        for group in (called, annotated):
            if name in group:
                group[name] = replace(group[name], default="factory")
    automatic = how.options.get("auto_attribs", how.options.get("auto_detect", False) and not bare)
    return list((annotated if automatic else called).values())


def _is_field_call(value: ast.expr | None, follow: Follow) -> bool:
    if not isinstance(value, ast.Call):
        return False
    function = follow(dotted_name(value.func))
    return isinstance(function, Known) and function.dotted in _FIELD_CALLS


def _defaulted_by_method(body: Body) -> set[str]:
    """Return the fields of attrs whose default a method gives: ``@name.default``."""
    decorators = (
        decorator
        for statement, _ in body.statements
        if isinstance(statement, ast.FunctionDef)
        for decorator in statement.decorator_list
    )
    return {
        decorator.value.id
        for decorator in decorators
        if isinstance(decorator, ast.Attribute)
        and decorator.attr == "default"
        and isinstance(decorator.value, ast.Name)
    }


class TupleField(NamedTuple):
    """One field of a named tuple."""

    name: str
    default: bool


def annotated_tuple(body: Body) -> tuple[TupleField, ...]:
    """Return the fields of a class whose base is `typing.NamedTuple`."""
    return tuple(
        TupleField(statement.target.id, statement.value is not None)
        for statement, _ in body.statements
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name)
    )


def called_tuple(call: ast.Call, found: Found) -> tuple[TupleField, ...] | None:
    """Return the fields of a call of `collections.namedtuple` or `typing.NamedTuple`; None for what cannot be read."""
    if not isinstance(found, Known) or len(call.args) < 2:
        return None
    if found.dotted == "typing.NamedTuple":
        pairs = call.args[1].elts if isinstance(call.args[1], (ast.List, ast.Tuple)) else []
        names = [pair.elts[0] for pair in pairs if isinstance(pair, ast.Tuple) and pair.elts]
        read = [name.value for name in names if isinstance(name, ast.Constant) and isinstance(name.value, str)]
        return tuple(TupleField(name, False) for name in read) if pairs and len(read) == len(pairs) else None
    if found.dotted != "collections.namedtuple":
        return None
    words = {word.arg: word.value for word in call.keywords}
    if words.keys() - {"module", "defaults"}:
        return None
    try:
        given = ast.literal_eval(call.args[1])
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None
    names_given = given.replace(",", " ").split() if isinstance(given, str) else list(given)
    defaults = words.get("defaults")
    many = len(defaults.elts) if isinstance(defaults, (ast.Tuple, ast.List)) else 0 if defaults is None else None
    if many is None or not all(isinstance(name, str) for name in names_given):
        return None
    return tuple(TupleField(name, place >= len(names_given) - many) for place, name in enumerate(names_given))


def tuple_parameters(fields: tuple[TupleField, ...], says: str) -> Parameters:
    """Return what the ``__new__`` of a named tuple takes."""
    required = tuple(field.name for field in fields if not field.default)
    return Parameters(required, tuple(field.name for field in fields if field.default), says=says)


def init_parameters(fields: tuple[FieldFact, ...], says: str) -> Parameters | None:
    """Return what the ``__init__`` that is made from `fields` takes; None where that cannot be told."""
    taken = [field for field in fields if field.init]
    if any(field.default == "unknown" or not field.sure for field in taken):
        return None
    place = [field for field in taken if not field.keyword]
    words = [field for field in taken if field.keyword]
    return Parameters(
        required=tuple(field.argument for field in place if not field.default),
        optional=tuple(field.argument for field in place if field.default),
        keyword=tuple(field.argument for field in words if not field.default),
        says=says,
        others=tuple(field.argument for field in words if field.default),
    )
