"""What one file does that bears on codes in other processes: installs, engines, imports, and who calls whom.

Pure: a syntax tree goes in.  Nothing is followed into other files here; `extreg.programs.whole` does that.
"""

import ast
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

from extreg.programs.starts import CELERY, Engine, engine

_INSTALL = "extreg.install"
_AUTO = "extreg.auto"
# Naming one of these, in whatever way, gives codes to processes that the source does not show.
_HELPERS = ("extreg.auto", "extreg.workers", "extreg autoload", "extreg run")
_WORKERS = "extreg.workers."
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
# What command lines are made with: such a function is called where the command line is, and is no less a function.
_COMMANDS = frozenset({"command", "group", "callback", "main", "argument", "option", "version_option", "pass_context"})


class Place(NamedTuple):
    """Where something runs.

    ``top``: whenever the file is imported, in children that run it as ``__mp_main__`` too; ``guard``: where it is the
    program only; ``function``: when that function of the file, called ``name``, is called; ``unknown``: somewhere else.
    """

    kind: Literal["top", "guard", "function", "unknown"]
    name: str = ""


TOP, GUARD, UNKNOWN = Place("top"), Place("guard"), Place("unknown")


class Install(NamedTuple):
    """A call of `extreg.install`, or what else makes codes stand."""

    line: int
    place: Place


class Mention(NamedTuple):
    """A function that is called, or otherwise named, by its dotted name."""

    dotted: str
    called: bool
    place: Place


@dataclass(slots=True)
class File:
    """What is known of one file; ``module`` is its name, empty where the import path has none for it.

    ``workers`` are the parts of `extreg.workers` that it names; ``helped`` says that a string in it names what gives
    codes to processes, nobody knows which.
    """

    module: str
    is_package: bool
    installs: list[Install] = field(default_factory=list)
    engines: list[Engine] = field(default_factory=list)
    imports: list[tuple[str, Place]] = field(default_factory=list)
    mentions: list[Mention] = field(default_factory=list)
    strings: set[str] = field(default_factory=set)
    methods: set[str] = field(default_factory=set)
    apps: set[str] = field(default_factory=set)
    workers: set[str] = field(default_factory=set)
    helped: bool = False


def read_file(tree: ast.Module, module: str, *, is_package: bool) -> File:
    """Return what a file does; `module` is its dotted name."""
    file = File(module, is_package)
    _Reader(file, tree).read()
    return file


class Names:
    """What the names of a file stand for: dotted names of what it imports and defines, and what was made once."""

    def __init__(self, file: File, tree: ast.Module) -> None:
        self.dotted: dict[str, str] = {}
        self.made: dict[str, ast.Call] = {}
        self._file = file
        made: Counter[str] = Counter()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                self._import(node)
            elif isinstance(node, ast.ImportFrom):
                base = self.absolute(node.module or "", node.level)
                self.dotted |= {alias.asname or alias.name: f"{base}.{alias.name}" for alias in node.names}
            elif isinstance(node, ast.Name) and not isinstance(node.ctx, ast.Load):
                made[node.id] += 1
            for name, value in _given(node):
                self.made[name] = value
        self.made = {name: value for name, value in self.made.items() if made[name] == 1}
        self.dotted |= {node.name: f"{file.module}.{node.name}" for node in tree.body if isinstance(node, _FUNCTIONS)}

    def _import(self, node: ast.Import) -> None:
        for alias in node.names:
            if alias.asname:
                self.dotted[alias.asname] = alias.name
            else:
                top = alias.name.partition(".")[0]
                self.dotted[top] = top

    def absolute(self, module: str, level: int) -> str:
        """Return the absolute name of what ``from ...module import`` means."""
        if not level:
            return module
        parts = self._file.module.split(".")
        kept = parts[: len(parts) - level + self._file.is_package]
        return ".".join([*kept, *filter(None, [module])])

    def of(self, node: ast.expr) -> str | None:
        """Return the dotted name that an expression is, or None."""
        if isinstance(node, ast.Name):
            return self.dotted.get(node.id)
        if isinstance(node, ast.Attribute):
            base = self.of(node.value)
            return f"{base}.{node.attr}" if base is not None else None
        return None

    def call(self, node: ast.expr | None) -> ast.Call | None:
        """Return the call that an expression is, or that made what its name stands for."""
        if isinstance(node, ast.Call):
            return node
        return self.made.get(node.id) if isinstance(node, ast.Name) else None


def _given(node: ast.AST) -> Iterator[tuple[str, ast.Call]]:
    """Yield the names that a statement gives to what a call returns."""
    if isinstance(node, ast.Assign):
        pairs = [(target, node.value) for target in node.targets]
    elif isinstance(node, ast.withitem) and node.optional_vars is not None:
        pairs = [(node.optional_vars, node.context_expr)]
    else:
        return
    yield from (
        (target.id, value) for target, value in pairs if isinstance(target, ast.Name) and isinstance(value, ast.Call)
    )


class _Reader:
    """Walks through a file, knowing where what it meets runs."""

    def __init__(self, file: File, tree: ast.Module) -> None:
        self.file = file
        self.tree = tree
        self.names = Names(file, tree)

    def read(self) -> None:
        for node in self.tree.body:
            self._visit(node, TOP)
        self.file.apps |= {name for name, made in self.names.made.items() if self.names.of(made.func) in CELERY}

    def _visit(self, node: ast.AST, place: Place) -> None:
        if isinstance(node, ast.If) and place == TOP and _is_guard(node.test):
            self._all([node.test, *node.orelse], place)
            self._all(node.body, GUARD)
        elif isinstance(node, _FUNCTIONS):
            # Its defaults and decorators run where it stands.
            self._all([*node.decorator_list, *filter(None, [*node.args.defaults, *node.args.kw_defaults])], place)
            self._all(node.body, self._inside(node, place))
        elif isinstance(node, ast.ClassDef):
            self._all([*node.decorator_list, *node.bases, *(word.value for word in node.keywords)], place)
            for statement in node.body:
                self._visit(statement, UNKNOWN if isinstance(statement, _FUNCTIONS) else place)
        elif isinstance(node, ast.Lambda):
            self._visit(node.body, UNKNOWN)
        else:
            self._look(node, place)

    def _all(self, nodes: "list[ast.AST] | list[ast.stmt] | list[ast.expr]", place: Place) -> None:
        for node in nodes:
            self._visit(node, place)

    def _inside(self, node: "ast.FunctionDef | ast.AsyncFunctionDef", place: Place) -> Place:
        if place not in (TOP, GUARD) or node not in self.tree.body:
            return UNKNOWN
        called = [item.func if isinstance(item, ast.Call) else item for item in node.decorator_list]
        plain = all(isinstance(item, ast.Attribute) and item.attr in _COMMANDS for item in called)
        return Place("function", node.name) if plain else UNKNOWN

    def _look(self, node: ast.AST, place: Place) -> None:
        if isinstance(node, (ast.Import, ast.ImportFrom)):
            self._imported(node, place)
        elif isinstance(node, ast.Call):
            self._called(node, place)
            return
        elif isinstance(node, ast.Constant) and isinstance(node.value, str):
            self.file.strings.add(node.value)
            self.file.helped |= any(helper in node.value for helper in _HELPERS)
        elif isinstance(node, (ast.Name, ast.Attribute)):
            dotted = self.names.of(node)
            if dotted is not None:
                self._named(dotted, node.lineno, called=False, place=place)
                return
        self._all(list(ast.iter_child_nodes(node)), place)

    def _imported(self, node: "ast.Import | ast.ImportFrom", place: Place) -> None:
        if isinstance(node, ast.Import):
            modules = [alias.name for alias in node.names]
        else:
            base = self.names.absolute(node.module or "", node.level)
            modules = [base, *(f"{base}.{alias.name}" for alias in node.names)]
        self.file.imports += [(module, place) for module in modules]
        if _AUTO in modules:
            self.file.installs.append(Install(node.lineno, place))

    def _called(self, node: ast.Call, place: Place) -> None:
        dotted = self.names.of(node.func)
        if dotted is not None:
            self._named(dotted, node.lineno, called=True, place=place)
        else:
            self._visit(node.func, place)
        found = engine(node, self.names, at_top=place == TOP)
        if isinstance(found, str):
            self.file.methods.add(found)
        elif found is not None:
            self.file.engines.append(found)
        self._all([*node.args, *(word.value for word in node.keywords)], place)

    def _named(self, dotted: str, line: int, *, called: bool, place: Place) -> None:
        if dotted == _INSTALL:
            self.file.installs.append(Install(line, place if called else UNKNOWN))
        elif dotted.startswith(_WORKERS):
            self.file.workers.add(dotted.removeprefix(_WORKERS).partition(".")[0])
        self.file.mentions.append(Mention(dotted, called, place))


def _is_guard(test: ast.expr) -> bool:
    """Whether a condition is true in the program itself only, and not in a child that runs it as ``__mp_main__``."""
    if not (isinstance(test, ast.Compare) and len(test.ops) == 1 and isinstance(test.ops[0], ast.Eq)):
        return False
    sides = [test.left, test.comparators[0]]
    named = any(isinstance(side, ast.Name) and side.id == "__name__" for side in sides)
    return named and any(isinstance(side, ast.Constant) and side.value == "__main__" for side in sides)
