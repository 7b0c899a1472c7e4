"""From sources to shapes."""

import ast
import builtins
from collections.abc import Mapping, Sequence

from extreg.shapes.assigned import Flow, all_fields, mentions
from extreg.shapes.fields import FieldFact, init_parameters, tuple_parameters
from extreg.shapes.following import (
    Builtin,
    ClassAt,
    Found,
    FunctionAt,
    Known,
    Unread,
    ValueAt,
    World,
)
from extreg.shapes.hooks import called_by_name, given_arguments, reduces, restores
from extreg.shapes.lineage import Lineages, Member
from extreg.shapes.members import members
from extreg.shapes.parsed import guards, tried
from extreg.shapes.shape import Form, Names, Place, Reduces, Restores, Shape, dumped
from extreg.shapes.signatures import Parameters, parameters
from extreg.shapes.versioning import version
from extreg.targets.reach import dotted_name

# Of the built-in types that pickle takes apart in C: how many arguments __new__ is given.
_GIVEN = {"int": 1, "float": 1, "complex": 2, "str": 1, "bytes": 1, "tuple": 1}
# Those whose reducer in C calls the class, with arguments and so with `__init__`.
_BUILDING = frozenset({"set", "frozenset", "bytearray", "slice", "range"})
_LAYOUTS = ("dict", "list", *_GIVEN, *_BUILDING)
_UNKNOWN_REDUCER = Reduces((), known=False)
_HOOKS = ("__reduce__", "__reduce_ex__", "__getstate__", "__setstate__", "__getnewargs__", "__getnewargs_ex__")


class Shaper:
    """Reads the shapes of one revision; ``reduced`` are the targets that have a reducer in the registry."""

    def __init__(self, world: World, reduced: Names = frozenset()) -> None:
        self.world = world
        self.lineages = Lineages(world)
        self.reduced = reduced

    def shape(self, target: str) -> Shape | Unread:
        """Return the shape of what `target` leads to, under the name that its definition gives it."""
        self.world.loaded.clear()
        try:
            return self._shape(self.world.target(target))
        except RecursionError:
            return Unread("its source is nested too deeply")

    def _shape(self, found: Found) -> Shape | Unread:
        if isinstance(found, FunctionAt):
            return _function(found)
        if isinstance(found, ClassAt):
            lineage = self.lineages.of(found)
            own = f"{found.module.name}:{found.qualname}"
            place = Place(found.module.name, found.node.lineno)
            if isinstance(lineage, Unread):
                return Shape(target=own, place=place, unknown=lineage.why)
            return self._class(own, place, lineage)
        if isinstance(found, ValueAt) and isinstance(found.node, ast.Call):
            return self._called(found)
        if isinstance(found, (Known, Builtin)):
            return Unread("it is no class of the project")
        return found if isinstance(found, Unread) else Unread("what it is shows only when it runs")

    def _called(self, found: ValueAt) -> Shape | Unread:
        """Return the shape of a named tuple that a call makes."""
        statement = ast.ClassDef(found.name, [found.node], [], [], [])
        ast.copy_location(statement, found.node)
        lineage = self.lineages.of(ClassAt(found.module, statement, found.name))
        if isinstance(lineage, Unread):
            return lineage
        return self._class(f"{found.module.name}:{found.name}", Place(found.module.name, found.node.lineno), lineage)

    def follow(self, member: Member, dotted: str | None) -> Found:
        """Return what a dotted name means in a method of `member`."""
        if member.module is None or dotted is None:
            return Unread("it is an expression")
        return self.world.follow(member.module, dotted)

    def _flow(self, lineage: Sequence[Member]) -> Flow:
        def place(member: Member, dotted: str) -> int | None:
            found = self.follow(member, dotted)
            nodes = [one.node for one in lineage]
            return nodes.index(found.node) if isinstance(found, ClassAt) and found.node in nodes else None

        return Flow(lineage, place)

    def _class(self, target: str, place: Place, lineage: Sequence[Member]) -> Shape:
        unknown = next((member.unknown for member in lineage if member.unknown), "")
        if unknown:
            return Shape(target=target, place=place, unknown=unknown)
        flow = self._flow(lineage)
        written = [member for member in lineage if not member.stock]
        said = [mentions(member) for member in written]
        certain = flow.certain("__init__")
        fields = tuple(all_fields(lineage, _maker(lineage)))
        values, values_open = _values(lineage)
        slots = frozenset(name for member in lineage for name in member.slots or ()) - {"__dict__", "__weakref__"}
        declared = {field.name for field in fields if not field.passing}
        layout = _layout(lineage)
        own_reduces = reduces(flow, target, self.follow)
        if target in self.reduced:
            own_reduces = own_reduces._replace(known=False) if own_reduces is not None else _UNKNOWN_REDUCER
        return Shape(
            target=target,
            place=place,
            parameters=_constructor(flow, lineage),
            new=_new(flow, lineage),
            certain=certain,
            possible=frozenset(declared.union(certain, slots, *(one.stored for one in said))),
            open=any(one.open for one in said),
            values=values,
            values_open=values_open,
            read=frozenset(set().union(*(one.read for one in said)) | _compared(lineage, declared)),
            guarded=_guarded(written),
            getattr=any(
                name in member.body.names for member in written for name in ("__getattr__", "__getattribute__")
            ),
            fields=fields,
            slots=slots,
            has_dict=any(member.slots is None or "__dict__" in member.slots for member in lineage),
            reduces=own_reduces,
            arguments=_given(given_arguments(flow), layout, written),
            layout=layout,
            builds=layout in _BUILDING or layout == "BaseException",
            enum=members(lineage, self.lineages),
            tuple_fields=next((member.tuple_fields for member in lineage if member.tuple_fields is not None), None),
            abstract=self._abstract(lineage),
            sets_with_care=any("__setattr__" in member.body.names for member in written) or _frozen(lineage),
            version=version(lineage),
            made_by=_maker(lineage) if fields else "",
            initialises=any("__init__" in member.body.names or _makes_init(member) for member in written),
            hooks={name: text for name in _HOOKS if (text := _hook(lineage, name))},
            **_state(flow, lineage, fields),  # type: ignore[arg-type]
        )

    def _abstract(self, lineage: Sequence[Member]) -> tuple[str, ...]:
        """Return the names that keep a class from having instances."""
        if not any(member.abstract for member in lineage) or _layout(lineage) != "object":
            return ()
        found: dict[str, bool] = {}
        for member in lineage:
            for name, bound in member.body.names.items():
                node = bound[-1].node
                decorators = getattr(node, "decorator_list", [])
                marked = [self.follow(member, dotted_name(one)) for one in decorators]
                found.setdefault(name, any(one == Known("abc.abstractmethod") for one in marked))
        return tuple(sorted(name for name, abstract in found.items() if abstract))


def _function(found: FunctionAt) -> Shape:
    """Return the shape of a function, or of a method as its class gives it."""
    own = f"{found.module.name}:{found.qualname}"
    place = Place(found.module.name, found.node.lineno)
    takes = called_by_name(found)
    if takes is None:
        return Shape(target=own, place=place, kind="function", unknown="it is decorated")
    return Shape(target=own, place=place, kind="function", parameters=takes)


def _constructor(flow: Flow, lineage: Sequence[Member]) -> Parameters | None:
    """Return what a call of the class takes, None where that cannot be told."""
    for place, member in enumerate(lineage):
        own = "__init__" in member.body.names
        how = member.making
        if how is not None and _makes_init(member) and not (own and _detected(how.maker, how.options)):
            return init_parameters(tuple(all_fields(lineage[place:], how.maker)), f"{member.qualname}.__init__")
        if own:
            found = flow.method("__init__", place)
            if found is None or found[1].decorator_list:
                return None
            return parameters(found[1], f"{member.qualname}.__init__", bound=True)
        if "__new__" in member.body.names:
            break
    return _new(flow, lineage)


def _makes_init(member: Member) -> bool:
    return member.making is not None and member.making.options.get("init") is not False


def _maker(lineage: Sequence[Member]) -> str:
    return next((member.making.maker for member in lineage if member.making is not None), "dataclass")


def _detected(maker: str, options: "Mapping[str, bool | None]") -> bool:
    """Whether an `__init__` in the class body is kept."""
    return maker == "dataclass" or bool(options.get("auto_detect"))


def _layout(lineage: Sequence[Member]) -> str:
    """Return the built-in type whose memory an instance has."""
    names = [member.stock for member in lineage if member.stock]
    if any(name == "BaseException" for name in names):
        return "BaseException"
    return next((name for name in names if name in _LAYOUTS), "object")


def _values(lineage: Sequence[Member]) -> tuple[Names, bool]:
    """Return what the classes of a lineage have themselves, and whether they may have more."""
    found: set[str] = set()
    more = False
    for member in lineage:
        if member.stock:
            kind = getattr(builtins, member.stock, None)
            found |= set(dir(kind)) if isinstance(kind, type) else set()
            continue
        own = {member.mangled(name) for name in member.body.names}
        made = {field.name for field in member.fields}
        if member.making is not None and member.making.maker == "attrs":
            own -= made  # attrs takes the defaults out of the class
        elif member.making is not None:
            slotted = bool(member.making.options.get("slots"))
            own -= {field.name for field in member.fields if field.default == "factory" or slotted or not field.default}
            more |= any(field.default == "unknown" for field in member.fields)
        found |= own
        if member.module is not None:
            given = member.module.given.get(member.name, frozenset())
            found |= given
            more |= "*" in given
        names, other = _subclass_hook(member)
        found |= names
        more |= other
    return frozenset(found), more


def _subclass_hook(member: Member) -> tuple[set[str], bool]:
    """Return what an `__init_subclass__` gives to classes, and whether that may be more."""
    bound = member.body.names.get("__init_subclass__", [])
    names: set[str] = set()
    more = False
    for one in bound:
        for node in ast.walk(one.node) if one.node is not None else ():
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                names.add(node.attr)
            elif isinstance(node, ast.Call) and dotted_name(node.func) == "setattr":
                more = True
    return names, more


def _compared(lineage: Sequence[Member], declared: set[str]) -> set[str]:
    """Return the fields that the methods read which dataclass and attrs make: ``__repr__``, ``__eq__``."""
    return declared if any(member.making is not None for member in lineage) else set()


def _guarded(written: Sequence[Member]) -> Names:
    found: set[str] = set()
    for member in written:
        if member.module is not None:
            found |= {member.mangled(name) for name in member.module.guarded}
        if member.node is not None:
            found |= {member.mangled(name) for name in tried(member.node)}
        bound = member.body.names.get("__getstate__", [])
        for one in bound:
            for node in ast.walk(one.node) if one.node is not None else ():
                # What is left out of the state is looked after by the methods.
                if isinstance(node, ast.Constant) and isinstance(node.value, str):
                    found.add(node.value)
        made = [one.node for one in member.body.names.get("__new__", []) if one.node is not None]
        for node in made:
            found |= {
                one.attr for one in ast.walk(node) if isinstance(one, ast.Attribute) and isinstance(one.ctx, ast.Store)
            }
            found |= set(guards(node))
    return frozenset(found)


def _new(flow: Flow, lineage: Sequence[Member]) -> Parameters | None:
    """Return what the ``__new__`` of a class takes, None where it is the built-in one or cannot be told."""
    for place, member in enumerate(lineage):
        if "__new__" in member.body.names:
            found = flow.method("__new__", place)
            if found is None or any(dotted_name(one) != "staticmethod" for one in found[1].decorator_list):
                return None
            return parameters(found[1], f"{member.qualname}.__new__", bound=True)
        if member.tuple_fields is not None:
            return tuple_parameters(member.tuple_fields, f"{member.name}.__new__")
    return None


def _given(count: int | None, layout: str, written: Sequence[Member]) -> int | None:
    """Return how many arguments ``__new__`` gets when an instance is loaded (protocol 2 and above)."""
    own = any(name in member.body.names for member in written for name in ("__getnewargs__", "__getnewargs_ex__"))
    return count if own else _GIVEN.get(layout, 0)


def _frozen(lineage: Sequence[Member]) -> bool:
    return any(member.making is not None and member.making.options.get("frozen") for member in lineage)


def _state(flow: Flow, lineage: Sequence[Member], fields: tuple[FieldFact, ...]) -> dict[str, object]:
    """Return how the state is written and taken, by the keywords of `Shape`."""
    form: Form = "dict" if any(member.slots is None or "__dict__" in member.slots for member in lineage) else "slots"
    written, generated, sequence = "", "", tuple(field.name for field in fields if not field.passing)
    taken: Restores | None = None
    for place, member in enumerate(lineage):
        how = member.making
        made = ""
        if how is not None and how.options.get("slots"):
            own = how.options.get("getstate_setstate", True)
            made = (
                "attrs"
                if how.maker == "attrs" and own
                else "list"
                if how.options.get("frozen") and how.maker == "dataclass"
                else ""
            )
        if not written:
            written = "custom" if "__getstate__" in member.body.names else made
        if not generated and taken is None:
            if "__setstate__" in member.body.names:
                taken = restores(Flow(lineage[place:], flow.place))
            else:
                generated = made
    return {"form": written or form, "generated": generated, "restores": taken, "sequence": sequence}


def _hook(lineage: Sequence[Member], name: str) -> str:
    for member in lineage:
        bound = member.body.names.get(name)
        if bound:
            return dumped(bound[-1].node) if bound[-1].node is not None else "?"
    return ""
