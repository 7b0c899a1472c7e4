"""What a target leads to, as far as the sources tell: found, missing, another's name, or cannot be told.

Pure: whoever asks passes in how a module's source is found.
"""

import builtins
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, NamedTuple

from extreg.registry.target import join, split
from extreg.targets.fetches import module_writers
from extreg.targets.known_calls import HANDLERS, WRITERS
from extreg.targets.package_texts import Package
from extreg.targets.reach import Made
from extreg.targets.suspicions import bound_later, renames
from extreg.targets.syntax import Binding, Scope

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
Survey = Callable[[str], Package]


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
        self._fetching: dict[str, bool] = {}
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
            if self._put_there(module, first, result.name):
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
        if not result.certain or self._replaced(module, qualname) or self._renamed(result, first):
            return Answer("unknown", detail=f"it is defined as {own}, but may be given another name")
        if _written_otherwise(result.module, result.qualname):
            return Answer("unknown", detail=f"it is {own}, which protocols below 3 write under another name")
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
            if self.survey(_top(module_name)).makes(module_name):
                return _Unknown(f"{module_name} may be put in place when its package is imported")
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
        if self._may_bind(module, name):
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
        if len(results) == 1 and len(bindings) == 1 and not bindings[0].sure and bindings[0].kind in ("from", "alias"):
            return _Unknown("whether it is bound there shows only when it runs")
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
        if not isinstance(found, _Defined) or found.returns not in ("either", "maker" if called else "argument"):
            return False
        home = self.load(found.module)
        return isinstance(home, Module) and not renames(home.source)

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
        if scope.open or scope.stars or not holder.certain or hasattr(type, name) or module.scope.reach.open:
            return _Unknown(f"what {shown} holds shows only when it runs")
        if any(self._knows_owner(module, binding) for found in scope.names.values() for binding in found):
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

    def _knows_owner(self, module: Module, binding: Binding) -> bool:
        """Whether what a call in a class body makes is told of the class, by `__set_name__`, and may change it."""
        if binding.kind != "unknown" or not binding.name:
            return False
        home = self._home(module, binding.name)
        return "__set_name__" in home.source if isinstance(home, Module) and not _is_ours(home.name) else False

    def _class_binding(self, module: Module, holder: _Defined, scope: Scope, binding: Binding) -> _Result:
        if binding.kind == "alias" and binding.name.partition(".")[0] in scope.names:
            return _Unknown("it is another name for something in its class")
        found = self._binding(module, binding, f"{holder.qualname}.")
        if isinstance(found, _Defined) and not holder.certain and found.module == module.name:
            return found._replace(certain=False)
        return found

    def _may_bind(self, module: Module, name: str) -> bool:
        """Whether a module may get `name` in another way than by its statements."""
        scope = module.scope
        if scope.open or name in scope.reach.given or module.name in scope.reach.modules:
            return True
        return bound_later(name, module.source) or any(self._may_write(module, made) for made in scope.reach.calls)

    def _may_write(self, module: Module, made: Made) -> bool:
        """Whether a call may write to the namespace of the module that makes it."""
        last = (made.function or "").rpartition(".")[2]
        handed = made.handing in ("name", "namespace")
        if last in WRITERS or (handed and last in HANDLERS):
            return True
        home = self._home(module, made.function) if made.function is not None else None
        if home is None and made.function is not None and made.handing == "class":
            home = self._home(module, made.function.partition(".")[0])
        if home is None:
            return handed
        if not isinstance(home, Module):
            return handed and not _is_ours(home)
        if made.handing == "namespace":
            return not _is_ours(home.name)
        return not _is_ours(home.name) and any(map(self._fetches, self._behind(home, made)))

    def _fetches(self, module: Module) -> bool:
        if module.name not in self._fetching:
            self._fetching[module.name] = bool(module_writers(module.source))
        return self._fetching[module.name]

    def _behind(self, home: Module, made: Made) -> "list[Module]":
        """Return the modules in which a call of what `home` defines may end: more where it is given something."""
        if not made.handing:
            return [home]
        bindings = [binding for found in home.scope.names.values() for binding in found]
        names = {
            absolute(home, found.module, found.level) if found.kind == "from" else found.module
            for found in bindings
            if found.kind in ("from", "module")
        }
        modules = (self.load(name) for name in sorted(names) if name and _top(name) == _top(home.name))
        return [home, *(module for module in modules if isinstance(module, Module))]

    def _home(self, module: Module, called: str) -> "Module | str | None":
        """Return the module that defines what is called, or whose instance has it: its name where it has no source."""
        root, _, rest = called.partition(".")
        bindings = module.scope.names.get(root, [])
        if not bindings and not module.scope.stars and not module.scope.reach.open and hasattr(builtins, root):
            return "builtins"  # also where `__getattr__` may give anything: names in the module itself do not ask it
        if len(bindings) == 1 and bindings[0].kind == "unknown" and bindings[0].name and rest:
            maker = bindings[0].name
            return self._home(module, maker) if maker.partition(".")[0] != root else None
        if len(bindings) == 1 and bindings[0].kind == "module" and isinstance(self.load(bindings[0].module), Outside):
            return bindings[0].module
        found = self._alias(module, called)
        if isinstance(found, _Namespace):
            return None
        if isinstance(found, _Defined):
            home = self.load(found.module)
            return home if isinstance(home, Module) else found.module
        if len(bindings) == 1 and bindings[0].kind == "from" and not bindings[0].level:
            outside = self.load(bindings[0].module)
            return bindings[0].module if isinstance(outside, Outside) else None
        return None

    def _put_there(self, module: str, first: str, name: str) -> bool:
        """Whether a file of the package, or of what it brings along, may put `name` into a module or its class."""
        package = self.survey(_top(module))
        if name in package.given or package.replaces(module):
            return True
        return package.hands_over(module) if name == first else package.hands_over_class(first)

    def _replaced(self, module: str, qualname: str) -> bool:
        """Whether another object may come to stand where the statements of a module put one."""
        package = self.survey(_top(module))
        if qualname.rpartition(".")[2] in package.given or package.replaces(module):
            return True
        found = self.load(module)
        return isinstance(found, Module) and found.scope.reach.open

    def _renamed(self, result: _Defined, first: str) -> bool:
        """Whether the object may call itself otherwise than its statement does."""
        home = self.load(result.module)
        if isinstance(home, Module) and ("__name__" in home.scope.names or "__name__" in home.scope.reach.given):
            return True
        name = result.qualname.partition(".")[0]
        tops = {_top(module) for module in (result.module, *result.via)}
        if any(name in self.survey(top).renamed or self.survey(top).renames(result.module, name) for top in tops):
            return True
        if self._remade(result):
            return True
        passed = result.via | {*_packages(result.module), result.module}
        modules = [module for module in map(self.load, sorted(passed)) if isinstance(module, Module)]
        return any(
            {"*", name, first} & module.scope.renamed or self._hands_over(module, {name, first}) for module in modules
        )

    def _remade(self, result: _Defined, depth: int = 0) -> bool:
        """Whether the bases or the metaclass of a class may give it another name."""
        module = self.load(result.module)
        if result.scope is None or not isinstance(module, Module):
            return False
        if depth > _DEEPEST:
            return True
        for maker in result.scope.makers:
            found = self._alias(module, maker) if maker is not None else _Unknown("")
            if not isinstance(found, _Defined):
                return True
            if _is_ours(found.module):
                continue
            home = self.load(found.module)
            if not isinstance(home, Module) or renames(home.source) or self._remade(found, depth + 1):
                return True
        return False

    def _hands_over(self, module: Module, names: "set[str]") -> bool:
        """Whether a module calls a function that may rename what the module holds."""
        return any(self._may_rename(module, made, names) for made in module.scope.reach.calls)

    def _may_rename(self, module: Module, made: Made, names: "set[str]") -> bool:
        handed = made.handing in ("name", "namespace") or bool(names & made.names)
        last = (made.function or "").rpartition(".")[2]
        if handed and last in HANDLERS:
            return True
        home = self._home(module, made.function) if made.function is not None else None
        if home is None:
            return handed
        if not isinstance(home, Module):
            return handed and not _is_ours(home)
        if _is_ours(home.name):
            return False
        if not handed:
            return renames(home.source) and self._fetches(home)
        return any(renames(behind.source) for behind in self._behind(home, made._replace(handing="name")))


def _is_ours(module_name: str) -> bool:
    """Whether a module is of the standard library, of which is known what writes to the modules of its callers."""
    return _top(module_name) in sys.stdlib_module_names


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


def _written_otherwise(module: str, qualname: str) -> bool:
    """Whether protocols 0 to 2 write a name of Python 2 for a global that loads as another one."""
    from _compat_pickle import NAME_MAPPING, REVERSE_NAME_MAPPING

    old = REVERSE_NAME_MAPPING.get((module, qualname))
    return old is not None and NAME_MAPPING.get(old) != (module, qualname)


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
