"""Other names of what has a code, as functions from registry to registry: aliases, and modules that move as a whole."""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from extreg.errors import ExtregError, UnreadableError
from extreg.registry import life
from extreg.registry.model import Registry
from extreg.registry.renames import circles, is_below, renamed_by
from extreg.registry.target import explain, is_module, is_target


def alias(registry: Registry, code: int, names: Iterable[str], *, everything: Registry | None = None) -> Registry:
    """Record `names` as those that the target of `code` has elsewhere: under other Pythons or versions of its library.

    A name that is an alias of the code already stays so.  Raises `ExtregError` for a code that is neither live nor
    load-only, and for a name that leads to another code; `UnreadableError` for what is no target.
    """
    everything = everything or registry
    target = life.loaded_target(registry, code, "alias", everything)
    for name in names:
        if not is_target(name):
            raise UnreadableError(explain(name))
        if name == target:
            raise ExtregError(f"{name} is the target of code {code} itself", f"extreg show {code}")
        own = registry.aliases.get(code, ())
        if name in own:
            continue
        holder = life.holder_of(everything, name)
        if holder is not None and everything.target(holder) == target and name in registry.aliases.get(holder, ()):
            registry = without_alias(registry, name)  # of another code of the same target, which had it so far
        elif holder is not None:
            raise _taken(everything, name, holder, target)
        registry = replace(registry, aliases={**registry.aliases, code: (*own, name)})
    return registry


def _taken(everything: Registry, name: str, holder: int, target: str) -> ExtregError:
    state = everything.state(holder)
    if everything.target(holder) != name:
        message = f"{name} is an alias of code {holder} ({everything.target(holder)}) already"
        return ExtregError(message, f"extreg show {holder}")
    message = f"{name} has code {holder} ({state}) already, and a name leads to one code"
    first = f"extreg demote {holder}, then " if state == "live" else ""
    return ExtregError(message, f"{first}extreg move --no-import {holder} {target} lets both codes mean one target")


def without_alias(registry: Registry, name: str) -> Registry:
    """Return `registry` without the alias `name` of any live or load-only code."""
    rows = {
        code: names if code in registry.retired else tuple(other for other in names if other != name)
        for code, names in registry.aliases.items()
    }
    return replace(registry, aliases={code: names for code, names in rows.items() if names})


def below(registry: Registry, old: str, new: str) -> dict[int, str]:
    """Return the live and load-only codes that mean something in or below the module `old`, and what it becomes.

    Raises `UnreadableError` for what is no module.
    """
    for name in (old, new):
        if not is_module(name):
            raise UnreadableError(f"expected a module, found {name!r}", "extreg move CODE NEW moves one target")
    loaded = {**registry.codes, **registry.load_only}
    return {code: _moved(target, old, new) for code, target in sorted(loaded.items()) if _is_old(target, old, new)}


def move_module(registry: Registry, old: str, new: str, *, everything: Registry | None = None) -> Registry:
    """Let all that is in or below the module `old` be in or below `new` from now on.

    Every live and load-only code there moves, and its former target is recorded; reducers and the modules of ranges
    follow, and a row of ``[renamed]`` records the rest.  Raises `ExtregError` where a new target has a live code, or
    `new` is recorded as a former name; `UnreadableError` for what is no module.
    """
    codes = below(registry, old, new)
    if old == new:
        return registry
    renamed = _renamed(registry.renamed, old, new)
    leads = renamed_by(new, renamed)
    if leads is not None or circles(renamed):
        raise ExtregError(
            f"{new} is recorded in [renamed] as a former name{f' of {leads}' if leads is not None else ''}, and cannot "
            "be one of today too",
            "if no pickle holds the former names any more, delete that row of [renamed], and move the module then",
        )
    known = everything or registry
    taken = {*known.codes.values(), *(name for names in known.aliases.values() for name in names)}
    free: dict[int, str] = {}
    for code, target in codes.items():
        if target in taken:  # by an alias of the code itself, which is in order, or by another code, which is not
            registry = life.move(registry, code, target, everything=known)
        else:
            free[code] = target
    return replace(
        life.move_all(registry, free),
        renamed=renamed,
        reducers={
            _moved_on(kind, old, new): _moved_on(function, old, new) for kind, function in registry.reducers.items()
        },
        ranges={
            name: replace(span, modules=tuple(dict.fromkeys(_moved_on(module, old, new) for module in span.modules)))
            for name, span in registry.ranges.items()
        },
    )


def _renamed(renamed: Mapping[str, str], old: str, new: str) -> dict[str, str]:
    """Return the rows of `renamed`, each to the newest name now, with one for the module `old`."""
    rows = {name: _moved_on(newer, old, new) for name, newer in renamed.items()}
    rows = {name: newer for name, newer in rows.items() if newer != name and name != old}
    return {**rows, old: new}


def _moved_on(name: str, old: str, new: str) -> str:
    return _moved(name, old, new) if _is_old(name, old, new) else name


def _is_old(name: str, old: str, new: str) -> bool:
    """Whether `name` is in or below `old`; below `new`, which may be below `old`, it is where it should be already."""
    return is_below(name, old) and not (is_below(new, old) and is_below(name, new))


def _moved(name: str, old: str, new: str) -> str:
    return new + name[len(old) :]
