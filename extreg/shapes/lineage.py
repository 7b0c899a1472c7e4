"""A class with all that it inherits from, in the order in which Python looks names up (C3, as `type.mro`)."""

import ast
import builtins
import enum
from collections.abc import Iterator
from dataclasses import dataclass, field

from extreg.shapes.fields import (
    FieldFact,
    Making,
    TupleField,
    annotated_tuple,
    called_tuple,
    declared,
    making,
)
from extreg.shapes.following import Builtin, ClassAt, Found, FunctionAt, Known, Unread, ValueAt, World
from extreg.shapes.parsed import Body, Parsed, read_body
from extreg.targets.reach import dotted_name

# What pulls in more modules than this is told by running it, not by reading.
CEILING = 60
_DEEPEST = 100  # bases above each other

# Decorators that leave alone what instances have.
_HARMLESS = frozenset(
    {
        "enum.unique",
        "enum.verify",
        "functools.total_ordering",
        "typing.dataclass_transform",
        "typing.deprecated",
        "typing.final",
        "typing.no_type_check",
        "typing.runtime_checkable",
        "warnings.deprecated",
    }
)
# Bases that bring neither attributes nor a way of pickling; their classes have `__slots__ = ()`.
_EMPTY = frozenset({"typing.Generic", "typing.Protocol", "abc.ABC"})
_METACLASSES = frozenset({"abc.ABCMeta", "enum.EnumMeta", "enum.EnumType"})
_GENERIC = {
    "typing.Dict": "dict",
    "typing.List": "list",
    "typing.Set": "set",
    "typing.FrozenSet": "frozenset",
    "typing.Tuple": "tuple",
    "typing.Type": "type",
}
_VERSIONED = "extreg.reduce.versioned"


@dataclass(slots=True, eq=False)
class Member:
    """One class of a lineage; ``stock`` is the name of one that is known and not read, such as ``dict``.

    ``slots`` is None where there is no ``__slots__``; ``tuple_fields`` are those of a named tuple that starts here;
    ``versioned`` is the call of `extreg.reduce.versioned` that decorates it; ``unknown`` says why not all can be told.
    """

    name: str
    qualname: str = ""
    stock: str = ""
    module: Parsed | None = None
    node: ast.ClassDef | None = None
    outer: tuple[Body, ...] = ()
    body: Body = field(default_factory=Body)
    making: Making | None = None
    fields: tuple[FieldFact, ...] = ()
    slots: tuple[str, ...] | None = ()
    tuple_fields: tuple[TupleField, ...] | None = None
    versioned: ast.Call | None = None
    abstract: bool = False
    unknown: str = ""

    def mangled(self, name: str) -> str:
        """Return the name of an attribute spelt `name` here (Reference Manual, "Private name mangling")."""
        if name.startswith("__") and not name.endswith("__"):
            return f"_{self.name.lstrip('_')}{name}" if self.name.strip("_") else name
        return name


OBJECT = Member("object", stock="object")


class Lineages:
    """The lineages of the classes of one `World`; each class is looked at once."""

    def __init__(self, world: World) -> None:
        self.world = world
        self._members: dict[int, Member] = {}
        self._orders: dict[int, tuple[Member, ...] | Unread] = {}
        self._stocks: dict[str, Member] = {"object": OBJECT}
        self._kept: list[ast.AST] = []  # their ids are keys here
        self._depth = 0

    def of(self, at: ClassAt) -> tuple[Member, ...] | Unread:
        """Return the class and all above it; those whose base cannot be told end with one that is unknown."""
        key = id(at.node)
        if key not in self._orders:
            if self._depth > _DEEPEST:
                return Unread("its bases go round in circles")
            self._kept.append(at.node)
            self._depth += 1
            try:
                self._orders[key] = self._order(at)
            finally:
                self._depth -= 1
        return self._orders[key]

    def _order(self, at: ClassAt) -> tuple[Member, ...] | Unread:
        member = self.member(at)
        orders: list[list[Member]] = []
        for base in at.node.bases:
            order = self._base(at, base, member)
            if isinstance(order, Unread):
                return Unread(f"its base {_shown(base)} cannot be read: {order.why}")
            if order:
                orders.append(list(order))
        if len(self.world.loaded) > CEILING:
            return Unread(f"its bases are in more than {CEILING} modules")
        heads = [[order[0] for order in orders]] if orders else [[OBJECT]]
        merged = _merged([*orders, *heads])
        return Unread("its bases have no order") if merged is None else (member, *merged)

    def _base(self, at: ClassAt, base: ast.expr, member: Member) -> tuple[Member, ...] | Unread:
        if isinstance(base, ast.Subscript):
            base = base.value
        if isinstance(base, ast.Call):
            found = self.world.follow(at.module, dotted_name(base.func), at.outer)
            return self._named_tuple(base, found)
        found = self.world.follow(at.module, dotted_name(base), at.outer)
        if isinstance(found, ValueAt) and isinstance(found.node, ast.Call):
            function = self.world.follow(found.module, dotted_name(found.node.func))
            return self._named_tuple(found.node, function)
        if isinstance(found, Known) and found.dotted == "typing.NamedTuple":
            member.tuple_fields = annotated_tuple(member.body)
            return self.stock("tuple")
        return self._found(found)

    def _found(self, found: Found) -> tuple[Member, ...] | Unread:
        if isinstance(found, ClassAt):
            return self.of(found)
        if isinstance(found, Builtin) and isinstance(getattr(builtins, found.name, None), type):
            return self.stock(getattr(builtins, found.name).__name__)
        if isinstance(found, Known):
            if found.dotted in _EMPTY or found.dotted in _GENERIC or _is_enum(found.dotted):
                return self.stock(_GENERIC.get(found.dotted, found.dotted))
            module, _, name = found.dotted.rpartition(".")
            if module == "typing":  # the names of collections.abc with brackets
                abstract = self.world.attribute("collections.abc", name)
                return (
                    self._found(abstract) if isinstance(abstract, ClassAt) else Unread(f"{found.dotted} is not known")
                )
        return found if isinstance(found, Unread) else Unread("it is no class that can be read")

    def _named_tuple(self, call: ast.Call, found: Found) -> tuple[Member, ...] | Unread:
        fields = called_tuple(call, found)
        if fields is None:
            return Unread("what the call makes shows only when it runs")
        given = call.args[0]
        name = str(given.value) if isinstance(given, ast.Constant) else "?"
        return (Member(name, name, tuple_fields=fields), *self.stock("tuple"))

    def stock(self, name: str) -> tuple[Member, ...]:
        """Return the lineage of a class that is known by its name."""
        names = _stock_order(name)
        for one in names:
            if one not in self._stocks:
                has_dict = _is_enum(one) or _is_exception(one)
                self._stocks[one] = Member(one, one, stock=one, slots=None if has_dict else (), abstract=one in _EMPTY)
        return tuple(self._stocks[one] for one in names)

    def member(self, at: ClassAt) -> Member:
        """Return what the statement of a class says by itself."""
        key = id(at.node)
        if key not in self._members:
            self._kept.append(at.node)
            self._members[key] = self._member(at)
        return self._members[key]

    def _member(self, at: ClassAt) -> Member:
        def follow(dotted: str | None) -> Found:
            inside = (*at.outer, body)
            return self.world.follow(at.module, dotted, inside)

        body = read_body(at.node.body)
        member = Member(at.node.name, at.qualname, "", at.module, at.node, at.outer, body)
        for decorator in at.node.decorator_list:
            self._decorate(member, decorator, at)
        self._keywords(member, at)
        member.slots = self._slots(member)
        if member.making is not None:
            member.unknown = member.unknown or member.making.unknown
            member.fields = declared(body, member.making, follow)
            if member.making.options.get("slots"):
                member.slots = tuple(found.name for found in member.fields if not found.passing)
        return member

    def _decorate(self, member: Member, decorator: ast.expr, at: ClassAt) -> None:
        called = decorator.func if isinstance(decorator, ast.Call) else decorator
        found = self.world.follow(at.module, dotted_name(called), at.outer)
        how = making(decorator, found)
        if how is not None:
            member.making = how
        elif isinstance(found, Known) and found.dotted == _VERSIONED and isinstance(decorator, ast.Call):
            member.versioned = decorator
        elif not (isinstance(found, Known) and found.dotted in _HARMLESS) and not _only_names(found):
            member.unknown = f"what the decorator {_shown(called)} makes of it shows only when it runs"

    def _keywords(self, member: Member, at: ClassAt) -> None:
        for word in at.node.keywords:
            if word.arg is None:
                member.unknown = "its bases are given with **"
            elif word.arg == "metaclass":
                found = self.world.follow(at.module, dotted_name(word.value), at.outer)
                if isinstance(found, Known) and found.dotted in _METACLASSES:
                    member.abstract |= found.dotted == "abc.ABCMeta"
                elif found != Builtin("type"):
                    member.unknown = f"what its metaclass {_shown(word.value)} makes of it shows only when it runs"

    def _slots(self, member: Member) -> tuple[str, ...] | None:
        bound = member.body.names.get("__slots__")
        if not bound:
            return None
        node = bound[0].node
        names = self._constant_names(member, node) if len(bound) == 1 else None
        if names is None:
            member.unknown = member.unknown or "its __slots__ show only when it runs"
            return ()
        return tuple(member.mangled(name) for name in names)

    def _constant_names(self, member: Member, node: "ast.AST | None") -> tuple[str, ...] | None:
        if isinstance(node, ast.Dict):
            node = ast.Tuple([key for key in node.keys if key is not None], ast.Load())
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
            left = self._constant_names(member, node.left)
            right = self._constant_names(member, node.right)
            return None if left is None or right is None else (*left, *right)
        if isinstance(node, ast.Name) and member.module is not None:
            found = self.world.follow(member.module, node.id)
            return self._constant_names(member, found.node) if isinstance(found, ValueAt) else None
        if isinstance(node, ast.Attribute) and node.attr == "__slots__" and member.module is not None:
            above = self.world.follow(member.module, dotted_name(node.value), member.outer)
            return self.member(above).slots if isinstance(above, ClassAt) else None
        if not isinstance(node, ast.expr):
            return None
        try:
            value = ast.literal_eval(node)
        except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
            return None
        if isinstance(value, str):
            return (value,)
        names = tuple(value) if isinstance(value, (tuple, list, set, frozenset)) else None
        return names if names is not None and all(isinstance(name, str) for name in names) else None


def _merged(orders: list[list[Member]]) -> list[Member] | None:
    """Merge linearizations as C3 does (https://docs.python.org/3/howto/mro.html); None where they disagree."""
    merged: list[Member] = []
    waiting = [order for order in orders if order]
    while waiting:
        head = next((order[0] for order in waiting if _is_free(order[0], waiting)), None)
        if head is None:
            return None
        merged.append(head)
        waiting = [order[1:] if order[0] is head else order for order in waiting]
        waiting = [order for order in waiting if order]
    return merged


def _is_free(member: Member, orders: list[list[Member]]) -> bool:
    return not any(member is later for order in orders for later in order[1:])


def _only_names(found: Found) -> bool:
    """Whether a decorator, or what it returns, does nothing to a class but give it names or documentation."""
    if not isinstance(found, FunctionAt):
        return False
    stored = list(_stored_attributes(found.node))
    calls = [node for node in ast.walk(found.node) if isinstance(node, ast.Call)]
    named = all(name in ("__module__", "__doc__", "__name__", "__qualname__") for name in stored)
    # Whatever else it calls may do anything to the class.
    return named and not calls


def _stored_attributes(node: ast.AST) -> Iterator[str]:
    return (
        found.attr for found in ast.walk(node) if isinstance(found, ast.Attribute) and isinstance(found.ctx, ast.Store)
    )


def _stock_order(name: str) -> list[str]:
    if name in _EMPTY:
        return [name, "object"]
    kind = getattr(enum, name.partition(".")[2], None) if _is_enum(name) else getattr(builtins, name, None)
    if not isinstance(kind, type):
        return [name, "object"]
    return [f"enum.{base.__name__}" if base.__module__ == "enum" else base.__name__ for base in kind.__mro__]


def _is_enum(name: str) -> bool:
    module, _, own = name.partition(".")
    return module == "enum" and own in ("Enum", "Flag", "IntEnum", "IntFlag", "ReprEnum", "StrEnum")


def _is_exception(name: str) -> bool:
    kind = getattr(builtins, name, None)
    return isinstance(kind, type) and issubclass(kind, BaseException)


def _shown(node: ast.expr) -> str:
    text = dotted_name(node) or ast.unparse(node)
    return text if len(text) <= 60 else f"{text[:57]}..."
