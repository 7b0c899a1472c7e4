"""The short way for small pickles: one pattern proves that a pickle refers to nothing but what has been loaded before.

Such a pickle needs no confined unpickler.  On a private instance of pickle's C module the codes are in the instance's
cache; elsewhere they are spelled out, as a GLOBAL each, and pickle's own ``loads`` finds the names.
"""

import sys
from collections.abc import Callable, Mapping
from re import Match
from types import ModuleType
from typing import Any, Final, NamedTuple

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
    there is any, has made of the match what is to be loaded; that is empty where it is not to be loaded this way.
    ``watched`` are what the globals were, which have to be `current`.
    """

    proves: patterns.Match
    loads: Callable[..., Any]
    spelled: Callable[["Match[bytes]"], bytes] | None
    errors: tuple[type[Exception], ...]
    watched: list[Watched]


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
    if made is None:
        proves = patterns.harmless(ordered, names)
        return Quick(proves, engines.loads, _speller(codes), (), watch(found))
    made.resolved.update((code, found[name]) for code, name in codes.items())
    return Quick(patterns.harmless(ordered, names), made.loads, None, (made.PickleError,), watch(found))


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
        done = 2
        if data[2] == _FRAME:
            # It would be too short, and a large one that is wrong is for the unpickler to find.
            if int.from_bytes(data[3:_HEAD], "little") != len(data) - _HEAD:
                return b""
            done = _HEAD
        pieces = [data[:2]]
        for start, stop in places:
            pieces += data[done:start], spelled[data[start:stop]]
            done = stop
        pieces.append(data[done:])
        return b"".join(pieces)

    return spell
