"""Where a name leads that is none of today's any more: ``[moved]``, ``[aliases]`` and ``[renamed]`` as one relation.

Pure functions over plain mappings.  The rows of ``[renamed]`` lead from a target to a target, or from a module to a
module, all that is below it included.
"""

from extreg.registry.target import is_module, is_target

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping

    from extreg.registry.model import Registry

_NONE: "frozenset[str]" = frozenset()


def is_rename(old: object, new: object) -> bool:
    """Whether that can be a row of ``[renamed]``: two targets, or two modules."""
    if not (isinstance(old, str) and isinstance(new, str)):
        return False
    return (is_target(old) and is_target(new)) or (is_module(old) and is_module(new))


def is_below(name: str, module: str) -> bool:
    """Whether `name`, a module or a target, is `module` or anything in or below it."""
    return name.startswith(module) and name[len(module) :][:1] in ("", ".", ":")


def renamed_by(name: str, renamed: "Mapping[str, str]") -> str | None:
    """Return what the most specific row of `renamed` makes of `name`, a target or a module; None where none does.

    The row of a module leaves alone what is in or below its new name already: after ``"shop" = "shop.models"``, the
    target ``shop.models:Order`` is a name of today.
    """
    if name in renamed:
        return renamed[name]
    module, colon, qualname = name.partition(":")
    old = module if colon else module.rpartition(".")[0]
    while old:
        new = renamed.get(old)
        if new is not None and ":" not in new and not is_below(name, new):
            return f"{new}{module[len(old) :]}{colon}{qualname}"
        old = old.rpartition(".")[0]
    return None


def circles(renamed: "Mapping[str, str]") -> "list[tuple[str, ...]]":
    """Return the circles of `renamed`, each as the names that it goes through from the first in order on."""
    found: dict[frozenset[str], tuple[str, ...]] = {}
    for start in sorted(renamed):
        path: list[str] = []
        name: str | None = start
        while name is not None and name not in path and len(path) <= 2 * len(renamed):
            path.append(name)
            name = renamed_by(name, renamed)
        if name is None:
            continue
        circle = path[path.index(name) :] if name in path else path
        found.setdefault(frozenset(circle), tuple(circle))
    return list(found.values())


class Names:
    """The names of a registry: those of today, and where each other one leads.

    ``current`` are the targets of live and load-only codes.  A name that is one of them is never read as a former one.
    """

    def __init__(self, registry: "Registry") -> None:
        self.current = frozenset(registry.codes.values()).union(registry.load_only.values())
        self.renamed: Mapping[str, str] = registry.renamed
        self.steps: dict[str, set[str]] = {}
        of_retired: dict[str, set[str]] = {}
        for table in (registry.moved, registry.aliases):
            for code, names in table.items():
                target = registry.target(code)
                steps = self.steps if target is not None else of_retired
                for name in names:
                    if name != (target or registry.retired[code]):
                        steps.setdefault(name, set()).add(target or registry.retired[code])
        for old, new in registry.renamed.items():
            if ":" in old:
                self.steps.setdefault(old, set()).add(new)
        # An alias is a name of today, elsewhere, and leads to one code.
        for code, names in registry.aliases.items():
            if (target := registry.target(code)) is not None:
                self.steps.update((name, {target}) for name in names)
        # What a retired code was once called counts only where nothing else is known of the name, and where its last
        # target has not been renamed back since.
        for name, targets in of_retired.items():
            if name not in self.steps and not any(name in self._walk(target)[0] for target in targets):
                self.steps[name] = targets

    def next(self, name: str) -> "Collection[str]":
        """Return where `name` leads in one step: nowhere where it is a name of today."""
        if name in self.current:
            return _NONE
        if name in self.steps:
            return self.steps[name]
        new = renamed_by(name, self.renamed) if self.renamed else None
        return _NONE if new is None else (new,)

    def ends(self, name: str) -> "set[str]":
        """Return where the ways of `name` end: in itself where none leads on."""
        return self._walk(name)[1]

    def _walk(self, name: str) -> "tuple[set[str], set[str]]":
        """Return the names on all ways of `name`, and those in which they end."""
        ends: set[str] = set()
        seen = {name}
        waiting = [name]
        while waiting:  # which ends, since a registry has no circles
            here = waiting.pop()
            onward = self.next(here)
            if not onward:
                ends.add(here)
            waiting += [there for there in onward if there not in seen]
            seen.update(onward)
        return seen, ends

    def today(self, name: str) -> str:
        """Return the name of today, or `name` itself where nothing leads on or the ways part."""
        if not self.steps and not self.renamed:
            return name
        ends = self.ends(name)
        return ends.pop() if len(ends) == 1 else name


class ExactNames(Names):
    """The same by rows for the very names alone, without those for whole modules."""

    def __init__(self, registry: "Registry") -> None:
        super().__init__(registry)
        self.renamed = {}


def names_of(registry: "Registry", target: str) -> "Iterator[str]":
    """Yield all names of `target`, the one of today first, then its aliases, then former ones, the newest first.

    Those of a renamed module are told for the target alone, not for what was below the module besides.
    """
    names = registry.derived(Names)
    today = names.today(target)
    own = [code for rows in registry.tables.values() for code, found in rows.items() if found == today]
    known = [name for code in own for name in registry.aliases.get(code, ())]
    known += [name for code in own for name in reversed(registry.moved.get(code, ()))]
    known += [old for old in reversed(list(registry.renamed)) if ":" in old]
    found = {today: None}
    for here in (waiting := [today]):  # which grows while it is walked
        for name in (*known, *_backwards(here, registry.renamed)):
            if name not in found and names.today(name) == today:
                found[name] = None
                waiting.append(name)
    yield from found


def _backwards(name: str, renamed: "Mapping[str, str]") -> "Iterator[str]":
    for old, new in renamed.items():
        if ":" not in old and is_below(name, new):
            yield old + name[len(new) :]
