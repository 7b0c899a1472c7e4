"""What a Python source file binds to its names, read from its syntax tree without running it.

Nothing here guesses: what only running the file can tell becomes a binding of kind ``unknown``, or makes the whole
scope ``open`` (a name that is not found in it may exist all the same).
"""

import ast
import re
import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from extreg.text.python_known import HARMLESS, MAKERS, OWN_NAME
from extreg.text.python_text import hands_out_namespace

Returns = Literal["", "argument", "maker", "either"]
Kind = Literal["class", "function", "made", "module", "from", "alias", "unknown"]

_AT_TOP = re.compile(r"\b(?:exec|locals|vars)\s*\(|__dict__")
_TRY = (ast.Try, getattr(ast, "TryStar", ast.Try))  # TryStar is new in 3.11
_TYPE_ALIAS = getattr(ast, "TypeAlias", ())  # new in 3.12


class Binding(NamedTuple):
    """One statement that binds a name.

    ``module`` and ``level`` are those of an import; ``name`` is what is imported, the dotted expression of an alias,
    or the name that a made class is given; ``certain`` says that a class or function keeps the module and the qualified
    name that its statement gives it, if its ``decorators`` let it (dotted names of those not known to; True where the
    decorator is what a call of it returns). ``returns`` says that a function returns its first ``argument``, or a
    function that does (a ``maker``), or either as it is called. ``at`` orders bindings and star imports.
    """

    kind: Kind
    at: int
    module: str = ""
    level: int = 0
    name: str = ""
    certain: bool = True
    scope: "Scope | None" = None
    decorators: tuple[tuple[str, bool], ...] = ()
    returns: Returns = ""


class Star(NamedTuple):
    """One ``from module import *``; `sure` that it is run, and not one of several alternatives."""

    module: str
    level: int
    at: int
    sure: bool


@dataclass(slots=True)
class Scope:
    """The names of a module or of a class body.

    ``exports`` is ``__all__``, or None where there is none; ``exports_open`` says that it has more than can be read.
    ``renamed`` holds the names whose object is given another ``__module__`` or ``__qualname__`` here, ``*`` for any.
    ``called`` are the dotted names of functions that are called for what they do, True with those that are handed the
    namespace.
    ``bases`` are a class's bases as dotted expressions, None for one that is more than that.
    """

    names: dict[str, list[Binding]] = field(default_factory=dict)
    stars: list[Star] = field(default_factory=list)
    exports: set[str] | None = None
    exports_open: bool = False
    open: bool = False
    renamed: set[str] = field(default_factory=set)
    called: dict[str, bool] = field(default_factory=dict)
    bases: tuple[str | None, ...] = ()


def parse(source: str) -> ast.Module | None:
    """Return the syntax tree of `source`, or None when this Python cannot parse it."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an invalid escape in somebody's file is not our business
        try:
            return ast.parse(source)
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            return None


def module_scope(tree: ast.Module, source: str) -> Scope:
    """Return what the module binds when it is run from top to bottom."""
    reader = _Reader(source)
    reader.body(tree.body, sure=True)
    reader.scope.open |= hands_out_namespace(source)
    if not reader.scope.open and _AT_TOP.search(source) is not None:
        reader.scope.open = _calls_at_top(tree)
    return reader.scope


class _Reader:
    """Reads one scope, statement by statement."""

    def __init__(self, source: str, outer: "_Reader | None" = None) -> None:
        self.source = source
        self.outer = outer
        self.scope = Scope()
        self.at = 0

    def body(self, statements: Iterable[ast.stmt], *, sure: bool) -> None:
        for statement in statements:
            self.at += 1
            self._statement(statement, sure)

    def _statement(self, node: ast.stmt, sure: bool) -> None:
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self._function(node, sure)
        elif isinstance(node, ast.ClassDef):
            self._class(node, sure)
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            self._import(node, sure)
        elif isinstance(node, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
            self._assign(node, sure)
        elif isinstance(node, ast.Expr):
            self._expression(node.value)
        elif isinstance(node, ast.Delete):
            for target in node.targets:
                self._delete(target, sure)
        elif _TYPE_ALIAS and isinstance(node, _TYPE_ALIAS):
            self._bind(node.name.id, Binding("made", self.at, name=node.name.id, certain=False), sure)
        else:
            self._block(node, sure)

    def _block(self, node: ast.stmt, sure: bool) -> None:
        if isinstance(node, ast.If):
            checking = _is_type_checking(node.test)
            if not checking:
                self.body(node.body, sure=False)
            self.body(node.orelse, sure=sure and checking)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                self._targets(item.optional_vars, sure)
            self.body(node.body, sure=sure)
        elif isinstance(node, _TRY):
            self.body(node.body, sure=False)
            for handler in node.handlers:
                self.body(handler.body, sure=False)
            self.body(node.orelse, sure=False)
            self.body(node.finalbody, sure=sure)
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
            self._targets(getattr(node, "target", None), sure=False)
            self.body([*node.body, *node.orelse], sure=False)
        elif isinstance(node, ast.Match):
            for case in node.cases:
                self.body(case.body, sure=False)
            self.scope.open = True  # a pattern binds names too

    def _bind(self, name: str, binding: Binding, sure: bool) -> None:
        if sure:
            self.scope.names[name] = [binding]
        else:
            self.scope.names.setdefault(name, []).append(binding)

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, sure: bool) -> None:
        if node.name == "__getattr__" and self.outer is None:
            self.scope.open = True
        decorators = self._decorators(node)
        found = Binding("function", self.at, name=node.name, certain=decorators is not None)
        found = found._replace(decorators=decorators or (), returns=_returns(node))
        self._bind(node.name, found, sure)

    def _class(self, node: ast.ClassDef, sure: bool) -> None:
        reader = _Reader(self.source, self)
        reader.body(node.body, sure=True)
        scope = reader.scope
        decorators = self._decorators(node)
        scope.open |= bool(node.keywords) or decorators != ()
        scope.bases = tuple(_dotted(base) for base in node.bases)
        certain = decorators is not None and not (OWN_NAME & scope.names.keys())
        found = Binding("class", self.at, name=node.name, certain=certain, scope=scope, decorators=decorators or ())
        self._bind(node.name, found, sure)

    def _import(self, node: ast.Import | ast.ImportFrom, sure: bool) -> None:
        for alias in node.names:
            if isinstance(node, ast.Import):
                bound = alias.asname or alias.name.partition(".")[0]
                module = alias.name if alias.asname else bound
                self._bind(bound, Binding("module", self.at, module=module), sure)
            elif alias.name == "*":
                self.scope.stars.append(Star(node.module or "", node.level, self.at, sure))
            else:
                found = Binding("from", self.at, module=node.module or "", level=node.level, name=alias.name)
                self._bind(alias.asname or alias.name, found, sure)

    def _assign(self, node: ast.Assign | ast.AnnAssign | ast.AugAssign, sure: bool) -> None:
        if node.value is None:  # a mere annotation binds nothing
            return
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        for target in targets:
            if not isinstance(target, ast.Name):
                self._targets(target, sure)
            elif target.id == "__all__":
                self._export(node.value, more=isinstance(node, ast.AugAssign) or not sure)
            else:
                self._bind(target.id, self._value(node.value, target.id), sure)

    def _value(self, value: ast.expr, bound: str) -> Binding:
        dotted = _dotted(value)
        if dotted is not None:
            return Binding("alias", self.at, name=dotted)
        if isinstance(value, ast.Call) and self._origin(value.func) in MAKERS and self.outer is None:
            given = value.args[0] if value.args else None
            if isinstance(given, ast.Constant) and given.value == bound:
                plain = not any(word.arg in ("module", "qualname") for word in value.keywords)
                return Binding("made", self.at, name=bound, certain=plain)
        return Binding("unknown", self.at)

    def _targets(self, target: ast.expr | None, sure: bool) -> None:
        """Bind the names in a target that is more than a name; note what is assigned to attributes."""
        if isinstance(target, ast.Name):
            self._bind(target.id, Binding("unknown", self.at), sure)
        elif isinstance(target, (ast.Tuple, ast.List)):
            for element in target.elts:
                self._targets(element, sure)
        elif isinstance(target, ast.Starred):
            self._targets(target.value, sure)
        elif isinstance(target, ast.Attribute):
            self._attribute(target)

    def _attribute(self, target: ast.Attribute) -> None:
        if target.attr in OWN_NAME:
            self.scope.renamed.add(target.value.id if isinstance(target.value, ast.Name) else "*")
            if isinstance(target.value, ast.Name) and self._is_loose(target.value.id):
                self.scope.renamed.add("*")
        elif isinstance(target.value, ast.Name):
            for binding in self.scope.names.get(target.value.id, []):
                if binding.scope is not None:
                    binding.scope.open = True

    def _is_loose(self, name: str) -> bool:
        """Whether `name` is a loop variable or the like, which may stand for any object."""
        return any(binding.kind == "unknown" for binding in self.scope.names.get(name, []))

    def _delete(self, target: ast.expr, sure: bool) -> None:
        if isinstance(target, ast.Name):
            if sure:
                self.scope.names.pop(target.id, None)
            else:
                self._bind(target.id, Binding("unknown", self.at), sure)

    def _expression(self, value: ast.expr) -> None:
        """Look at calls that change `__all__` or hand the namespace to somebody."""
        if not isinstance(value, ast.Call):
            return
        if isinstance(value.func, ast.Attribute) and _dotted(value.func.value) == "__all__":
            argument = value.args[0] if value.args else ast.Constant(None)
            listed = ast.List([argument], ast.Load()) if value.func.attr == "append" else argument
            self._export(listed, more=True)
        elif _dotted(value.func) == "setattr" and len(value.args) == 3:
            name = value.args[1]
            if not isinstance(name, ast.Constant) or name.value in OWN_NAME:
                holder = value.args[0]
                plain = isinstance(holder, ast.Name) and not self._is_loose(holder.id)
                self.scope.renamed.add(holder.id if plain and isinstance(holder, ast.Name) else "*")
        elif (called := _dotted(value.func)) is not None:
            handed = any(_called(argument) in ("globals", "locals", "vars") for argument in value.args)
            self.scope.called[called] = handed or self.scope.called.get(called, False)

    def _export(self, value: ast.expr, *, more: bool) -> None:
        if not more or self.scope.exports is None:
            self.scope.exports = set()
        if isinstance(value, (ast.List, ast.Tuple, ast.Set)):
            for element in value.elts:
                if isinstance(element, ast.Constant) and isinstance(element.value, str):
                    self.scope.exports.add(element.value)
                else:
                    self.scope.exports_open = True
        else:
            self.scope.exports_open = True

    def _decorators(
        self, node: ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef
    ) -> tuple[tuple[str, bool], ...] | None:
        """Return the decorators that are not known to be harmless, or None when one is more than a name."""
        found = []
        for decorator in node.decorator_list:
            called = isinstance(decorator, ast.Call)
            function = decorator.func if isinstance(decorator, ast.Call) else decorator
            if self._origin(function) in HARMLESS:
                continue
            dotted = _dotted(function)
            if dotted is None:
                return None
            found.append((dotted, called))
        return tuple(found)

    def _origin(self, value: ast.expr) -> str | None:
        """Return the dotted path under which an imported callable was imported, or None."""
        dotted = _dotted(value)
        if dotted is None:
            return None
        root, _, rest = dotted.partition(".")
        found = self.scope.names.get(root, [])
        if not found and self.outer is not None:
            return self.outer._origin(value)
        if len(found) != 1:
            return None
        binding = found[0]
        base = f"{binding.module}.{binding.name}" if binding.kind == "from" and not binding.level else binding.module
        if binding.kind not in ("from", "module"):
            return None
        return f"{base}.{rest}" if rest else base


def _returns(node: ast.FunctionDef | ast.AsyncFunctionDef) -> Returns:
    """Say whether a function surely returns its first argument as it is, or a function of its own that does."""
    returned = [found.value for found in _own_returns(node.body) if found.value is not None]
    if not returned or isinstance(node, ast.AsyncFunctionDef) or node.decorator_list:
        return ""
    if any(_touches_names(found) for found in ast.walk(node)):
        return ""
    inner = {found.name for found in node.body if isinstance(found, ast.FunctionDef) and _returns(found) == "argument"}
    kinds = {_returned(node, value, inner) for value in returned}
    if kinds == {"argument", "maker"}:
        return "either"
    return kinds.pop() if len(kinds) == 1 else ""


def _returned(node: ast.FunctionDef, value: ast.expr, inner: set[str]) -> Returns:
    """Say what one value is that a function returns; `inner` are its own functions that return their argument."""
    if isinstance(value, ast.Call):  # `return decorator(*args)`, for a decorator that works with and without arguments
        return "argument" if _dotted(value.func) in inner and not value.keywords else ""
    name = _dotted(value)
    if name in inner:
        return "maker"
    parameters = [*node.args.posonlyargs, *node.args.args]
    if not parameters or name != parameters[0].arg:
        return ""
    stored = (found for found in ast.walk(node) if isinstance(found, ast.Name) and found.id == name)
    return "" if any(isinstance(found.ctx, ast.Store) for found in stored) else "argument"


def _touches_names(node: ast.AST) -> bool:
    """Whether a node assigns a `__module__` or `__qualname__`, or spells one for setattr."""
    if isinstance(node, ast.Attribute):
        return node.attr in OWN_NAME and isinstance(node.ctx, ast.Store)
    return isinstance(node, ast.Constant) and node.value in ("__module__", "__qualname__", "__name__")


def _own_returns(body: Iterable[ast.stmt]) -> Iterator[ast.Return]:
    """Yield the return statements of a function, not those of functions inside it."""
    for node in body:
        if isinstance(node, ast.Return):
            yield node
        elif not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            for name in ("body", "orelse", "finalbody", "handlers", "cases"):
                for inner in getattr(node, name, ()):
                    yield from _own_returns([inner] if isinstance(inner, ast.stmt) else inner.body)


def _dotted(value: ast.expr) -> str | None:
    """Return ``a.b.c`` for a name or a chain of attributes of one, else None."""
    parts: list[str] = []
    while isinstance(value, ast.Attribute):
        parts.append(value.attr)
        value = value.value
    if isinstance(value, ast.Subscript) and not parts:  # Generic[T] as a base: the class is what counts
        return None
    if not isinstance(value, ast.Name):
        return None
    return ".".join([value.id, *reversed(parts)])


def _called(value: ast.expr) -> str | None:
    return _dotted(value.func) if isinstance(value, ast.Call) else None


def _is_type_checking(test: ast.expr) -> bool:
    if isinstance(test, ast.Constant):
        return not test.value
    return _dotted(test) in ("TYPE_CHECKING", "typing.TYPE_CHECKING", "t.TYPE_CHECKING")


def _calls_at_top(tree: ast.Module) -> bool:
    """Whether code outside functions calls exec, locals or vars, or touches a `__dict__`."""
    waiting: list[ast.AST] = list(tree.body)
    while waiting:
        node = waiting.pop()
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            continue
        if isinstance(node, ast.Call) and _dotted(node.func) in ("exec", "locals", "vars"):
            return True
        if isinstance(node, ast.Attribute) and node.attr == "__dict__":
            return True
        waiting.extend(ast.iter_child_nodes(node))
    return False
