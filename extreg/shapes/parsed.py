"""One module as the reader of shapes wants it: its syntax, and what its statements bind."""

import ast
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from extreg.targets.fetches import parse
from extreg.targets.reach import dotted_name

# What is larger was written by no one by hand, and takes seconds and hundreds of megabytes to parse.
LARGEST = 2_000_000

_TRY = (ast.Try, getattr(ast, "TryStar", ast.Try))  # TryStar is new in 3.11
_GUARDS = frozenset({"getattr", "hasattr"})
_LOOKS = frozenset({"get", "setdefault", "pop", "__contains__", "__getitem__"})

Definition = ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


class Bound(NamedTuple):
    """One statement that binds a name in a module or class body.

    ``node`` is the definition, or the expression of a value; ``module``, ``level`` and ``name`` are those of an import,
    whose name is empty where a module is bound.  ``sure`` says that it is run whenever the body is; ``fallback`` that
    it stands in a handler, for when an import fails.
    """

    kind: Literal["class", "function", "import", "value", "other"]
    node: ast.AST | None = None
    module: str = ""
    level: int = 0
    name: str = ""
    sure: bool = True
    fallback: bool = False


@dataclass(slots=True)
class Body:
    """What the statements of a module or a class bind, in order; ``annotated`` are annotations without a value."""

    names: dict[str, list[Bound]] = field(default_factory=dict)
    stars: list[tuple[str, int]] = field(default_factory=list)
    annotated: list[ast.AnnAssign] = field(default_factory=list)
    statements: list[tuple[ast.stmt, bool]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, eq=False)
class Parsed:
    """A module that could be parsed.

    ``given`` are the attributes that statements at its top give to classes from outside, ``*`` for any; ``guarded`` the
    attributes that something in it asks for with care.
    """

    name: str
    is_package: bool
    body: Body
    given: Mapping[str, frozenset[str]]
    guarded: frozenset[str]
    exports: frozenset[str] | None
    own: bool = True


class NoSource(NamedTuple):
    """A module that exists, or may, and that nothing can be read of; ``why`` is the end of a sentence."""

    why: str


Load = Callable[[str], "Parsed | NoSource | None"]


def parse_module(name: str, source: str, *, is_package: bool, own: bool = True) -> Parsed | NoSource:
    """Return the module `name` whose text is `source`."""
    if len(source) > LARGEST:
        return NoSource(f"{name} has more than {LARGEST:,} characters")
    tree = parse(source)
    if tree is None:
        return NoSource(f"{name} cannot be parsed by this Python")
    try:
        body = read_body(tree.body)
        given = _given(body)
        guarded = frozenset(guards(tree))
    except RecursionError:
        return NoSource(f"{name} is nested too deeply")
    return Parsed(name, is_package, body, given, guarded, _exports(body), own)


def read_body(statements: Iterable[ast.stmt]) -> Body:
    """Return what `statements` bind."""
    body = Body()
    _Reader(body).block(statements, sure=True)
    return body


class _Reader:
    def __init__(self, body: Body) -> None:
        self.body = body

    def block(self, statements: Iterable[ast.stmt], *, sure: bool, fallback: bool = False) -> None:
        for statement in statements:
            self.body.statements.append((statement, sure))
            self._statement(statement, sure, fallback)

    def _statement(self, node: ast.stmt, sure: bool, fallback: bool) -> None:
        if isinstance(node, ast.ClassDef):
            self._bind(node.name, Bound("class", node, sure=sure, fallback=fallback))
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            self._bind(node.name, Bound("function", node, sure=sure, fallback=fallback))
        elif isinstance(node, (ast.Import, ast.ImportFrom)):
            self._import(node, sure, fallback)
        elif isinstance(node, ast.Assign):
            for target in node.targets:
                self._target(target, node.value, sure, fallback)
        elif isinstance(node, ast.AnnAssign):
            if node.value is None:
                self.body.annotated.append(node)
            else:
                self._target(node.target, node.value, sure, fallback)
        elif isinstance(node, ast.Delete):
            for target in node.targets:
                if isinstance(target, ast.Name) and sure:
                    self.body.names.pop(target.id, None)
        else:
            self._compound(node, sure, fallback)

    def _compound(self, node: ast.stmt, sure: bool, fallback: bool) -> None:
        if isinstance(node, ast.If):
            truth = static_truth(node.test)
            if truth is not False:
                self.block(node.body, sure=sure and truth is True, fallback=fallback)
            if truth is not True:
                self.block(node.orelse, sure=sure and truth is False, fallback=fallback)
        elif isinstance(node, _TRY):
            self.block([*node.body, *node.orelse], sure=sure, fallback=fallback)
            for handler in node.handlers:
                self.block(handler.body, sure=False, fallback=True)
            self.block(node.finalbody, sure=sure, fallback=fallback)
        elif isinstance(node, (ast.With, ast.AsyncWith)):
            self.block(node.body, sure=sure, fallback=fallback)
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
            target = getattr(node, "target", None)
            if target is not None:
                self._target(target, None, False, fallback)
            self.block([*node.body, *node.orelse], sure=False, fallback=fallback)
        elif isinstance(node, ast.Match):
            for case in node.cases:
                self.block(case.body, sure=False, fallback=fallback)
        elif type(node).__name__ == "TypeAlias":
            self._target(node.name, None, sure, fallback)  # type: ignore[attr-defined]  # new in 3.12

    def _import(self, node: ast.Import | ast.ImportFrom, sure: bool, fallback: bool) -> None:
        for alias in node.names:
            if isinstance(node, ast.Import):
                bound = alias.asname or alias.name.partition(".")[0]
                module = alias.name if alias.asname else bound
                self._bind(bound, Bound("import", module=module, sure=sure, fallback=fallback))
            elif alias.name == "*":
                self.body.stars.append((node.module or "", node.level))
            else:
                found = Bound("import", None, node.module or "", node.level, alias.name, sure, fallback)
                self._bind(alias.asname or alias.name, found)

    def _target(self, target: ast.expr, value: ast.expr | None, sure: bool, fallback: bool) -> None:
        if isinstance(target, ast.Name):
            kind: Literal["value", "other"] = "value" if value is not None else "other"
            self._bind(target.id, Bound(kind, value, sure=sure, fallback=fallback))
        elif isinstance(target, (ast.Tuple, ast.List)):
            values = value.elts if isinstance(value, (ast.Tuple, ast.List)) else []
            pairs = len(values) == len(target.elts) and not any(isinstance(part, ast.Starred) for part in values)
            for place, element in enumerate(target.elts):
                self._target(element, values[place] if pairs else None, sure, fallback)
        elif isinstance(target, ast.Starred):
            self._target(target.value, None, sure, fallback)

    def _bind(self, name: str, found: Bound) -> None:
        if found.sure:
            self.body.names[name] = [found]
        else:
            self.body.names.setdefault(name, []).append(found)


def static_truth(test: ast.expr) -> bool | None:
    """Return what a test is on this Python, as far as that is plain: constants, TYPE_CHECKING, `sys.version_info`."""
    if isinstance(test, ast.Constant):
        return bool(test.value)
    if isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        inner = static_truth(test.operand)
        return None if inner is None else not inner
    if (dotted_name(test) or "").rpartition(".")[2] == "TYPE_CHECKING":
        return False
    if isinstance(test, ast.Compare) and len(test.ops) == 1 and dotted_name(test.left) == "sys.version_info":
        version = _literal(test.comparators[0])
        if isinstance(version, tuple) and all(isinstance(part, int) for part in version):
            return _compared(test.ops[0], version)
    return None


def _compared(operator: ast.cmpop, version: tuple[int, ...]) -> bool | None:
    here = sys.version_info[:2]
    wanted = version[:2]
    if len(version) > 2 and here == wanted:
        return None
    if isinstance(operator, (ast.GtE, ast.Gt)):
        return here >= wanted if isinstance(operator, ast.GtE) or len(version) < 3 else here > wanted
    if isinstance(operator, (ast.Lt, ast.LtE)):
        return here < wanted
    return None


def _literal(node: ast.expr) -> object:
    try:
        return ast.literal_eval(node)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return None


def guards(tree: ast.AST) -> Iterator[str]:
    """Yield the names of attributes that are asked for with care: they may be absent.

    `hasattr`, `getattr` with a default, ``in`` and `get` on a ``__dict__``.
    """
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield from _careful_call(node)
        elif isinstance(node, ast.Compare) and any(isinstance(op, (ast.In, ast.NotIn)) for op in node.ops):
            asked = [node.left] if _is_namespace(node.comparators[0]) else []
            yield from (str(name.value) for name in asked if isinstance(name, ast.Constant))


def _careful_call(node: ast.Call) -> Iterator[str]:
    function = dotted_name(node.func)
    if function in _GUARDS and len(node.args) == (3 if function == "getattr" else 2):
        name = node.args[1]
        if isinstance(name, ast.Constant):
            yield str(name.value)
    elif isinstance(node.func, ast.Attribute) and node.func.attr in _LOOKS and _is_namespace(node.func.value):
        yield from (str(name.value) for name in node.args[:1] if isinstance(name, ast.Constant))


def _is_namespace(node: ast.expr) -> bool:
    if isinstance(node, ast.Attribute):
        return node.attr == "__dict__"
    return isinstance(node, ast.Call) and dotted_name(node.func) == "vars" and len(node.args) == 1


def tried(tree: ast.AST) -> Iterator[str]:
    """Yield the names of attributes that a handler of `AttributeError` stands behind."""
    for node in ast.walk(tree):
        if isinstance(node, _TRY) and any(_catches(handler) for handler in node.handlers):
            for statement in node.body:
                yield from (found.attr for found in ast.walk(statement) if isinstance(found, ast.Attribute))


def _catches(handler: ast.ExceptHandler) -> bool:
    kinds = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    names = {(dotted_name(kind) or "").rpartition(".")[2] for kind in kinds if kind is not None}
    return "AttributeError" in names


def _given(body: Body) -> dict[str, frozenset[str]]:
    """Return the attributes that statements outside a class give it."""
    found: dict[str, set[str]] = {}
    for statement, _ in body.statements:
        targets = statement.targets if isinstance(statement, ast.Assign) else []
        for target in targets:
            if isinstance(target, ast.Attribute) and isinstance(target.value, ast.Name):
                found.setdefault(target.value.id, set()).add(target.attr)
        if isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Call):
            call = statement.value
            if dotted_name(call.func) == "setattr" and len(call.args) == 3 and isinstance(call.args[0], ast.Name):
                name = call.args[1]
                known = isinstance(name, ast.Constant)
                found.setdefault(call.args[0].id, set()).add(str(name.value) if known else "*")  # type: ignore[attr-defined]
    return {name: frozenset(names) for name, names in found.items()}


def _exports(body: Body) -> frozenset[str] | None:
    bound = body.names.get("__all__", [])
    if not bound:
        return None
    names: set[str] = set()
    for found in bound:
        value = _literal(found.node) if isinstance(found.node, ast.expr) else None
        if not isinstance(value, (list, tuple)):
            return None
        names.update(name for name in value if isinstance(name, str))
    return frozenset(names)


def absolute_name(module: Parsed, name: str, level: int) -> str:
    """Return the absolute name of what ``from ...name import`` in `module` means."""
    if level == 0:
        return name
    parts = module.name.split(".")
    base = ".".join(parts[: max(len(parts) - level + (1 if module.is_package else 0), 0)])
    return f"{base}.{name}" if base and name else base or name
