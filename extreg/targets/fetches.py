"""Whether code writes to modules that it gets by a computed name or from a frame, or renames what it is given."""

import ast
import re
import warnings
from collections.abc import Iterable, Iterator

from extreg.targets.known_calls import OWN_NAME
from extreg.targets.reach import dotted_name

_FRAMES = frozenset({"_getframe", "currentframe", "f_globals", "f_locals", "__globals__", "getmodule"})
_IMPORTS = frozenset({"import_module", "__import__"})
_NAMESPACES = frozenset({"f_globals", "__dict__", "__globals__"})
_UPDATES = frozenset({"update", "setdefault", "__setitem__", "__setattr__"})
_DEFINITIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_GETS = re.compile(
    r"\bmodules\b|\bimport_module\b|\b__import__\b|\b_getframe\b|\bcurrentframe\b|\bgetmodule\b|__globals__"
)
_WRITES = re.compile(r"\bsetattr\b|\b__setattr__\b|\b__dict__\b|\bvars\(|\bexec\(|\bf_globals\b|\b__globals__\b")
_RENAMES = re.compile(r"\.__(?:module|qualname|name)__\b|[\"']__(?:module|qualname|name)__[\"']")


def module_writers(source: str) -> dict[str, bool]:
    """Return the functions and classes in `source` that write computed names to modules that they fetch.

    True with those that fetch them by a computed name, and not only that of their caller or of what they are given.  An
    empty name stands for what is outside of all functions.
    """
    if _GETS.search(source) is None or _WRITES.search(source) is None:
        return {}
    tree = parse(source)
    if tree is None:
        return {"": True}
    units = list(_units(tree))
    getters = {name for name, nodes in units if name and _returns(nodes, _fetched(nodes, set()), set())}
    writers = {name for name, nodes in units if name and any(map(_sets_computed, nodes))} | {"exec"}
    found = [(name, nodes) for name, nodes in units if _writes_fetched(nodes, getters, writers)]
    return {name: any(_gets_by_name(node, getters) for node in nodes) for name, nodes in found}


def module_makers(source: str) -> dict[str, bool]:
    """Return the functions and classes in `source` that put modules of computed names into ``sys.modules``.

    True with those whose computed name is what they are called with, as it is.
    """
    if "modules[" not in source:
        return {}
    tree = parse(source)
    found: dict[str, bool] = {}
    for name, nodes in _units(tree) if tree is not None else ():
        keys = [node.slice for node in nodes if isinstance(node, ast.Subscript) and _stores_module(node)]
        if keys:
            given = {node.arg for node in nodes if isinstance(node, ast.arg)}
            found[name] = all(isinstance(key, ast.Name) and key.id in given for key in keys)
    return found


def _stores_module(node: ast.Subscript) -> bool:
    return isinstance(node.ctx, ast.Store) and _is_modules(node.value) and not isinstance(node.slice, ast.Constant)


def renaming_functions(source: str) -> frozenset[str]:
    """Return the functions and classes in `source` that give objects another name or module; empty for the rest."""
    if _RENAMES.search(source) is None:
        return frozenset()
    tree = parse(source)
    units = _units(tree) if tree is not None else ()
    return frozenset(name for name, nodes in units if any(map(_renames, nodes)))


def parse(source: str) -> ast.Module | None:
    """Return the syntax tree of `source`, or None when this Python cannot parse it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an invalid escape in somebody's file is not our business
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def _units(tree: ast.Module) -> Iterator[tuple[str, list[ast.AST]]]:
    """Yield the functions and classes of a file, each with all that is in it, and the rest without a name."""
    rest: list[ast.AST] = []
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, _DEFINITIONS):
            yield node.name, list(ast.walk(node))
        else:
            rest.append(node)
            waiting += ast.iter_child_nodes(node)
    yield "", rest


def _renames(node: ast.AST) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr in OWN_NAME and isinstance(node.ctx, ast.Store)
    if isinstance(node, ast.Call) and dotted_name(node.func) in ("setattr", "type.__setattr__"):
        own = not node.args or dotted_name(node.args[0]) in ("self", "cls")
        name = node.args[1] if len(node.args) > 1 else None
        return not own and (not isinstance(name, ast.Constant) or name.value in OWN_NAME)
    return False


def _sets_computed(node: ast.AST) -> bool:
    if not isinstance(node, ast.Call) or dotted_name(node.func) != "setattr":
        return False
    return len(node.args) < 2 or not isinstance(node.args[1], ast.Constant)


def _writes_fetched(nodes: "list[ast.AST]", getters: set[str], writers: set[str]) -> bool:
    fetched = _fetched(nodes, getters)
    return any(_writes(node, fetched, getters, writers) for node in nodes)


def _fetched(nodes: "list[ast.AST]", getters: set[str]) -> set[str]:
    """Return the names and attributes that stand for fetched modules."""
    fetched: set[str] = set()
    if not any(_gets_module(node, getters) for node in nodes):
        return fetched
    while True:
        before = len(fetched)
        for node in nodes:
            targets, value = _assigned(node)
            if value is not None and _is_fetched(value, fetched, getters):
                fetched.update(name for target in targets for name in _names(target))
        if len(fetched) == before:
            return fetched


def _assigned(node: ast.AST) -> "tuple[list[ast.expr], ast.expr | None]":
    if isinstance(node, ast.Assign):
        return node.targets, node.value
    if isinstance(node, (ast.AnnAssign, ast.NamedExpr)):
        return [node.target], node.value
    if isinstance(node, (ast.For, ast.comprehension)):
        return [node.target], node.iter
    return [], None


def _names(target: ast.expr) -> "Iterable[str]":
    if isinstance(target, (ast.Tuple, ast.List)):
        return [name for element in target.elts for name in _names(element)]
    name = dotted_name(target)
    return [name] if name is not None else []


def _is_fetched(value: ast.AST, fetched: set[str], getters: set[str]) -> bool:
    """Whether an expression is a fetched module, or its namespace; what a function makes of one is not."""
    if _gets_module(value, getters) or (isinstance(value, ast.expr) and dotted_name(value) in fetched):
        return True
    if isinstance(value, ast.Call):
        name = dotted_name(value.func)
        if name in ("vars", "list", "tuple", "iter") and value.args:
            return _is_fetched(value.args[0], fetched, getters)
        return (
            isinstance(value.func, ast.Attribute)
            and value.func.attr in ("get", "values", "items", "pop")
            and (_is_fetched(value.func.value, fetched, getters) or _is_modules(value.func.value))
        )
    if isinstance(value, ast.Attribute):
        return value.attr in (*_NAMESPACES, "f_back", "f_locals") and _is_fetched(value.value, fetched, getters)
    if isinstance(value, (ast.IfExp, ast.BoolOp, ast.Tuple, ast.List, ast.ListComp)):
        return any(_is_fetched(child, fetched, getters) for child in ast.iter_child_nodes(value))
    return False


def _is_modules(value: ast.AST) -> bool:
    name = dotted_name(value) if isinstance(value, ast.expr) else None
    return name is not None and (name == "modules" or name.endswith("sys.modules"))


def _gets_module(node: ast.AST, getters: set[str]) -> bool:
    """Whether a node gets a module whose name is computed, or a frame."""
    if isinstance(node, ast.Subscript):
        return _is_modules(node.value) and not isinstance(node.slice, ast.Constant)
    if isinstance(node, ast.Call):
        dotted = dotted_name(node.func) or ""
        name = dotted.rpartition(".")[2]
        given = node.args[0] if node.args else None
        if name in ("get", "pop") and _is_modules(getattr(node.func, "value", node)):
            return not isinstance(given, ast.Constant)
        return name in _FRAMES or dotted in getters or (name in _IMPORTS and not isinstance(given, ast.Constant))
    return isinstance(node, ast.Attribute) and node.attr in ("f_globals", "__globals__")


def _gets_by_name(node: ast.AST, getters: set[str]) -> bool:
    if isinstance(node, ast.Subscript):
        return _gets_module(node, getters) and getattr(node.slice, "attr", "") not in OWN_NAME
    if not isinstance(node, ast.Call) or not _gets_module(node, getters):
        return False
    own = bool(node.args) and getattr(node.args[0], "attr", "") in OWN_NAME
    return (dotted_name(node.func) or "").rpartition(".")[2] not in _FRAMES and not own


def _writes(node: ast.AST, fetched: set[str], getters: set[str], writers: set[str]) -> bool:
    """Whether a node sets attributes of a fetched module whose names are computed."""
    if isinstance(node, ast.Call):
        function = dotted_name(node.func)
        first = node.args[0] if node.args else None
        if first is not None and _sets_computed(node):
            return _is_fetched(first, fetched, getters)
        if isinstance(node.func, ast.Attribute) and node.func.attr in _UPDATES:
            return _is_fetched(node.func.value, fetched, getters) and not _is_modules(node.func.value)
        given = [*node.args, *(word.value for word in node.keywords)]
        return function in writers and any(_is_fetched(argument, fetched, getters) for argument in given)
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store) and not isinstance(node.slice, ast.Constant):
        return _is_fetched(node.value, fetched, getters)
    return False


def _returns(nodes: "list[ast.AST]", fetched: set[str], getters: set[str]) -> bool:
    return any(
        isinstance(node, ast.Return) and node.value is not None and _is_fetched(node.value, fetched, getters)
        for node in nodes
    )
