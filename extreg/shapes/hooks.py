"""What the methods do by which a class says how it is pickled."""

import ast
from collections.abc import Callable, Iterator

from extreg.shapes.assigned import Flow, Function
from extreg.shapes.following import ClassAt, Found, FunctionAt
from extreg.shapes.lineage import Member
from extreg.shapes.shape import Call, Reduces, Restores
from extreg.shapes.signatures import Parameters, parameters
from extreg.targets.reach import dotted_name

Follow = Callable[[Member, str | None], Found]
_LOOPED = ("slots", "fields", "__annotations__", "__attrs_attrs__", "defaults")


def restores(flow: Flow, name: str = "__setstate__") -> Restores | None:
    """Return what the first ``__setstate__`` of a lineage does with attributes, or None where there is none."""
    for place, member in enumerate(flow.lineage):
        if name in member.body.names:
            found = flow.method(name, place)
            if found is None:
                return Restores(frozenset(), True)
            names, anything = _restored(flow, place, found[1], set())
            return Restores(frozenset(names), anything)
    return None


def _restored(flow: Flow, place: int, node: Function, seen: set[int]) -> tuple[set[str], bool]:
    """Return the names that a function mentions, with what it calls on the instance; and whether it may set others."""
    if id(node) in seen:
        return set(), False
    seen.add(id(node))
    member = flow.lineage[place]
    arguments = [argument.arg for argument in (*node.args.posonlyargs, *node.args.args)]
    instance = arguments[0] if arguments else ""
    names: set[str] = set()
    anything = False
    for current in ast.walk(node):
        if isinstance(current, ast.Constant) and isinstance(current.value, str):
            names.add(current.value)
        elif isinstance(current, ast.Attribute):
            names.add(member.mangled(current.attr))
        elif isinstance(current, ast.keyword) and current.arg is not None:
            names.add(current.arg)
        elif isinstance(current, (ast.For, ast.comprehension)):
            anything |= any(word in ast.unparse(current.iter) for word in _LOOPED)
        elif isinstance(current, ast.Call):
            more, other = _called(flow, place, current, instance, arguments, seen)
            names |= more
            anything |= other
    return names, anything


def _called(
    flow: Flow, place: int, node: ast.Call, instance: str, arguments: list[str], seen: set[int]
) -> tuple[set[str], bool]:
    function = node.func
    given = [argument.id for argument in node.args if isinstance(argument, ast.Name)]
    if isinstance(function, ast.Attribute):
        holder = dotted_name(function.value)
        above = isinstance(function.value, ast.Call) and dotted_name(function.value.func) == "super"
        if above or holder == instance:
            if function.attr == "__init__":
                return set(), True
            found = flow.method(function.attr, place + 1 if above else 0)
            if found is not None:
                return _restored(flow, found[0], found[1], seen)
            return set(), above and not _is_stock(function.attr)
        if function.attr == "update" and holder == f"{instance}.__dict__":
            # The state itself gives nothing that it lacks; anything else may.
            own = [isinstance(argument, (ast.Name, ast.Dict)) for argument in node.args]
            return set(), not all(own) or any(name not in arguments for name in given)
        if function.attr == "__setattr__":
            return set(), False
    if isinstance(function, ast.Name) and function.id in ("setattr", "len", "isinstance", "hasattr", "getattr"):
        return set(), False
    return set(), instance in given  # whoever gets the instance may set anything


def _is_stock(name: str) -> bool:
    return hasattr(object, name)


def reduces(flow: Flow, target: str, follow: Follow) -> Reduces | None:
    """Return what the ``__reduce_ex__`` or ``__reduce__`` of a lineage has called, or None where it has none."""
    for name in ("__reduce_ex__", "__reduce__"):
        for place, member in enumerate(flow.lineage):
            if name in member.body.names:
                found = flow.method(name, place)
                return _reduced(flow, found[1], member, target, follow) if found is not None else Reduces((), False)
    return None


def _reduced(flow: Flow, node: Function, member: Member, target: str, follow: Follow) -> Reduces:
    calls: list[Call] = []
    known = True
    arguments = [*node.args.posonlyargs, *node.args.args]
    instance = arguments[0].arg if arguments else ""
    for returned in _returns(node):
        value = returned.value
        if isinstance(value, ast.Tuple) and len(value.elts) >= 2:
            what, takes = _callable(flow, value.elts[0], instance, member, target, follow)
            given = value.elts[1]
            count = len(given.elts) if isinstance(given, ast.Tuple) and not _starred(given) else None
            third = value.elts[2] if len(value.elts) > 2 else None
            state = third is not None and not (isinstance(third, ast.Constant) and third.value is None)
            known &= bool(what)
            calls.append(Call(what, count, state, takes))
        else:
            known = False
    return Reduces(tuple(calls), known and bool(calls))


def _callable(
    flow: Flow, node: ast.expr, instance: str, member: Member, target: str, follow: Follow
) -> tuple[str, Parameters | None]:
    if isinstance(node, ast.Call) and dotted_name(node.func) == "type" and len(node.args) == 1:
        return ("class", None) if dotted_name(node.args[0]) == instance else ("", None)
    dotted = dotted_name(node)
    if dotted == f"{instance}.__class__":
        return "class", None
    found = _own_method(flow, node, instance) or follow(member, dotted)
    if isinstance(found, ClassAt):
        own = f"{found.module.name}:{found.qualname}"
        return ("class", None) if own == target else ("", None)
    if isinstance(found, FunctionAt):
        return f"{found.module.name}:{found.qualname}", called_by_name(found)
    return "", None


def _own_method(flow: Flow, node: ast.expr, instance: str) -> FunctionAt | None:
    """Return the static method or class method that an attribute of the instance or of its class is."""
    if not isinstance(node, ast.Attribute):
        return None
    holder = node.value.func if isinstance(node.value, ast.Call) else node.value
    if dotted_name(holder) not in (instance, f"{instance}.__class__", "type"):
        return None
    found = flow.method(node.attr)
    if found is None:
        return None
    member = flow.lineage[found[0]]
    decorators = [dotted_name(one) for one in found[1].decorator_list]
    if member.module is None or decorators not in (["staticmethod"], ["classmethod"]):
        return None
    return FunctionAt(member.module, found[1], f"{member.qualname}.{node.attr}")


def called_by_name(found: FunctionAt) -> Parameters | None:
    """Return what a function takes that is fetched from its module or class; None where a decorator may change it."""
    decorators = [dotted_name(one) for one in found.node.decorator_list]
    if decorators not in ([], ["staticmethod"], ["classmethod"]):
        return None
    return parameters(found.node, found.qualname, bound=decorators == ["classmethod"])


def given_arguments(flow: Flow) -> int | None:
    """Return how many arguments ``__getnewargs__`` gives: 0 without one, None where it returns no literal."""
    for name in ("__getnewargs_ex__", "__getnewargs__"):
        found = flow.method(name)
        if found is None:
            if any(name in member.body.names for member in flow.lineage):
                return None
            continue
        values = [returned.value for returned in _returns(found[1])]
        counts = {len(value.elts) if isinstance(value, ast.Tuple) and not _starred(value) else None for value in values}
        return counts.pop() if len(counts) == 1 and name == "__getnewargs__" else None
    return 0


def _starred(node: ast.Tuple) -> bool:
    return any(isinstance(element, ast.Starred) for element in node.elts)


def _returns(node: Function) -> Iterator[ast.Return]:
    """Yield the return statements of a function, not those of functions inside it."""
    waiting: list[ast.AST] = list(node.body)
    while waiting:
        current = waiting.pop()
        if isinstance(current, ast.Return):
            yield current
        elif not isinstance(current, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)):
            waiting.extend(ast.iter_child_nodes(current))
