"""The short way for small pickles: one pattern proves that a pickle refers to nothing but what has been loaded before.

Such a pickle needs no confined unpickler.  On a private instance of pickle's C module the codes are in the instance's
cache; elsewhere they are spelled out, as a GLOBAL each, and pickle's own ``loads`` finds the names.
"""

import sys
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from re import Match
from types import ModuleType
from typing import Any, Final, NamedTuple

from extreg.compiled import core
from extreg.pickles import engines
from extreg.pickles.walking import patterns
from extreg.pickles.walking.names import loaded
from extreg.scoped import private

Name = tuple[str, str]
# The name of a module, the module, its dictionary, and names in it with what they were.
Watched = tuple[str, ModuleType | None, Mapping[str, object], list[tuple[str, object]]]

# How many globals are looked at before each load, to see whether they are still what a module holds.
MOST: Final = 16
_FRAME: Final = 0x95
_EXT1, _EXT2, _EXT4 = 0x82, 0x83, 0x84
_HEAD: Final = 11


class Quick(NamedTuple):
    """What loads small pickles that refer to nothing but some globals.

    ``proves`` matches what may be given to ``loads``, which is confined to nothing: to it alone, after ``spelled``, if
    there is any, has made of the match what is to be loaded; that is empty where it is not to be loaded this way.  For
    the match, the compiled core returns the bytes themselves, in a tuple if there is something to be spelled.
    ``watched`` are what the globals were, which have to be `current`; the core looks at that, too.  ``known`` are the
    codes and names it is for.
    """

    proves: Callable[[bytes], Any]
    loads: Callable[..., Any]
    spelled: Callable[[Any], bytes] | None
    errors: tuple[type[Exception], ...]
    watched: list[Watched]
    known: tuple[tuple[int, ...], tuple[Name, ...]]


def watch(found: Mapping[Name, object]) -> list[Watched]:
    """Return what `current` takes for globals and what they were found to be."""
    watched: dict[str, Watched] = {}
    for (module, name), it in found.items():
        if module not in watched:
            held = sys.modules.get(module)
            watched[module] = module, held, getattr(held, "__dict__", {}), []
        watched[module][-1].append((name, it))
    return list(watched.values())


def current(watched: list[Watched]) -> bool:
    """Tell whether all that is `watched` still is what its module holds, none having been reloaded since."""
    modules = sys.modules
    try:
        for path, module, names, inner in watched:
            if modules[path] is not module:
                return False
            for name, found in inner:
                if names[name] is not found:
                    return False
    except KeyError:
        return False
    return True


def quick(seen: Mapping[Name, object], held: Mapping[int, Name]) -> Quick | None:
    """Return the short way for pickles of the globals in `seen`, by name or by the codes that `held` has for them.

    None if there is none.
    """
    found = {name: it for name, it in list(dict(seen).items())[-MOST:] if _is_plain(name)}
    if not found:
        return None
    codes = {code: name for code, name in held.items() if name in found}
    ordered, names = tuple(sorted(codes)), tuple(sorted(found))
    made = private.instance({}, {})
    watched = watch(found)
    proves = patterns.harmless(ordered, names) if core is None else _proof(codes, names, watched)
    if made is None:
        speller: Callable[[Any], bytes] = _speller(codes) if core is None else _core_speller(codes, names)
        return Quick(proves, engines.loads, speller, (), watched, (ordered, names))
    made.resolved.update((code, found[name]) for code, name in codes.items())
    return Quick(proves, made.loads, None, (made.PickleError,), watched, (ordered, names))


def key_of(name: Name) -> bytes:
    """Return what stands for a global in the compiled core."""
    assert core is not None
    key: bytes = core.key(name[0].encode(), name[1].encode())
    return key


def _proof(
    codes: Mapping[int, Name], names: Iterable[Name], watched: list[Watched]
) -> "partial[bytes | tuple[bytes] | None]":
    """Return what `patterns.harmless` and `current` do together, by the compiled core."""
    assert core is not None
    return partial(core.proves, frozenset(map(key_of, names)), _spelling(codes), watched)


def _spelling(codes: Mapping[int, Name]) -> dict[int, bytes]:
    return {code: f"c{module}\n{name}\n".encode() for code, (module, name) in codes.items()}


def _core_speller(codes: Mapping[int, Name], names: Iterable[Name]) -> Callable[[tuple[bytes]], bytes]:
    """Return what `_speller` does, by the compiled core."""
    assert core is not None
    keys, spelled, look = frozenset(map(key_of, names)), _spelling(codes), core.check

    def spell(match: tuple[bytes]) -> bytes:
        (data,) = match
        _, places, _ = look(data, keys, spelled, False, True, True)
        return _pieced(data, [(start, start + width, new) for start, width, new in places])

    return spell


def _pieced(data: bytes, places: Iterable[tuple[int, int, bytes]]) -> bytes:
    """Return `data` with other bytes at `places`, and without its FRAME; empty where that is wrong."""
    done = 2
    if data[2] == _FRAME:
        # It would be too short, and a large one that is wrong is for the unpickler to find.
        if int.from_bytes(data[3:_HEAD], "little") != len(data) - _HEAD:
            return b""
        done = _HEAD
    pieces = [data[:2]]
    for start, stop, new in places:
        pieces += data[done:start], new
        done = stop
    pieces.append(data[done:])
    return b"".join(pieces)


def _is_plain(name: Name) -> bool:
    """Tell whether every unpickler finds in a module's dictionary what it is asked for by `name`."""
    module, inner = name
    return type(sys.modules.get(module)) is ModuleType and "." not in inner and loaded(module, inner, 2) == name


def _speller(codes: Mapping[int, Name]) -> Callable[["Match[bytes]"], bytes]:
    """Return what makes a pickle of names of a match of one with `codes`."""
    spelled = {patterns.opcode_of(code): f"c{module}\n{name}\n".encode() for code, (module, name) in codes.items()}

    def spell(match: "Match[bytes]") -> bytes:
        data = match.string
        if not (_EXT1 in data or _EXT2 in data or _EXT4 in data):
            return data
        places = [found.span(1) for found in patterns.coding()(data, 2, match.end()) if found.lastindex]
        return _pieced(data, [(start, stop, spelled[data[start:stop]]) for start, stop in places])

    return spell
