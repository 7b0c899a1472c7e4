"""The life of a code, as functions from registry to registry.

``add`` → ``promote`` → live → ``demote`` → load-only → ``retire``; ``move`` follows a class.  Nothing deletes a row
and nothing brings a retired code back.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from extreg.errors import ExtregError, UnreadableError
from extreg.registry.allocation import Allocator, claim
from extreg.registry.dangerous import danger
from extreg.registry.model import Registry
from extreg.registry.target import is_target, split

_THEIRS = "an included registry has it, and it is changed there: extreg show {}"
_MOST_DIGITS = 10  # of a code; Python refuses to read numbers of some thousands of digits


def add(
    registry: Registry,
    target: str,
    *,
    range_name: str | None = None,
    code: int | None = None,
    load_only: bool = False,
    everything: Registry | None = None,
) -> tuple[Registry, int]:
    """Give `target` a code and return the new registry and the code.

    A target that already has a code (in the state asked for) keeps it: adding twice is adding once.
    Raises `AllocationError` (see `allocate` and `claim`), or `ExtregError` when the target already has
    another code or another state.
    """
    if code is None:
        registry, codes = add_all(registry, [target], range_name=range_name, load_only=load_only, everything=everything)
        return registry, codes[target]
    _check(target)
    existing = _there_already(registry, everything or registry, target, code=code, load_only=load_only)
    if existing is not None:
        return registry, existing
    claim(everything or registry, target, code)
    return _with(registry, {target: code}, load_only=load_only), code


def add_all(
    registry: Registry,
    targets: Iterable[str],
    *,
    range_name: str | None = None,
    load_only: bool = False,
    everything: Registry | None = None,
) -> tuple[Registry, dict[str, int]]:
    """Give each of `targets` a code, in order, as `add` does; return the new registry and the codes.

    Takes time linear in their number.
    """
    everything = everything or registry
    known = {*_by_target(everything), *(name for names in everything.aliases.values() for name in names)}
    allocator = Allocator(everything.ranges, everything.spent)
    codes: dict[str, int] = {}
    new: dict[str, int] = {}
    for target in targets:
        _check(target)
        if target in codes:
            continue
        existing = None
        if target in known:
            existing = _there_already(registry, everything, target, code=None, load_only=load_only)
        if existing is not None:
            codes[target] = existing
        else:
            codes[target] = new[target] = allocator.allocate(target, range_name=range_name)
    return _with(registry, new, load_only=load_only), codes


def _with(registry: Registry, codes: Mapping[str, int], *, load_only: bool) -> Registry:
    rows = {code: target for target, code in codes.items()}
    if not rows:
        return registry
    if load_only:
        return replace(registry, load_only={**registry.load_only, **rows})
    return replace(registry, codes={**registry.codes, **rows})


def _by_target(registry: Registry) -> set[str]:
    return {*registry.codes.values(), *registry.load_only.values()}


def promote(registry: Registry, code: int, *, everything: Registry | None = None) -> Registry:
    """Make a load-only code live: from now on its target is dumped as this code."""
    target = _in_state(registry, code, "load-only", "promote", everything)
    other = (everything or registry).code(target)
    if other is not None:
        own = registry.code(target) is not None
        raise ExtregError(
            f"{target} is already dumped as code {other}, so {code} cannot be live too",
            f"exchange them: extreg demote {other}, then extreg promote {code}" if own else _THEIRS.format(other),
        )
    rest = {key: value for key, value in registry.load_only.items() if key != code}
    return replace(registry, load_only=rest, codes={**registry.codes, code: target})


def demote(registry: Registry, code: int, *, everything: Registry | None = None) -> Registry:
    """Make a live code load-only: old pickles load, new ones are dumped by name."""
    target = _in_state(registry, code, "live", "demote", everything)
    rest = {key: value for key, value in registry.codes.items() if key != code}
    return replace(registry, codes=rest, load_only={**registry.load_only, code: target})


def retire(registry: Registry, code: int, *, now: bool = False, everything: Registry | None = None) -> Registry:
    """Spend a code for ever: pickles that hold it no longer load.  A live code needs ``now=True``."""
    state = registry.state(code)
    if state == "live" and not now:
        raise ExtregError(
            f"code {code} ({registry.codes[code]}) is live: programs still dump it",
            f"extreg demote {code}, release that, and retire it later; or extreg retire --now {code}",
        )
    if state == "live":
        registry = demote(registry, code)
    target = _in_state(registry, code, "load-only", "retire", everything)
    rest = {key: value for key, value in registry.load_only.items() if key != code}
    return replace(registry, load_only=rest, retired={**registry.retired, code: target})


def move(registry: Registry, code: int, new: str, *, everything: Registry | None = None) -> Registry:
    """Let `code` mean `new` from now on, because its class moved there; record where it was.

    Where `new` was an alias of the code, it is none any more.
    """
    _check(new)
    old = loaded_target(registry, code, "move", everything)
    if old == new:
        return registry
    state = registry.state(code)
    everything = everything or registry
    other = everything.code(new)
    if new in registry.aliases.get(code, ()):
        rest = tuple(name for name in registry.aliases[code] if name != new)
        others = {key: names for key, names in registry.aliases.items() if key != code}
        registry = replace(registry, aliases={**others, code: rest} if rest else others)
    elif (holder := holder_of(everything, new)) is not None and everything.target(holder) != new:
        raise ExtregError(
            f"{new} is an alias of code {holder} ({everything.target(holder)}), so code {code} cannot mean it",
            f"extreg show {holder}",
        )
    elif state == "live" and other is not None:
        raise ExtregError(
            f"{new} already has the live code {other}, so code {code} cannot mean it and be live",
            f"make it load-only first: extreg demote {code}",
        )
    return move_all(registry, {code: new})


def move_all(registry: Registry, targets: Mapping[int, str]) -> Registry:
    """Give live and load-only codes other `targets`, which no other row has, and record where each was."""
    loaded = {**registry.codes, **registry.load_only}
    moved = dict(registry.moved)
    for code, new in targets.items():
        former = [target for target in moved.get(code, ()) if target not in (loaded[code], new)]
        moved[code] = (*former, loaded[code])
    return replace(
        registry,
        codes={code: targets.get(code, target) for code, target in registry.codes.items()},
        load_only={code: targets.get(code, target) for code, target in registry.load_only.items()},
        moved=moved,
    )


def loaded_target(registry: Registry, code: int, verb: str, everything: Registry | None = None) -> str:
    """Return what a live or load-only code means; say of any other why nobody can `verb` it."""
    target = registry.target(code)
    return _in_state(registry, code, "live", verb, everything) if target is None else target


def holder_of(registry: Registry, name: str) -> int | None:
    """Return the code that `name` leads to, as its target or as an alias; the live one before load-only ones."""
    live = registry.code(name)
    if live is not None:
        return live
    found = next((code for code, target in registry.load_only.items() if target == name), None)
    if found is not None:
        return found
    return next((code for code in registry.load_only if name in registry.aliases.get(code, ())), None)


def find(registry: Registry, wanted: str) -> int:
    """Return the code that `wanted` names: itself a number, or a target that has a code.

    A target finds its live code, as an alias does, else its only load-only one, else its only retired or former one.
    Raises `ExtregError` when there is none, or several.
    """
    if wanted.isdecimal():
        code = int(wanted) if len(wanted) <= _MOST_DIGITS else 0
        if registry.state(code) is None:
            raise ExtregError(f"code {wanted} is not in the registry", "extreg list shows all codes")
        return code
    live = registry.code(wanted)
    if live is not None:
        return live
    for rows in (registry.load_only, registry.retired):
        found = [code for code, target in rows.items() if target == wanted]
        if len(found) == 1:
            return found[0]
        if found:
            raise ExtregError(f"{wanted} has several codes: {', '.join(map(str, found))}", "give the code itself")
    other = holder_of(registry, wanted)
    return _former(registry, wanted) if other is None else other


def _former(registry: Registry, wanted: str) -> int:
    found = [code for code, former in registry.moved.items() if wanted in former]
    if len(found) == 1:
        return found[0]
    raise ExtregError(f"{wanted} has no code in this registry", _instead(registry, wanted))


def _instead(registry: Registry, wanted: str) -> str:
    """Return what to type where `wanted` has no code: it may be half a name, or one that should have none."""
    everything = {**registry.codes, **registry.load_only}
    meant = [target for target in everything.values() if target.partition(":")[2] == wanted]
    if meant:
        return f"did you mean {' or '.join(meant)}? extreg list shows all"
    if not is_target(wanted):
        return "a target is module:qualname, such as shop.models:Order; extreg list shows all"
    if danger(wanted) is not None:
        return "extreg list shows all; this one should have none, see extreg rule dangerous-target"
    from difflib import get_close_matches

    near = get_close_matches(wanted, everything.values(), n=1, cutoff=0.8)
    if near:
        return f"did you mean {near[0]}? extreg list shows all"
    return f"extreg add {wanted}, or extreg list to see all"


def _check(target: str) -> None:
    try:
        _, qualname = split(target)
    except ValueError as error:
        raise UnreadableError(str(error)) from None
    if "<locals>" in qualname or "<lambda>" in qualname:
        raise ExtregError(
            f"{target} is local to a function: pickle cannot find it by name",
            "move the definition to the top level of its module",
        )


def _there_already(
    registry: Registry, everything: Registry, target: str, *, code: int | None, load_only: bool
) -> int | None:
    """Return the code that `target` has already, if it is there as asked; an included registry's will do as well."""
    existing = holder_of(registry, target)
    if existing is not None:
        _same_again(registry, target, existing, code=code, load_only=load_only)
        return existing
    theirs = holder_of(everything, target)
    if theirs is None:
        return None
    state = everything.state(theirs)
    if (code is not None and code != theirs) or (state == "live") == load_only:
        raise ExtregError(f"{target} has code {theirs} ({state}) already", _THEIRS.format(theirs))
    return theirs


def _same_again(registry: Registry, target: str, existing: int, *, code: int | None, load_only: bool) -> None:
    """Accept that `target` is there already only when it is there as asked."""
    state = registry.state(existing)
    if code is not None and code != existing:
        raise ExtregError(
            f"{target} already has code {existing} ({state}), not {code}",
            "a target keeps its code; leave --code away",
        )
    if load_only and state == "live":
        raise ExtregError(f"{target} is already live as code {existing}", f"extreg demote {existing}")
    if not load_only and state == "load-only":
        raise ExtregError(f"{target} is already load-only as code {existing}", f"extreg promote {existing}")


def _in_state(registry: Registry, code: int, wanted: str, verb: str, everything: Registry | None) -> str:
    """Return the target of `code` if it is `wanted`; say what it is and what to do otherwise."""
    state = registry.state(code)
    if state is None and everything is not None and everything.state(code) is not None:
        raise ExtregError(f"cannot {verb} code {code}: it is not in this file", _THEIRS.format(code))
    if state == wanted:
        return {**registry.codes, **registry.load_only}[code]
    if state is None:
        raise ExtregError(f"code {code} is not in the registry", "extreg list shows all codes")
    if state == "retired":
        raise ExtregError(
            f"code {code} is retired (it meant {registry.retired[code]}) and spent for ever",
            "no command brings it back" + _anew(registry.retired[code]),
        )
    raise ExtregError(f"cannot {verb} code {code}: it is {state}, not {wanted}", f"extreg show {code}")


def _anew(target: str) -> str:
    return f"; a new code: extreg add {target}" if danger(target) is None else ""
