"""What pickles the objects of one registry, by protocol."""

import copyreg
import pickle
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

from extreg.pickles.rewriting.rewriter import rewrite, to_codes
from extreg.pickles.walking.names import loaded
from extreg.pickles.walking.walker import walk
from extreg.registry.model import Registry
from extreg.registry.target import is_target, split
from extreg.scoped import private
from extreg.scoped.placeholders import placeholder_targets, placeholding
from extreg.scoped.private import Key

INSTALLED: Final[dict[Key, int]] = copyreg._extension_registry  # type: ignore[attr-defined]
_PROTO: Final = 0x80

Callback = Callable[[pickle.PickleBuffer], Any]


class Writer(NamedTuple):
    """``dumps``, with the signature of `pickle.dumps`, and the exceptions of its own that it raises.

    ``Pickler`` is the class to it, None where there is no private instance.  ``codes`` are those that it writes.
    """

    dumps: Callable[..., bytes]
    errors: tuple[type[Exception], ...]
    Pickler: type[pickle.Pickler] | None
    codes: Mapping[Key, int]


def modern(registry: Registry) -> Writer:
    """Return what writes under protocol 4 and later."""
    return _writer(registry, _keys(registry))


def flat(registry: Registry) -> Writer:
    """Return what writes under protocol 3, which loads no nested name from a code."""
    return _writer(registry, {key: code for key, code in _keys(registry).items() if "." not in key[1]})


def legacy(registry: Registry) -> Writer:
    """Return what writes under protocol 2, where Python 2's names for other globals are read as those globals."""
    held = _keys(registry).items()
    return _writer(registry, {key: code for key, code in held if "." not in key[1] and loaded(*key, 2) == key})


def plain(registry: Registry) -> Writer:
    """Return what writes no code: protocols 0 and 1, and 2 with Python 3's names."""
    return _writer(registry, {})


def kind(protocol: int, fix_imports: bool) -> Callable[[Registry], Writer]:
    """Return what makes the writer for a protocol: to be derived from a registry."""
    if protocol > 3 or protocol < 0:
        return modern
    if protocol == 3:
        return flat
    return legacy if protocol == 2 and fix_imports else plain


def _keys(registry: Registry) -> dict[Key, int]:
    """Return the live codes by module and qualified name; an alias has its target's."""
    aliases = {
        split(name): code for code, names in registry.aliases.items() if code in registry.codes for name in names
    }
    # What a load made of its retired codes is written back as that.
    stand_ins = placeholder_targets(registry) if registry.retired else {}
    return aliases | {split(found): code for code, found in {**registry.codes, **stand_ins}.items()}


def _writer(registry: Registry, codes: Mapping[Key, int]) -> Writer:
    made = private.instance(codes, {}) if codes else private.bare()
    if made is not None:
        return Writer(made.dumps, (made.PickleError,), made.Pickler, codes)

    def dumps(
        obj: object, protocol: int | None = None, *, fix_imports: bool, buffer_callback: Callback | None
    ) -> bytes:
        return by_bytes(obj, registry, protocol, fix_imports, buffer_callback, optimize=False)

    return Writer(dumps, (), None, codes)


def by_bytes(
    obj: object,
    registry: Registry,
    protocol: int | None,
    fix_imports: bool,
    buffer_callback: Callback | None,
    *,
    optimize: bool,
) -> bytes:
    """Return `obj` dumped by name, and its names exchanged in the bytes wherever that is shorter."""
    made = private.bare()
    if made is None:
        before = dict(INSTALLED) if INSTALLED else None
        data = pickle.dumps(obj, protocol, fix_imports=fix_imports, buffer_callback=buffer_callback)
        return coded(data, registry, before, fix_imports, optimize=optimize)
    try:
        data = made.dumps(obj, protocol, fix_imports=fix_imports, buffer_callback=buffer_callback)
    except made.PickleError as error:
        problem = private.public(error)
    else:
        return shortest(data, registry, fix_imports)
    raise problem


def shortest(data: bytes, registry: Registry, fix_imports: bool) -> bytes:
    """Return what was dumped by name with codes of `registry`, where the protocol has any."""
    if data[0] != _PROTO or (data[1] < 3 and not fix_imports):
        return data
    return to_codes(data, registry.derived(placeholding) if registry.retired else registry)


def coded(
    data: bytes, registry: Registry, before: dict[Key, int] | None, fix_imports: bool, *, optimize: bool
) -> bytes:
    """Return what the pickler made with codes of `registry` alone; `before` is what was installed when it began.

    Codes that are `registry`'s stay where they are, unless they are to be written once only.
    """
    if data[0] != _PROTO:
        return data  # protocols 0 and 1
    if before or INSTALLED:
        data = _by_name(data, Registry() if optimize else registry, before or {}, fix_imports)
    return shortest(data, registry, fix_imports)


def refuse_other_codes(data: bytes, registry: Registry, before: dict[Key, int] | None, fix_imports: bool) -> None:
    """Raise PicklingError where there are codes in `data` that `registry` does not have for the same globals.

    That is for pickles whose bytes cannot be rewritten, because later ones refer to their places in the memo.
    """
    if data[0] == _PROTO and (before or INSTALLED):
        written = registry.derived(kind(data[1], fix_imports)).codes
        other = [code for code in _codes(data) if not _agree(code, registry, written, before or {})]
        if other:
            raise pickle.PicklingError(
                f"codes installed in this process are not the registry's: {', '.join(map(str, sorted(other)))}"
            )


def _codes(data: bytes) -> set[int]:
    return {event.number for event in walk(data, framing=False) if event.kind == "code" and event.number is not None}


def _by_name(data: bytes, registry: Registry, before: Mapping[Key, int], fix_imports: bool) -> bytes:
    """Return `data` with a name for each code in it, if any is not the one that `registry` has for the same global."""
    used = _codes(data)
    written = registry.derived(kind(data[1], fix_imports)).codes
    if all(_agree(code, registry, written, before) for code in used):
        return data
    targets: dict[int, str] = {}
    for (module, name), code in [*before.items(), *dict(INSTALLED).items()]:
        if code in used and targets.setdefault(code, f"{module}:{name}") != f"{module}:{name}":
            raise pickle.PicklingError(f"the installed codes changed while an object was dumped: {code}")
    installed = Registry(codes={code: found for code, found in targets.items() if is_target(found)})
    named = rewrite(data, installed, to="names")
    if named.left or named.refused or (data[1] < 3 and not fix_imports):
        why = "; ".join([*named.left, *named.refused]) or "Python 3's names under protocol 2"
        raise pickle.PicklingError(f"codes installed in this process cannot be turned into names: {why}")
    return named.data


def _agree(code: int, registry: Registry, written: Mapping[Key, int], before: Mapping[Key, int]) -> bool:
    """Tell whether `code` is `written` for what it stands for in this process and did `before`."""
    key = split(registry.codes[code]) if code in registry.codes else ("", "")
    return written.get(key) == before.get(key) == INSTALLED.get(key) == code
