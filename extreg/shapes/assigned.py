"""Which attributes the methods of a class assign: surely, on every path, or somewhere."""

import ast
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from extreg.shapes.fields import FieldFact
from extreg.shapes.lineage import Member
from extreg.shapes.parsed import static_truth
from extreg.targets.reach import dotted_name

Function = ast.FunctionDef | ast.AsyncFunctionDef
_TRY = (ast.Try, getattr(ast, "TryStar", ast.Try))
_CONDITIONAL = (ast.Lambda, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_DEEPEST = 12

Names = frozenset[str]
Place = Callable[[Member, str], "int | None"]  # where in the lineage the class is that a member names


class Flow:
    """What the methods of one lineage assign to the instance; `place` finds the class of it that a name means."""

    def __init__(self, lineage: Sequence[Member], place: Place) -> None:
        self.lineage = lineage
        self.place = place
        self._running: list[Function] = []

    def method(self, name: str, start: int = 0) -> "tuple[int, Function] | None":
        """Return the first function called `name` from a place of the lineage on; None for what is no plain one."""
        for place in range(start, len(self.lineage)):
            member = self.lineage[place]
            bound = member.body.names.get(name)
            if bound:
                node = bound[-1].node
                plain = len(bound) == 1 and isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
                return (place, node) if plain else None  # type: ignore[return-value]
            if member.unknown:
                return None
        return None

    def certain(self, name: str, start: int = 0) -> Names:
        """Return what a call of method `name` surely assigns when it returns."""
        if name == "__init__":
            generated = self._generated(start)
            if generated is not None:
                return generated
        found = self.method(name, start)
        if found is None:
            return frozenset()
        place, node = found
        if node in self._running or len(self._running) > _DEEPEST or not isinstance(node, ast.FunctionDef):
            return frozenset()
        arguments = [*node.args.posonlyargs, *node.args.args]
        if not arguments or any(
            dotted_name(decorator) in ("staticmethod", "classmethod") for decorator in node.decorator_list
        ):
            return frozenset()
        self._running.append(node)
        try:
            return frozenset(_Run(self, place, arguments[0].arg).function(node))
        finally:
            self._running.pop()

    def set_by_property(self, name: str) -> Names:
        """Return what the setter of a property assigns; nothing where `name` is none."""
        found = self.method(name)
        if found is None or not any(dotted_name(one) == f"{name}.setter" for one in found[1].decorator_list):
            return frozenset()
        return self.certain(name)

    def _generated(self, start: int) -> Names | None:
        """Return what an `__init__` that a decorator makes assigns; None where the next one is written out."""
        for place in range(start, len(self.lineage)):
            member = self.lineage[place]
            how = member.making
            written = "__init__" in member.body.names
            if how is not None and how.options.get("init") is not False:
                overwritten = how.maker == "attrs" and not how.options.get("auto_detect")
                if not written or overwritten:
                    return self._made(place, how.maker)
            if written or member.unknown:
                return None
        return None

    def _made(self, place: int, maker: str) -> Names:
        fields = [found for found in all_fields(self.lineage[place:], maker) if not found.passing and found.sure]
        given = {found.name for found in fields if found.init or found.default == "factory"}
        if maker == "attrs":
            given |= {found.name for found in fields if found.default in ("value", "factory")}
        after = "__post_init__" if maker == "dataclass" else "__attrs_post_init__"
        return frozenset(given) | self.certain(after, place if place else 0)


def all_fields(lineage: Sequence[Member], maker: str) -> list[FieldFact]:
    """Return the fields of a class made by `maker` in the order of its `__init__`, those of its bases first."""
    found: dict[str, FieldFact] = {}
    for member in reversed(lineage):
        if member.making is not None and member.making.maker == maker:
            for one in member.fields:
                if maker == "attrs":
                    found.pop(one.name, None)  # it moves to the end
                found[one.name] = one
    return list(found.values())


class _Run:
    """One run through a method: which attributes are assigned at each point, None where no run comes."""

    def __init__(self, flow: Flow, place: int, instance: str) -> None:
        self.flow = flow
        self.place = place
        self.member = flow.lineage[place]
        self.instance = instance
        self.ends: list[set[str]] = []

    def function(self, node: ast.FunctionDef) -> set[str]:
        end = self.block(node.body, set())
        ends = [*self.ends, *([end] if end is not None else [])]
        return set.intersection(*ends) if ends else set()

    def block(self, statements: Iterable[ast.stmt], have: set[str] | None) -> set[str] | None:
        for statement in statements:
            if have is None:
                return None
            have = self.statement(statement, have)
        return have

    def statement(self, node: ast.stmt, have: set[str]) -> set[str] | None:
        if isinstance(node, ast.Return):
            self.ends.append(have | self.calls(node.value))
            return None
        if isinstance(node, ast.Raise):
            return None
        if isinstance(node, (ast.Break, ast.Continue)):
            return None
        if isinstance(node, ast.Assign):
            return have | self.calls(node.value) | {name for target in node.targets for name in self.stored(target)}
        if isinstance(node, ast.AnnAssign):
            return have | self.calls(node.value) | set(self.stored(node.target)) if node.value is not None else have
        if isinstance(node, ast.Delete):
            return have - {name for target in node.targets for name in self.stored(target)}
        if isinstance(node, (ast.Expr, ast.AugAssign)):
            return have | self.calls(node.value)
        return self.compound(node, have)

    def compound(self, node: ast.stmt, have: set[str]) -> set[str] | None:
        if isinstance(node, ast.If):
            return self.branches(node, have | self.calls(node.test))
        if isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                have = have | self.calls(item.context_expr) | set(self.stored(item.optional_vars))
            end = self.block(node.body, set(have))
            return have if any(_suppresses(item.context_expr) for item in node.items) else end
        if isinstance(node, _TRY):
            return self.tried(node, have)
        if isinstance(node, ast.While):
            self.block(node.body, set(have))  # for what it returns
            return have
        if isinstance(node, (ast.For, ast.AsyncFor)):
            have = have | self.calls(node.iter)
            self.block(node.body, set(have))
            return have | self.looped(node)
        if isinstance(node, ast.Match):
            ends = [self.block(case.body, set(have)) for case in node.cases]
            last = node.cases[-1]
            total = isinstance(last.pattern, ast.MatchAs) and last.pattern.pattern is None and last.guard is None
            return _joined([*ends, *([] if total else [have])])
        return have

    def branches(self, node: ast.If, have: set[str]) -> set[str] | None:
        truth = static_truth(node.test)
        if truth is not None:
            return self.block(node.body if truth else node.orelse, have)
        return _joined([self.block(node.body, set(have)), self.block(node.orelse, set(have))])

    def tried(self, node: ast.stmt, have: set[str]) -> set[str] | None:
        body: set[str] | None = self.block([*node.body, *node.orelse], set(have))  # type: ignore[attr-defined]
        ends = [body, *(self.block(handler.body, set(have)) for handler in node.handlers)]  # type: ignore[attr-defined]
        joined = _joined(ends)
        final = self.block(node.finalbody, set())  # type: ignore[attr-defined]
        return None if joined is None or final is None else joined | final

    def looped(self, node: ast.For | ast.AsyncFor) -> set[str]:
        """Return what a loop over constant names sets: ``for name in ("a", "b"): setattr(self, name, ...)``."""
        if not isinstance(node.target, ast.Name) or not isinstance(node.iter, (ast.Tuple, ast.List)):
            return set()
        names = [name.value for name in node.iter.elts if isinstance(name, ast.Constant)]
        if len(names) != len(node.iter.elts) or len(node.body) != 1 or not isinstance(node.body[0], ast.Expr):
            return set()
        call = node.body[0].value
        if not isinstance(call, ast.Call) or len(call.args) != 3 or not self.is_instance(call.args[0]):
            return set()
        same = isinstance(call.args[1], ast.Name) and call.args[1].id == node.target.id
        return {str(name) for name in names} if same else set()

    def is_instance(self, node: ast.expr) -> bool:
        return isinstance(node, ast.Name) and node.id == self.instance

    def stored(self, target: ast.expr | None) -> Iterator[str]:
        if isinstance(target, ast.Attribute) and self.is_instance(target.value):
            yield self.member.mangled(target.attr)
            yield from self.flow.set_by_property(target.attr)
        elif isinstance(target, (ast.Tuple, ast.List)):
            for element in target.elts:
                yield from self.stored(element)
        elif isinstance(target, ast.Starred):
            yield from self.stored(target.value)
        elif isinstance(target, ast.Subscript) and self.is_namespace(target.value):
            yield from (str(key.value) for key in [target.slice] if isinstance(key, ast.Constant))

    def is_namespace(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Attribute):
            return node.attr == "__dict__" and self.is_instance(node.value)
        return (
            isinstance(node, ast.Call)
            and dotted_name(node.func) == "vars"
            and len(node.args) == 1
            and self.is_instance(node.args[0])
        )

    def calls(self, node: ast.expr | None) -> set[str]:
        """Return what the calls in an expression that surely are made assign."""
        found: set[str] = set()
        waiting: list[ast.AST] = [node] if node is not None else []
        while waiting:
            current = waiting.pop()
            if isinstance(current, _CONDITIONAL):
                continue
            if isinstance(current, ast.IfExp):
                waiting.append(current.test)
            elif isinstance(current, ast.BoolOp):
                waiting.append(current.values[0])
            else:
                if isinstance(current, ast.Call):
                    found |= self.call(current)
                waiting.extend(ast.iter_child_nodes(current))
        return found

    def call(self, node: ast.Call) -> set[str]:
        arguments = node.args
        name = arguments[1] if len(arguments) == 3 and self.is_instance(arguments[0]) else None
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            return {name.value}  # setattr, object.__setattr__, or a short name for it
        if not isinstance(node.func, ast.Attribute):
            return set()
        holder, called = node.func.value, node.func.attr
        if called == "__setattr__" and len(arguments) == 2 and isinstance(arguments[0], ast.Constant):
            return {str(arguments[0].value)} if self.is_instance(holder) or _is_super(holder) else set()
        if called == "update" and self.is_namespace(holder):
            return set(_updated(node))
        if self.is_instance(holder):
            return set(self.flow.certain(called))
        if _is_super(holder):
            return set(self.flow.certain(called, self.place + 1))
        dotted = dotted_name(holder)
        if dotted is not None and arguments and self.is_instance(arguments[0]):
            place = self.flow.place(self.member, dotted)
            return set(self.flow.certain(called, place)) if place is not None else set()
        return set()


def _joined(ends: "list[set[str] | None]") -> set[str] | None:
    reached = [end for end in ends if end is not None]
    return set.intersection(*reached) if reached else None


def _is_super(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and dotted_name(node.func) == "super"


def _suppresses(node: ast.expr) -> bool:
    return isinstance(node, ast.Call) and (dotted_name(node.func) or "").rpartition(".")[2] == "suppress"


def _updated(call: ast.Call) -> Iterator[str]:
    yield from (word.arg for word in call.keywords if word.arg is not None)
    for argument in call.args:
        if isinstance(argument, ast.Dict):
            yield from (str(key.value) for key in argument.keys if isinstance(key, ast.Constant))


@dataclass(slots=True)
class Mentions:
    """What the body of a class does with attributes, on whatever path.

    ``stored`` are assigned somewhere, ``read`` are read by methods other than the constructors; ``open`` says that some
    are assigned under names that nobody spells.
    """

    stored: set[str] = field(default_factory=set)
    read: set[str] = field(default_factory=set)
    open: bool = False


_CONSTRUCTORS = frozenset({"__init__", "__new__", "__post_init__", "__attrs_post_init__"})
# What these assign under computed names, somebody else spelt, or an instance had before.
_PASSING_ON = frozenset({"__setstate__", "__setattr__", "__copy__", "__deepcopy__"})


def mentions(member: Member) -> Mentions:
    """Return what the statement of a class does with attributes of any object that a plain name holds."""
    found = Mentions()
    for statement, _ in member.body.statements:
        if not isinstance(statement, (ast.FunctionDef, ast.AsyncFunctionDef)):
            continue
        arguments = [*statement.args.posonlyargs, *statement.args.args]
        instance = arguments[0].arg if arguments else ""
        reading = statement.name not in _CONSTRUCTORS
        was_open = found.open
        for node in ast.walk(statement):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                name = member.mangled(node.attr)
                if isinstance(node.ctx, ast.Load):
                    if reading and node.value.id == instance:
                        found.read.add(name)
                else:
                    found.stored.add(name)
                    found.open |= name == "__dict__"
            elif isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Attribute) and reading:
                found.read.add(member.mangled(node.target.attr))
            elif isinstance(node, ast.Call):
                _called(found, node)
            elif isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store):
                _subscripted(found, node)
        if statement.name in _PASSING_ON:
            found.open = was_open
    return found


def _called(found: Mentions, node: ast.Call) -> None:
    last = (dotted_name(node.func) or str(getattr(node.func, "attr", ""))).rpartition(".")[2]
    if last in ("setattr", "__setattr__") and len(node.args) >= 2:
        name = node.args[1] if len(node.args) == 3 else node.args[0]
        if isinstance(name, ast.Constant):
            found.stored.add(str(name.value))
        elif not _copies(node.args[-1]):
            found.open = True
    elif last == "update" and isinstance(node.func, ast.Attribute) and _is_dict(node.func.value):
        names = set(_updated(node))
        found.stored |= names
        found.open |= any(word.arg is None for word in node.keywords) or not all(
            _is_dict(argument)
            or (isinstance(argument, ast.Dict) and all(isinstance(key, ast.Constant) for key in argument.keys))
            for argument in node.args
        )


def _copies(value: ast.expr) -> bool:
    """Whether a value under a computed name was an attribute before: ``setattr(new, k, getattr(old, k))``."""
    return isinstance(value, ast.Call) and dotted_name(value.func) == "getattr"


def _subscripted(found: Mentions, node: ast.Subscript) -> None:
    if _is_dict(node.value):
        if isinstance(node.slice, ast.Constant):
            found.stored.add(str(node.slice.value))
        else:
            found.open = True


def _is_dict(node: ast.expr) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr == "__dict__"
    return isinstance(node, ast.Call) and dotted_name(node.func) == "vars"
