"""What one file does with a module that it imports as a whole: whether it hands it on to who may write to it."""

import ast
import re
import sys
from functools import cached_property

from extreg.targets.fetches import parse
from extreg.targets.reach import dotted_name

_IMPORTS = re.compile(
    r"^[ \t]*(?:from[ \t]+[\w.]+[ \t]+import[ \t]+(?:\([^)]*\)|[^\n]*)|import[ \t]+[^\n]*)", re.MULTILINE
)
_WRITES = re.compile(r"\bsetattr\(|\b__setattr__\b|\b__dict__\b|\bvars\(")
# Calls that look at what they are given, and change nothing.
_HARMLESS = frozenset(
    [
        "dir",
        "getattr",
        "hasattr",
        "isinstance",
        "getfile",
        "getmembers",
        "getsource",
        "id",
        "iscode",
        "ismodule",
        "print",
        "reload",
        "repr",
        "str",
        "type",
    ]
)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)


class Text:
    """The text of one file, its imports and the rest apart."""

    def __init__(self, text: str) -> None:
        self.text = text

    @cached_property
    def imports(self) -> str:
        """The import statements."""
        return "\n".join(_IMPORTS.findall(self.text))

    @cached_property
    def rest(self) -> str:
        """What is no import statement."""
        return _IMPORTS.sub("", self.text)

    @cached_property
    def tree(self) -> ast.Module | None:
        """The syntax tree; None for what this Python cannot parse."""
        return parse(self.text)

    def hands_over(self, module: str, *, writers: bool) -> bool:
        """Whether the file gives a module, or its name, to somebody who may write to it.

        `writers` says that its package has functions that write to modules whose names they are given.
        """
        if module.rpartition(".")[2] not in self.text:
            return False
        return self._names(module, writers) or any(self.passes(name) for name in self.bound_as(module))

    def _names(self, module: str, writers: bool) -> bool:
        for found in re.finditer(rf"[\"']{re.escape(module)}[\"']", self.rest) if module in self.rest else ():
            before = re.search(
                r"([\w.]*)[(\[](?:[^()\n]*,)?\s*$", self.rest[max(0, found.start() - 200) : found.start()]
            )
            if before is not None and self._may_write(before[1], writers, module):
                return True
        return False

    def _may_write(self, function: str, writers: bool, module: str) -> bool:
        if function.rpartition(".")[2] in ("import_module", "__import__", "modules", "get"):
            return _WRITES.search(self.rest) is not None
        root = function.partition(".")[0]
        line = re.search(
            rf"^[ \t]*(?:from[ \t]+([\w.]+)[ \t]+)?import\b[^#]*?\b{re.escape(root)}\b", self.imports, re.M
        )
        if not root or line is None:
            return writers
        home = (line[1] or root).partition(".")[0]
        return writers if home in ("", module.partition(".")[0]) else home not in sys.stdlib_module_names

    def bound_as(self, module: str) -> set[str]:
        """Return the names under which the file imports a module as a whole."""
        parent, _, last = module.rpartition(".")
        if last not in self.imports:
            return set()
        word, full = re.escape(last), re.escape(module)
        plain = rf"^[ \t]*import[ \t]+(?:[^\n]*,[ \t]*)?{full}\b(?:[ \t]+as[ \t]+(\w+))?"
        found = {alias or module for alias in re.findall(plain, self.imports, re.MULTILINE)}
        if parent:
            near = re.escape(parent.rpartition(".")[2])
            start = rf"^[ \t]*from[ \t]+(?:\.+|[\w.]*\b{near})[ \t]+import[ \t]+(?:\([^)]*|[^\n]*)"
            aliases = re.findall(rf"{start}\b{word}\b(?:[ \t]+as[ \t]+(\w+))?", self.imports, re.MULTILINE)
            found.update(alias or last for alias in aliases)
        return found

    def passes(self, name: str) -> bool:
        """Whether the file passes a global on: to a call, a list, another name, or writes to its namespace."""
        return name.rpartition(".")[2] in self.rest and (self.tree is None or name in self._passed)

    @cached_property
    def _passed(self) -> set[str]:
        """The dotted names of globals that are passed on."""
        assert self.tree is not None
        found: set[str] = set()
        others: list[tuple[str, str]] = []  # two names of one object
        waiting: list[tuple[ast.AST, ast.AST, frozenset[str]]] = [(self.tree, self.tree, frozenset())]
        while waiting:
            node, parent, own = waiting.pop()
            if isinstance(node, (ast.Name, ast.Attribute)) and (name := dotted_name(node)) is not None:
                if name.partition(".")[0] not in own and _is_passed(node, parent):
                    found.add(name)
                if isinstance(node, ast.Attribute):
                    waiting.append((node.value, node, own))
                continue
            if isinstance(node, _FUNCTIONS):
                own |= _own_names(node)
            elif isinstance(node, ast.Assign) and (name := dotted_name(node.value)) is not None:
                others += [(name, alias) for target in node.targets if (alias := dotted_name(target))]
            waiting += [(child, node, own) for child in ast.iter_child_nodes(node)]
        return found | {name for name, alias in others if alias in found and name != alias}


def _is_passed(node: "ast.Name | ast.Attribute", parent: ast.AST) -> bool:
    if not isinstance(node.ctx, ast.Load):
        return False
    if isinstance(parent, ast.Attribute):
        return parent.attr in ("__dict__", "__class__")
    if isinstance(parent, ast.Call) and parent.func is not node:
        function = (dotted_name(parent.func) or "").rpartition(".")[2]
        spelt = function == "setattr" and len(parent.args) > 1 and isinstance(parent.args[1], ast.Constant)
        return function not in _HARMLESS and not spelt
    return not isinstance(parent, (ast.Assign, ast.AnnAssign, ast.Compare, ast.Expr, ast.If, ast.BoolOp, ast.Call))


def _own_names(node: "ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda") -> frozenset[str]:
    """Return the parameters and variables of a function."""
    found = {inner.arg for inner in ast.walk(node.args) if isinstance(inner, ast.arg)}
    shared: set[str] = set()
    for inner in ast.walk(node):
        if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
            found.add(inner.id)
        elif isinstance(inner, ast.Global):
            shared.update(inner.names)
    return frozenset(found - shared)
