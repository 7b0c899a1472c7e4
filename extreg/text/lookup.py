"""What a target leads to, as far as the sources tell: found, missing, another's name, or cannot be told.

Pure: whoever asks passes in how a module's source is found.
"""

import builtins
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from extreg.registry.target import join, split
from extreg.text.python import Binding, Scope
from extreg.text.python_text import Elsewhere, bound_later, renames

_DEEPEST = 40  # of chains of re-exports; longer ones go round in circles


class Answer(NamedTuple):
    """What became of looking up a target.

    ``reexported``: pickle knows the object as ``target`` and looks up nothing else; ``unimportable``: importing its
    module fails; ``unpicklable``: pickle refuses it; ``unknown``: only running the code could tell. ``detail`` says
    why, and ``hint`` what to do.
    """

    kind: Literal["found", "missing", "reexported", "unimportable", "unpicklable", "unknown"]
    target: str = ""
    detail: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Module:
    """One module whose source was read."""

    name: str
    is_package: bool
    scope: Scope
    source: str


class Outside(NamedTuple):
    """A module that exists, or may, and whose names no source tells; ``why`` says what it is."""

    why: str


Load = Callable[[str], "Module | Outside | None"]
Survey = Callable[[str], Elsewhere]


class _Missing(NamedTuple):
    """Proof that there is no such module or name; ``near`` are the names that are there."""

    detail: str
    name: str
    near: tuple[str, ...]


class _Unknown(NamedTuple):
    why: str


class _Namespace(NamedTuple):
    """A name that stands for a module."""

    module: str


class _Defined(NamedTuple):
    """A class or function statement; `certain` that its object's own names are these; `via` which modules it came."""

    module: str
    qualname: str
    certain: bool
    scope: Scope | None = None
    returns: str = ""
    via: frozenset[str] = frozenset()


_Result = _Missing | _Unknown | _Namespace | _Defined


class Lookup:
    """Follows targets through modules.

    `load` gives the module of a name, or None where there is none; `survey` says what all files of a top-level package
    do to the objects and modules of others.  Every name is followed once.
    """

    def __init__(self, load: Load, survey: Survey) -> None:
        self.load = load
        self.survey = survey
        self._names: dict[tuple[str, str], _Result] = {}
        self._active: set[tuple[str, str]] = set()
        self._handing: dict[str, bool] = {}
        self._depth = 0

    def answer(self, target: str) -> Answer:
        """Return what `target` leads to."""
        module, qualname = split(target)
        first, *rest = qualname.split(".")
        result = self.attribute(module, first)
        holder = join(module, first)
        for name in rest:
            result = self.nested(result, name, holder)
            holder = f"{holder}.{name}"
        if isinstance(result, _Missing):
            if result.name in self.survey(_top(module)).given:
                return Answer("unknown", detail=f"another module may put {result.name!r} there")
            top = _top(split(target)[0])
            hint = _absent(top) if self.load(top) is None else _nearest(result, target)
            return Answer("missing", detail=result.detail, hint=hint)
        if isinstance(result, _Unknown):
            return Answer("unknown", detail=result.why)
        if isinstance(result, _Namespace):
            return Answer("unknown", detail="it is a module")
        own = join(result.module, result.qualname)
        if own == target:
            return Answer("found")
        if not result.certain or self._renamed(result):
            return Answer("unknown", detail=f"it is defined as {own}, but may be given another name")
        return Answer("reexported", target=own)

    def attribute(self, module_name: str, name: str) -> _Result:
        """Return what `module.name` is."""
        key = module_name, name
        if key not in self._names:
            if key in self._active:
                return _Unknown("its re-exports go round in circles")
            self._active.add(key)
            try:
                self._names[key] = self._attribute(module_name, name)
            finally:
                self._active.remove(key)
        return self._names[key]

    def _attribute(self, module_name: str, name: str) -> _Result:
        module = self.load(module_name)
        if module is None:
            return _Missing(f"there is no module {module_name!r} on the import path", module_name, ())
        if isinstance(module, Outside):
            return _Unknown(f"{module_name} is {module.why}")
        found = self._bound(module, name)
        if isinstance(found, _Defined):
            return found._replace(via=found.via | {module_name})
        if found is not None:
            return found
        if module.is_package and self.load(f"{module_name}.{name}") is not None:
            return _Namespace(f"{module_name}.{name}")
        if module.scope.open or bound_later(name, module.source):
            return _Unknown(f"{module_name} may bind {name!r} in a way that only running it shows")
        return _Missing(f"{module_name} has no {name!r}", name, tuple(module.scope.names))

    def _bound(self, module: Module, name: str) -> _Result | None:
        """Return what the statements of a module bind `name` to, or None when none does."""
        bindings = module.scope.names.get(name, [])
        results = [self._top_binding(module, name, binding, alone=len(bindings) == 1) for binding in bindings]
        last = max((binding.at for binding in bindings), default=-1)
        for star in reversed(module.scope.stars):
            if star.at < last:
                continue
            starred = self._starred(absolute(module, star.module, star.level), name)
            if starred is not None:
                results.append(starred)
                if not bindings and star.sure:
                    break
        return _agreed(results)

    def _starred(self, module_name: str, name: str) -> _Result | None:
        """Return what ``from module import *`` binds `name` to, or None when it does not."""
        module = self.load(module_name)
        if module is None or isinstance(module, Outside):
            return _Unknown(f"it may come from {module_name} by a star import")
        scope = module.scope
        if scope.exports is not None and name not in scope.exports and not scope.exports_open:
            return None
        if scope.exports is None and name.startswith("_"):
            return None
        found = self.attribute(module_name, name)
        if isinstance(found, _Missing):
            return None
        if isinstance(found, _Namespace) and name not in scope.names and scope.exports is None:
            return None  # a submodule that nobody imported yet
        if scope.exports_open and name not in (scope.exports or ()):
            return _Unknown(f"{module_name}.__all__ is put together when it runs")
        return found

    def _top_binding(self, module: Module, name: str, binding: Binding, *, alone: bool) -> _Result:
        if binding.kind == "alias" and alone and binding.name.partition(".")[0] == name:
            return _builtin(binding.name)  # `TimeoutError = TimeoutError`
        return self._binding(module, binding)

    def _binding(self, module: Module, binding: Binding, qualifier: str = "") -> _Result:
        """Return what one binding at the top of `module`, or in its class `qualifier`, leads to."""
        if binding.kind in ("class", "function", "made"):
            certain = binding.certain and all(self._keeps(module, *found) for found in binding.decorators)
            return _Defined(module.name, qualifier + binding.name, certain, binding.scope, binding.returns)
        if binding.kind == "module":
            return _Namespace(binding.module)
        if binding.kind == "from":
            origin = absolute(module, binding.module, binding.level)
            found = self.attribute(origin, binding.name)
            # An import that leads nowhere would have failed; that it is reached at all is what cannot be told.
            return _Unknown(found.detail) if isinstance(found, _Missing) else found
        if binding.kind == "alias":
            return self._alias(module, binding.name)
        return _Unknown("what it is bound to shows only when it runs")

    def _keeps(self, module: Module, decorator: str, called: bool) -> bool:
        """Whether a decorator returns what it is given, unchanged in name."""
        found = self._alias(module, decorator)
        return isinstance(found, _Defined) and found.returns in ("either", "maker" if called else "argument")

    def _alias(self, module: Module, dotted: str) -> _Result:
        root, *rest = dotted.split(".")
        result: _Result = self.attribute(module.name, root)
        if isinstance(result, _Missing):
            return _builtin(dotted)
        for name in rest:
            result = self.nested(result, name, dotted)
        return _Unknown(result.detail) if isinstance(result, _Missing) else result

    def nested(self, holder: _Result, name: str, shown: str) -> _Result:
        """Return what the attribute `name` of an earlier result is; `shown` names it in messages."""
        if isinstance(holder, _Namespace):
            return self.attribute(holder.module, name)
        if not isinstance(holder, _Defined):
            return holder
        module = self.load(holder.module)
        if holder.scope is None or not isinstance(module, Module):
            return _Unknown(f"what {shown} holds shows only when it runs")
        if self._depth > _DEEPEST:
            return _Unknown("its bases go round in circles")
        self._depth += 1
        try:
            return self._in_class(module, holder, holder.scope, name, shown)
        finally:
            self._depth -= 1

    def _in_class(self, module: Module, holder: _Defined, scope: Scope, name: str, shown: str) -> _Result:
        bindings = scope.names.get(name, [])
        if bindings:
            results = [self._class_binding(module, holder, scope, binding) for binding in bindings]
            return _agreed(results) or _Unknown("")
        if scope.open or scope.stars or not holder.certain or hasattr(type, name):
            return _Unknown(f"what {shown} holds shows only when it runs")
        inherited = []
        for base in scope.bases:
            found = self._alias(module, base) if base is not None else _Unknown("a base is an expression")
            if found == _builtin("object"):
                continue
            inherited.append(self.nested(found, name, shown))
        there = [found for found in inherited if not isinstance(found, _Missing)]
        if there:
            return there[0] if len(there) == 1 else _Unknown("it is inherited")
        return _Missing(f"{shown} has no {name!r}", name, tuple(scope.names))

    def _class_binding(self, module: Module, holder: _Defined, scope: Scope, binding: Binding) -> _Result:
        if binding.kind == "alias" and binding.name.partition(".")[0] in scope.names:
            return _Unknown("it is another name for something in its class")
        found = self._binding(module, binding, f"{holder.qualname}.")
        if isinstance(found, _Defined) and not holder.certain and found.module == module.name:
            return found._replace(certain=False)
        return found

    def _renamed(self, result: _Defined) -> bool:
        """Whether a module that the name came through, or any other of its package, may rename what it holds."""
        name = result.qualname.partition(".")[0]
        tops = {_top(module) for module in (result.module, *result.via)}
        if any(name in self.survey(top).renamed for top in tops):
            return True
        passed = result.via | {*_packages(result.module), result.module}
        modules = [module for module in map(self.load, sorted(passed)) if isinstance(module, Module)]
        return any({"*", name} & module.scope.renamed or self._hands_over(module) for module in modules)

    def _hands_over(self, module: Module) -> bool:
        """Whether a module calls a function that may rename what the module holds."""
        if module.name not in self._handing:
            called = module.scope.called.items()
            self._handing[module.name] = any(self._may_rename(module, *found) for found in called)
        return self._handing[module.name]

    def _may_rename(self, module: Module, called: str, handed: bool) -> bool:
        found = self._alias(module, called)
        home = self.load(found.module) if isinstance(found, _Defined) else None
        if not isinstance(home, Module):
            return handed
        return (handed or _top(home.name) == _top(module.name)) and renames(home.source)


def _builtin(dotted: str) -> _Result:
    """Return what a name means that its module does not bind."""
    kind = getattr(builtins, dotted, None)
    if kind is None:
        return _Unknown(f"{dotted!r} is bound nowhere")
    return _Defined("builtins", dotted, isinstance(kind, type) and kind.__name__ == dotted)


def _absent(package: str) -> str:
    """Return the hint where not even the top-level package is there, so that nothing is known of what is in it."""
    return f"{package} is not here at all: install it, or say in [tool.extreg.lint] path where its folder is"


def _nearest(missing: _Missing, target: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(missing.name, missing.near, n=1)
    if near:
        return f"did you mean {near[0]}? If the class moved: extreg move {target} MODULE:NAME"
    return f"if it moved: extreg move {target} MODULE:NAME; if it is gone for good: extreg retire --now {target}"


def _top(module_name: str) -> str:
    return module_name.partition(".")[0]


def _packages(module_name: str) -> list[str]:
    """Return the names of the packages above a module."""
    parts = module_name.split(".")
    return [".".join(parts[:length]) for length in range(1, len(parts))]


def _agreed(results: list[_Result]) -> _Result | None:
    """Return the one thing that all of several bindings lead to; where they differ, nobody can tell."""
    if not results:
        return None
    first = results[0]
    if len(results) > 1 and any(_key(found) != _key(first) for found in results[1:]):
        return _Unknown("it is bound in several ways")
    if isinstance(first, _Defined):
        certain = all(found.certain for found in results if isinstance(found, _Defined))
        scope = first.scope if len(results) == 1 else None
        return first._replace(certain=certain, scope=scope)
    return first


def _key(result: _Result) -> object:
    return (result.module, result.qualname) if isinstance(result, _Defined) else result


def absolute(module: Module, name: str, level: int) -> str:
    """Return the absolute name of what ``from ...name import`` in `module` means."""
    if level == 0:
        return name
    parts = module.name.split(".")
    keep = len(parts) - level + (1 if module.is_package else 0)
    base = ".".join(parts[: max(keep, 0)])
    return f"{base}.{name}" if base and name else base or name
