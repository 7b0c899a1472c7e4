"""The calls of `copyreg.add_extension` in Python source, read without running it."""

import ast
from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

_FUNCTION = "add_extension"
# Python 2's name is what libraries such as six and future still import.
_MODULES = frozenset({"copyreg", "copy_reg"})
_IMPORTERS = frozenset({"__import__", "import_module"})


class Call(NamedTuple):
    """One call of `copyreg.add_extension` whose three arguments are constants."""

    path: str
    line: int
    module: str
    name: str
    code: int

    @property
    def target(self) -> str:
        """The target that the call registers."""
        return f"{self.module}:{self.name}"


def extension_calls(tree: ast.Module, path: str, module: str | None) -> tuple[Call, ...]:
    """Return the calls of copyreg's `add_extension`, by whatever name, whose three arguments are constants.

    Constants are literals, sums and the like of them, names and classes that are bound once, at the top of the file,
    and ``__name__``, which is `module`; None where that is not known.  What another object's method of that name does
    is its own affair.
    """
    file = _File(tree, module)
    calls = (node for node in ast.walk(tree) if isinstance(node, ast.Call) and file.is_ours(node.func))
    return tuple(found for node in calls if (found := _call(node, path, file)) is not None)


def _call(node: ast.Call, path: str, file: "_File") -> Call | None:
    given = dict(zip(("module", "name", "code"), node.args, strict=False))
    given.update({word.arg: word.value for word in node.keywords if word.arg})
    module, name, code = (file.value(given.get(key)) for key in ("module", "name", "code"))
    if isinstance(module, str) and isinstance(name, str) and type(code) is int:
        return Call(path, node.lineno, module, name, code)
    return None


class _File:
    """The names of one file that bear on its calls: which stand for copyreg, for its function, for constants."""

    def __init__(self, tree: ast.Module, module: str | None) -> None:
        self.module = module
        self.modules: set[str] = set()
        self.functions: set[str] = set()
        self.classes: set[str] = set()
        self.constants: dict[str, ast.expr] = {}
        bound = Counter(_bound(tree))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom):
                self._imported(node)
            elif isinstance(node, ast.Import):
                self.modules.update(alias.asname or alias.name for alias in node.names if alias.name in _MODULES)
        for statement in tree.body:
            self._at_top(statement, bound)

    def is_ours(self, called: ast.expr) -> bool:
        """Say whether an expression is `copyreg.add_extension`."""
        if isinstance(called, ast.Name):
            return called.id in self.functions
        return isinstance(called, ast.Attribute) and called.attr == _FUNCTION and self._is_copyreg(called.value)

    def value(self, node: ast.expr | None, depth: int = 0) -> object:
        """Return the str or int that an expression is sure to have, else None."""
        if node is None or depth > len(self.constants) + _DEEP:
            return None
        if isinstance(node, ast.Constant):
            return node.value if isinstance(node.value, (str, int)) else None
        if isinstance(node, ast.Name):
            return self.module if node.id == "__name__" else self.value(self.constants.get(node.id), depth + 1)
        if isinstance(node, ast.Attribute):
            return self._of_class(node)
        if isinstance(node, ast.BinOp):
            return _computed(node.op, self.value(node.left, depth + 1), self.value(node.right, depth + 1))
        return None

    def _imported(self, node: ast.ImportFrom) -> None:
        for alias in node.names:
            if alias.name in _MODULES:  # from six.moves import copyreg
                self.modules.add(alias.asname or alias.name)
            elif (node.module or "").rpartition(".")[2] in _MODULES and alias.name in (_FUNCTION, "*"):
                self.functions.add(alias.asname or _FUNCTION)

    def _at_top(self, node: ast.stmt, bound: "Counter[str]") -> None:
        if isinstance(node, ast.ClassDef) and bound[node.name] == 1:
            self.classes.add(node.name)
        value = node.value if isinstance(node, (ast.Assign, ast.AnnAssign)) else None
        targets = node.targets if isinstance(node, ast.Assign) else [getattr(node, "target", None)]
        for target in targets:
            if value is None or not isinstance(target, ast.Name) or bound[target.id] != 1:
                continue
            if self.is_ours(value):
                self.functions.add(target.id)
            elif self._is_copyreg(value):
                self.modules.add(target.id)
            else:
                self.constants[target.id] = value

    def _is_copyreg(self, node: ast.expr) -> bool:
        if isinstance(node, ast.Name):
            return node.id in self.modules
        if isinstance(node, ast.Attribute):  # import six; six.moves.copyreg
            return node.attr in _MODULES
        if not isinstance(node, ast.Call) or len(node.args) != 1:
            return False
        called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        return called in _IMPORTERS and getattr(node.args[0], "value", None) in _MODULES

    def _of_class(self, node: ast.Attribute) -> object:
        if not isinstance(node.value, ast.Name) or node.value.id not in self.classes:
            return None
        return {"__module__": self.module, "__name__": node.value.id, "__qualname__": node.value.id}.get(node.attr)


_DEEP = 20  # of sums within sums, and of constants made of constants


def _computed(operation: ast.operator, left: object, right: object) -> object:
    if isinstance(left, str) and isinstance(right, str) and isinstance(operation, ast.Add):
        return left + right
    if not isinstance(left, int) or not isinstance(right, int):
        return None
    if isinstance(operation, ast.Add):
        return left + right
    if isinstance(operation, ast.Sub):
        return left - right
    if isinstance(operation, ast.BitOr):
        return left | right
    if isinstance(operation, ast.Mult) and max(abs(left), abs(right)) < 1 << 31:
        return left * right
    if isinstance(operation, ast.LShift) and 0 <= right < 32:
        return left << right
    return None


def _bound(tree: ast.Module) -> Iterator[str]:
    """Yield every name that the file binds, once for each time it does, in whatever scope."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
            yield node.id
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            yield node.name
        elif isinstance(node, ast.arg):
            yield node.arg
        elif isinstance(node, ast.alias):
            yield node.asname or node.name.partition(".")[0]
        elif isinstance(node, (ast.Global, ast.Nonlocal)):
            yield from node.names
        elif isinstance(node, (ast.ExceptHandler, ast.MatchAs, ast.MatchStar)) and node.name is not None:
            yield node.name
