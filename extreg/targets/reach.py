"""What a module does to its own namespace while it is imported, beyond the statements that bind names there.

A name gets into a module by its own statements, by whoever has its namespace, or by whoever can fetch that: from
``sys.modules`` by the name of the module, or from the frames of callers.  Here is read what the module does itself, and
whom it calls with what.
"""

import ast
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Handing = Literal["", "class", "name", "namespace"]

_READS = frozenset({"get", "keys", "values", "items", "copy", "__contains__", "__getitem__"})
_COPIES = frozenset({"dict", "frozenset", "id", "len", "list", "set", "sorted", "tuple"})
_OWN = frozenset({"__name__", "__package__", "__spec__"})
# Where a text has none of these, nothing in the body of a function reaches the module.
_TOKENS = ("globals", "modules", "__name__", "__package__", "__spec__", "locals(", "vars(")
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


_LOOKED_AT = frozenset(
    {ast.Call, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.Name, ast.Attribute, ast.alias}
)


class Made(NamedTuple):
    """A call that is made while the module is imported; decorators and the bases of a class are called too.

    ``function`` is the dotted name of what is called, None where it is more than that; ``names`` are those that its
    arguments mention; ``handing`` says whether it gets the module's name or even its namespace, or, as a method that
    decorates a class does, something that has the name.
    """

    function: str | None
    names: frozenset[str]
    handing: Handing


@dataclass(slots=True)
class Reach:
    """What a module does to its namespace.

    ``open``: it may bind any name; ``given`` are names that it binds by ``globals()["name"] =``; ``calls`` are those
    made at import, and all that get its name or namespace; ``modules`` are names of modules that it takes from
    ``sys.modules``; ``exports`` counts how often ``__all__`` is spelt.
    """

    open: bool = False
    given: set[str] = field(default_factory=set)
    calls: set[Made] = field(default_factory=set)
    modules: set[str] = field(default_factory=set)
    exports: int = 0


def dotted_name(value: ast.expr | None) -> str | None:
    """Return ``a.b.c`` for a name or a chain of attributes of one, else None."""
    parts: list[str] = []
    while isinstance(value, ast.Attribute):
        parts.append(value.attr)
        value = value.value
    return ".".join([value.id, *reversed(parts)]) if isinstance(value, ast.Name) else None


def reach(tree: ast.Module, source: str) -> Reach:
    """Return what the module of `tree`, whose text is `source`, does to its namespace."""
    found = Reach()
    deep = any(token in source for token in _TOKENS) or source.count("__all__") > 1
    waiting: list[tuple[ast.AST, ast.AST, bool]] = [(node, tree, True) for node in tree.body]
    while waiting:
        node, parent, at_import = waiting.pop()
        if type(node) in _LOOKED_AT:
            _look(found, node, parent, at_import)
        if isinstance(node, _FUNCTIONS):
            # Decorators and defaults are evaluated where the function is defined.
            outer = [*getattr(node, "decorator_list", ()), *node.args.defaults, *filter(None, node.args.kw_defaults)]
            waiting += [(child, node, at_import) for child in outer]
            if deep:
                body = node.body if isinstance(node.body, list) else [node.body]
                waiting += [(child, node, False) for child in body]
        else:
            waiting += [(child, node, at_import) for child in ast.iter_child_nodes(node)]
    return found


def _look(found: Reach, node: ast.AST, parent: ast.AST, at_import: bool) -> None:
    if isinstance(node, ast.Call):
        _call(found, node, parent, at_import)
    elif isinstance(node, (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
        if at_import:
            _definition(found, node)
    elif isinstance(node, ast.Name):
        found.exports += node.id == "__all__"
        if node.id == "globals" and not (isinstance(parent, ast.Call) and parent.func is node):
            found.open = True
    elif isinstance(node, ast.Attribute):
        if node.attr == "modules" and isinstance(node.value, ast.Name) and node.value.id.endswith("sys"):
            _modules(found, parent)
        elif node.attr == "__dict__" and at_import:
            found.open = True
    elif isinstance(node, ast.alias):
        found.exports += node.name == "__all__"


def _definition(found: Reach, node: "ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef") -> None:
    called = list(node.decorator_list)
    if isinstance(node, ast.ClassDef):
        called += node.bases
        called += [word.value for word in node.keywords if word.arg == "metaclass"]
    for value in called:
        plain = (
            value.func if isinstance(value, ast.Call) else value.value if isinstance(value, ast.Subscript) else value
        )
        name = dotted_name(plain)
        method = isinstance(node, ast.ClassDef) and value in node.decorator_list and name is not None and "." in name
        found.calls.add(Made(name, frozenset({node.name}), "class" if method else ""))


def _call(found: Reach, node: ast.Call, parent: ast.AST, at_import: bool) -> None:
    function = dotted_name(node.func)
    if function == "globals":
        _globals(found, parent)
    elif function in ("exec", "locals", "vars") and at_import:
        found.open = True
    arguments = [*node.args, *(word.value for word in node.keywords)]
    handings = {_handing(argument) for argument in arguments}
    handing: Handing = "namespace" if "namespace" in handings else "name" if "name" in handings else ""
    if (at_import or handing) and function not in _COPIES:
        names = frozenset(
            inner.id for argument in arguments for inner in ast.walk(argument) if isinstance(inner, ast.Name)
        )
        found.calls.add(Made(function, names, handing))


def _handing(argument: ast.expr) -> Handing:
    """Say what of the module an argument gives away."""
    handing: Handing = ""
    for node in ast.walk(argument):
        if isinstance(node, ast.Call) and dotted_name(node.func) in ("globals", "locals", "vars"):
            return "namespace"
        if isinstance(node, ast.Name) and node.id in _OWN:
            handing = "name"
    return handing


def _globals(found: Reach, parent: ast.AST) -> None:
    """Look at what is done with a call of `globals`; to merely read it binds nothing."""
    if isinstance(parent, ast.Subscript):
        if isinstance(parent.ctx, ast.Load):
            return
        if isinstance(parent.ctx, ast.Store) and isinstance(parent.slice, ast.Constant):
            found.given.add(str(parent.slice.value))
            return
    elif isinstance(parent, ast.Attribute):
        if parent.attr in _READS:
            return
    elif isinstance(parent, (ast.Compare, ast.comprehension, ast.Call, ast.keyword)):
        return  # a call that it is handed to is looked at itself
    elif isinstance(parent, ast.For):
        return
    found.open = True


def _modules(found: Reach, parent: ast.AST) -> None:
    if isinstance(parent, ast.Subscript):
        if isinstance(parent.slice, ast.Constant):
            found.modules.add(str(parent.slice.value))
        elif isinstance(parent.slice, ast.Name) and parent.slice.id in _OWN:
            found.open = True
