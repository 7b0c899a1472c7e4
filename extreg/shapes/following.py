"""What a name in a source leads to: a class or function in some module, or a name of the standard library."""

import ast
import builtins
import dataclasses
import enum
import typing
from collections.abc import Callable
from typing import NamedTuple

from extreg.registry.target import split
from extreg.shapes.parsed import Body, Bound, Load, NoSource, Parsed, absolute_name, read_body
from extreg.targets.reach import dotted_name

_DEEPEST = 60  # of chains of imports and aliases; longer ones go round in circles
# What is known of these is known by name; their own sources are not looked into.
_BY_NAME = frozenset({"abc", "attr", "attrs", "dataclasses", "enum", "functools", "typing", "typing_extensions"})
_SINGLE = frozenset({"collections.namedtuple", "extreg.reduce.versioned", "warnings.deprecated", "copyreg.__newobj__"})
_STARRED = {module.__name__: module for module in (dataclasses, enum, typing)}
_SAME = {"typing_extensions": "typing", "attr": "attrs"}


class ClassAt(NamedTuple):
    """A class statement; ``outer`` are the bodies of the classes around it, the innermost last."""

    module: Parsed
    node: ast.ClassDef
    qualname: str
    outer: tuple[Body, ...] = ()


class FunctionAt(NamedTuple):
    """A function statement."""

    module: Parsed
    node: ast.FunctionDef | ast.AsyncFunctionDef
    qualname: str


class ValueAt(NamedTuple):
    """A name that is bound to the value of an expression."""

    module: Parsed
    node: ast.expr
    name: str


class Known(NamedTuple):
    """A name of the standard library or of attrs, such as ``dataclasses.dataclass``."""

    dotted: str


class Builtin(NamedTuple):
    """A name that is built in."""

    name: str


class ModuleAt(NamedTuple):
    """A module."""

    name: str


class Unread(NamedTuple):
    """Nobody can tell from the sources; ``why`` is a clause."""

    why: str


Found = ClassAt | FunctionAt | ValueAt | Known | Builtin | ModuleAt | Unread


class World:
    """The sources of one revision; `load` gives a module by its name, `is_own` says which packages are the project's.

    ``loaded`` are the names of the modules that were asked for since it was last emptied.
    """

    def __init__(self, load: Load, is_own: Callable[[str], bool]) -> None:
        self._load = load
        self._is_own = is_own
        self._depth = 0
        self.loaded: set[str] = set()

    def load(self, name: str) -> Parsed | NoSource | None:
        """Return the module called `name`."""
        self.loaded.add(name)
        return self._load(name)

    def target(self, target: str) -> Found:
        """Return what ``module:qualname`` leads to."""
        module, qualname = split(target)
        first, *rest = qualname.split(".")
        found = self.attribute(module, first)
        for name in rest:
            found = self.nested(found, name)
        return found

    def follow(self, module: Parsed, dotted: str | None, outer: tuple[Body, ...] = ()) -> Found:
        """Return what a dotted name means in a module, or in a class whose surrounding bodies are `outer`."""
        if dotted is None:
            return Unread("it is an expression")
        root, *rest = dotted.split(".")
        found = self._here(module, root, outer)
        for name in rest:
            found = self.nested(found, name)
        return found

    def attribute(self, module_name: str, name: str) -> Found:
        """Return what `module_name.name` is."""
        known = self._known(module_name, name)
        if known is not None:
            return known
        module = self.load(module_name)
        if module is None:
            return Unread(f"there is no module {module_name}")
        if isinstance(module, NoSource):
            return Unread(module.why)
        found = self._in_module(module, name)
        if found is not None:
            return found
        if module.is_package and self.load(f"{module_name}.{name}") is not None:
            return ModuleAt(f"{module_name}.{name}")
        return Unread(f"{module_name} has no {name} that can be seen")

    def nested(self, holder: Found, name: str) -> Found:
        """Return what the attribute `name` of `holder` is."""
        if isinstance(holder, ModuleAt):
            return self.attribute(holder.name, name)
        if isinstance(holder, Known):
            return Known(f"{holder.dotted}.{name}")
        if isinstance(holder, ClassAt):
            body = read_body(holder.node.body)
            bounds = body.names.get(name)
            if bounds:
                inner = f"{holder.qualname}.{name}"
                return self._agreed(holder.module, bounds, inner, (*holder.outer, body))
        if isinstance(holder, Unread):
            return holder
        return Unread(f"what {name} is shows only when it runs")

    def _here(self, module: Parsed, root: str, outer: tuple[Body, ...]) -> Found:
        for body in reversed(outer[-1:]):  # a class sees the body around it, but no further one
            if root in body.names:
                return self._agreed(module, body.names[root], root, outer[:-1])
        found = self._in_module(module, root)
        if found is not None:
            return found
        return Builtin(root) if hasattr(builtins, root) else Unread(f"{root} is bound nowhere")

    def _in_module(self, module: Parsed, name: str) -> Found | None:
        bounds = module.body.names.get(name)
        if bounds:
            return self._agreed(module, bounds, name, ())
        for star, level in reversed(module.body.stars):
            found = self._starred(absolute_name(module, star, level), name)
            if found is not None:
                return found
        return None

    def _starred(self, module_name: str, name: str) -> Found | None:
        if module_name in _STARRED and not self._is_own(module_name):
            return self._known(module_name, name) if hasattr(_STARRED[module_name], name) else None
        module = self.load(module_name)
        if not isinstance(module, Parsed):
            return Unread(f"it may come from {module_name}")
        shown = name in module.exports if module.exports is not None else not name.startswith("_")
        return self._deeper(lambda: self._in_module(module, name)) if shown else None

    def _agreed(self, module: Parsed, bounds: list[Bound], name: str, outer: tuple[Body, ...]) -> Found:
        """Return what several statements agree on; those in handlers count where the others lead nowhere."""
        usual = [bound for bound in bounds if not bound.fallback]
        for group in (usual, [bound for bound in bounds if bound.fallback]):
            found = [self._deeper(lambda bound=bound: self._one(module, bound, name, outer)) for bound in group]  # type: ignore[misc]
            read = [one for one in found if not isinstance(one, Unread)]
            if read and all(_same(one, read[0]) for one in read) and len(read) == len(found):
                return read[0]
            if read or (found and group is usual and len(usual) == len(bounds)):
                return found[0] if len(found) == 1 else Unread(f"{name} is bound in several ways")
        return Unread(f"what {name} is shows only when it runs")

    def _deeper(self, step: "Callable[[], Found | None]") -> Found:
        if self._depth > _DEEPEST:
            return Unread("its imports go round in circles")
        self._depth += 1
        try:
            return step() or Unread("it is bound nowhere")
        finally:
            self._depth -= 1

    def _one(self, module: Parsed, bound: Bound, name: str, outer: tuple[Body, ...]) -> Found:
        node = bound.node
        if bound.kind == "import":
            if not bound.name:
                return ModuleAt(bound.module)
            return self.attribute(absolute_name(module, bound.module, bound.level), bound.name)
        if isinstance(node, ast.ClassDef):
            return ClassAt(module, node, name, outer)
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            return FunctionAt(module, node, name)
        if isinstance(node, ast.expr):
            dotted = dotted_name(node)
            if dotted is not None and dotted != name:
                return self.follow(module, dotted, outer)
            if dotted is not None and hasattr(builtins, dotted):
                return Builtin(dotted)
            return ValueAt(module, node, name)
        return Unread(f"what {name} is shows only when it runs")

    def _known(self, module_name: str, name: str) -> Known | Builtin | None:
        dotted = f"{module_name}.{name}"
        top = module_name.partition(".")[0]
        if module_name == "builtins":
            return Builtin(name)
        if dotted in _SINGLE or dotted == "extreg.reduce.versions_of_state.versioned":
            return Known(dotted.replace("versions_of_state.", ""))
        if top in _BY_NAME and not self._is_own(top):
            return Known(f"{_SAME.get(top, top)}{module_name[len(top) :]}.{name}")
        return None


def _same(one: Found, other: Found) -> bool:
    if isinstance(one, (ClassAt, FunctionAt, ValueAt)) and isinstance(other, (ClassAt, FunctionAt, ValueAt)):
        return one.node is other.node
    return one == other
