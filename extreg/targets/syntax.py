"""What a Python source file binds to its names, read from its syntax tree without running it.

Nothing here guesses: what only running the file can tell becomes a binding of kind ``unknown``, or makes the whole
scope ``open`` (a name that is not found in it may exist all the same).
"""

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from extreg.targets.known_calls import HARMLESS, MAKERS, NEVER_SWALLOW, OWN_NAME
from extreg.targets.reach import Reach, dotted_name, reach

Returns = Literal["", "argument", "maker", "either"]
Kind = Literal["class", "function", "made", "module", "from", "alias", "unknown"]

_TRY = (ast.Try, getattr(ast, "TryStar", ast.Try))  # TryStar is new in 3.11
_TYPE_ALIAS = getattr(ast, "TypeAlias", ())  # new in 3.12


class Binding(NamedTuple):
    """One statement that binds a name.

    ``module`` and ``level`` are those of an import; ``name`` is what is imported, the dotted expression of an alias,
    or the name that a made class is given; ``certain`` says that a class or function keeps the module and the qualified
    name that its statement gives it, if its ``decorators`` let it (dotted names of those not known to; True where the
    decorator is what a call of it returns). ``returns`` says that a function returns its first ``argument``, or a
    function that does (a ``maker``), or either as it is called. ``at`` orders bindings and star imports; ``sure`` that
    it is run, unless the import fails. The name of an ``unknown`` one is that of the function whose result it is.
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
    sure: bool = True


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
    ``bases`` are a class's bases as dotted expressions, None for one that is more than that; ``makers`` are these, with
    what is in front of brackets for ``base[...]``, and the metaclass: what decides what the class becomes.
    ``reach`` is what a module does to its namespace beyond its statements.
    """

    names: dict[str, list[Binding]] = field(default_factory=dict)
    stars: list[Star] = field(default_factory=list)
    exports: set[str] | None = None
    exports_open: bool = False
    open: bool = False
    renamed: set[str] = field(default_factory=set)
    bases: tuple[str | None, ...] = ()
    makers: tuple[str | None, ...] = ()
    reach: Reach = field(default_factory=Reach)


def module_scope(tree: ast.Module, source: str) -> Scope:
    """Return what the module binds when it is run from top to bottom."""
    reader = _Reader()
    reader.body(tree.body, sure=True)
    scope = reader.scope
    scope.reach = reach(tree, source)
    scope.open |= scope.reach.open or "__getattr__" in scope.names
    if scope.reach.exports > reader.exports:  # somebody else fills it, or it is another's
        scope.exports = scope.exports or set()
        scope.exports_open = True
    return scope


class _Reader:
    """Reads one scope, statement by statement."""

    def __init__(self, outer: "_Reader | None" = None) -> None:
        self.outer = outer
        self.scope = Scope()
        self.at = 0
        self.exports = 0  # how often a statement here spells `__all__`

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
            checking = self._is_type_checking(node.test)
            if not checking:
                self.body(node.body, sure=False)
            self.body(node.orelse, sure=sure and checking)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            for item in node.items:
                self._targets(item.optional_vars, sure)
            swallows = any(not self._lets_through(item.context_expr) for item in node.items)
            self.body(node.body, sure=sure and not swallows)
        elif isinstance(node, _TRY):
            # Where every handler raises, the module is there only if the body was run to its end.
            passed = sure and all(handler.body and isinstance(handler.body[-1], ast.Raise) for handler in node.handlers)
            self.body(node.body, sure=passed)
            for handler in node.handlers:
                self.body(handler.body, sure=False)
            self.body(node.orelse, sure=passed)
            self.body(node.finalbody, sure=sure)
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
            self._targets(getattr(node, "target", None), sure=False)
            self.body([*node.body, *node.orelse], sure=False)
        elif isinstance(node, ast.Match):
            for case in node.cases:
                for pattern in ast.walk(case.pattern):
                    name = getattr(pattern, "name", None) or getattr(pattern, "rest", None)
                    if isinstance(name, str):
                        self._bind(name, Binding("unknown", self.at), sure=False)
                self.body(case.body, sure=False)

    def _bind(self, name: str, binding: Binding, sure: bool) -> None:
        if sure:
            self.scope.names[name] = [binding]
        else:
            self.scope.names.setdefault(name, []).append(binding._replace(sure=False))

    def _function(self, node: ast.FunctionDef | ast.AsyncFunctionDef, sure: bool) -> None:
        decorators = self._decorators(node)
        found = Binding("function", self.at, name=node.name, certain=decorators is not None)
        found = found._replace(decorators=decorators or (), returns=_returns(node))
        self._bind(node.name, found, sure)

    def _class(self, node: ast.ClassDef, sure: bool) -> None:
        reader = _Reader(self)
        reader.body(node.body, sure=True)
        scope = reader.scope
        decorators = self._decorators(node)
        scope.open |= bool(node.keywords) or decorators != () or "__init_subclass__" in scope.names
        scope.bases = tuple(dotted_name(base) for base in node.bases)
        plain = [base.value if isinstance(base, ast.Subscript) else base for base in node.bases]
        metaclass = [word.value for word in node.keywords if word.arg in ("metaclass", None)]
        scope.makers = tuple(dotted_name(maker) for maker in (*plain, *metaclass))
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
                if alias.name == "__all__" or alias.asname == "__all__":
                    self._export(ast.Constant(None), more=False)
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
                self.exports += 1
                self._export(node.value, more=isinstance(node, ast.AugAssign) or not sure)
            else:
                self._bind(target.id, self._value(node.value, target.id), sure)

    def _value(self, value: ast.expr, bound: str) -> Binding:
        dotted = dotted_name(value)
        if dotted is not None:
            return Binding("alias", self.at, name=dotted)
        if isinstance(value, ast.Call) and self._origin(value.func) in MAKERS and self.outer is None:
            given = value.args[0] if value.args else None
            if isinstance(given, ast.Constant) and given.value == bound:
                plain = not any(word.arg in (None, "module", "qualname") for word in value.keywords)
                return Binding("made", self.at, name=bound, certain=plain)
        return Binding("unknown", self.at, name=_called(value) or "", certain=not _is_false(value))

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
        if isinstance(value.func, ast.Attribute) and dotted_name(value.func.value) == "__all__":
            self.exports += 1
            argument = value.args[0] if value.args else ast.Constant(None)
            listed = ast.List([argument], ast.Load()) if value.func.attr == "append" else argument
            self._export(listed, more=True)
        elif dotted_name(value.func) == "setattr" and len(value.args) == 3:
            name = value.args[1]
            if not isinstance(name, ast.Constant) or name.value in OWN_NAME:
                holder = value.args[0]
                plain = isinstance(holder, ast.Name) and not self._is_loose(holder.id)
                self.scope.renamed.add(holder.id if plain and isinstance(holder, ast.Name) else "*")

    def _is_type_checking(self, test: ast.expr) -> bool:
        if isinstance(test, ast.Constant):
            return not test.value
        name = dotted_name(test) or ""
        if name.rpartition(".")[2] != "TYPE_CHECKING":
            return False
        found = self.scope.names.get(name, [])
        # `TYPE_CHECKING = False` says the same as typing's.
        own = len(found) == 1 and found[0].kind == "unknown" and not found[0].certain
        return own or (self._origin(test) or "") in ("typing.TYPE_CHECKING", "typing_extensions.TYPE_CHECKING")

    def _lets_through(self, manager: ast.expr) -> bool:
        """Whether a context manager surely lets exceptions through, so that the body is run to its end."""
        called = manager.func if isinstance(manager, ast.Call) else manager
        return (self._origin(called) or dotted_name(called)) in NEVER_SWALLOW

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
            dotted = dotted_name(function)
            if dotted is None:
                return None
            found.append((dotted, called))
        return tuple(found)

    def _origin(self, value: ast.expr) -> str | None:
        """Return the dotted path under which an imported callable was imported, or None."""
        dotted = dotted_name(value)
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
        return "argument" if dotted_name(value.func) in inner and not value.keywords else ""
    name = dotted_name(value)
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


def _called(value: ast.expr) -> str | None:
    return dotted_name(value.func) if isinstance(value, ast.Call) else None


def _is_false(value: ast.expr) -> bool:
    return isinstance(value, ast.Constant) and value.value is False
