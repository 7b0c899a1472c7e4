"""What a registry permits, and the check of a pickle against it."""

import os
import pickle
import shlex
from codecs import lookup
from collections.abc import Iterable
from functools import cache, partial
from typing import Final, NamedTuple

from extreg.compiled import core
from extreg.errors import ForbiddenGlobalError, Offender
from extreg.pickles.walking.machine import Slots, interpret
from extreg.pickles.walking.names import loaded, target
from extreg.pickles.walking.opcodes import EXTENSION_WIDTHS
from extreg.pickles.walking.patterns import of_codes
from extreg.pickles.walking.walker import Found, batches
from extreg.registry.dangerous import danger
from extreg.registry.model import Registry
from extreg.registry.target import split
from extreg.scoped.basics import BASICS
from extreg.scoped.confined import Confined
from extreg.scoped.others import Others
from extreg.scoped.quick import Name, Quick, key_of, quick

_PROTO: Final = 0x80
# Below this size, a pickle is copied sooner than it is cut.
SMALL: Final = 1 << 14
_MODERN: Final = frozenset(bytes((_PROTO, protocol)) for protocol in range(3, 256))
# The module that stands for codes where they have to be spelled out, which no pickle can know.
_BY_CODE: Final = os.urandom(16).hex()
# Up to this size a pickle may be proved by one pattern, which takes a while to make: after so many of them.
SHORT: Final = 1 << 11
_PAYS: Final = 32
_MOST_KNOWN: Final = 1024
_LIKE_ASCII: Final = frozenset({"ascii", "utf-8", "iso8859-1", "cp1252"})


# The end of a pickle, its codes and its FRAMEs, as in `Checked`.
_Looked = tuple[int, list[tuple[int, int, bytes]], list[tuple[int, int]]]


class Checked(NamedTuple):
    """A pickle that refers to nothing forbidden, in ``data[:end]``, and the unpickler for its kind of names.

    ``codes`` are places that an unpickler with no codes needs spelled out: offset, width, and what to put there.
    ``frames`` are where its FRAMEs stand and how long they say they are, where that was looked for.
    """

    data: bytes
    end: int
    codes: list[tuple[int, int, bytes]]
    frames: list[tuple[int, int]]
    unpickler: type[pickle.Unpickler]


class Permits:
    """The allow-list of one registry: its live and load-only targets, under all their names, and `BASICS`.

    Made once for each registry and kept with it.
    """

    __slots__ = (
        "_confined",
        "_held",
        "_keys",
        "_known",
        "_make",
        "_names",
        "_others",
        "_pays",
        "_registry",
        "_short",
        "_spelled",
        "quick",
    )

    def __init__(self, registry: Registry) -> None:
        held = {code: split(target) for code, target in {**registry.load_only, **registry.codes}.items()}
        self._registry = registry
        self._names: frozenset[Name] = frozenset([*held.values(), *BASICS])
        # What stands for a code in the bytes that are loaded: a GLOBAL, which takes no place in the memo.
        self._spelled = {code: b"c%s\n%d\n" % (_BY_CODE.encode(), code) for code in held}
        names = {name: name for name in self._names} | {(_BY_CODE, str(code)): held[code] for code in held}
        # The same for the compiled core: by Python 2's spelling of names, and by today's.
        self._keys = None if core is None else (_keys(self._names, 2), _keys(self._names, 3))
        self._others = Others(registry, frozenset(held.values()))
        # Codes that are permitted need not be told of a large pickle, where the unpickler has them itself.
        self._known = of_codes(held) if len(held) <= _MOST_KNOWN else b""
        self._make = partial(Confined, held, names, self._others, _refusal)
        self._confined = self._make()
        self._held = held
        self._short, self._pays = 0, _PAYS
        # None until it pays, and once what it loads was reloaded.
        self.quick: Quick | None = None

    def confined(self) -> Confined:
        """Return the unpicklers for one load.

        Where a class has been reloaded they are new ones: those that other threads load with are left to them.
        """
        confined = self._confined
        if confined.resolved and not confined.current():
            confined = self._confined = self._make()
            self.quick = None
            self._short, self._pays = 0, _PAYS
        return confined

    def short(self, confined: Confined) -> None:
        """Take note that a small pickle was loaded the long way, by `confined`; after so many, there is a short one."""
        self._short += 1
        if self._short >= self._pays:
            self._short = 0
            self._pays *= 2
            made = quick(confined.seen, self._held)
            if made is not None and (self.quick is None or made.known != self.quick.known):
                self.quick = made

    def check(self, data: bytes, *, fix_imports: bool, encoding: str = "ASCII", memo: Slots | None = None) -> Checked:
        """Return the first pickle in `data`, fit to be loaded by an unpickler with this ``encoding``.

        `memo` is what those before it have left in the memo, if it may refer to them.

        Raises `ForbiddenGlobalError` naming all that is not permitted, `MalformedPickleError`, and EOFError where
        `data` is empty; imports nothing.
        """
        if not data:
            raise EOFError("Ran out of input")  # as pickle has it: loops over a file end with it
        legacy = is_legacy(data, fix_imports)
        ascii_strings = _reads_ascii(encoding)
        found = self._core_look(data, legacy) if ascii_strings and memo is None else None
        end, codes, frames = found or self._look(data, _protocol_of(data) if legacy else 3, ascii_strings, memo)
        confined = self.confined()
        return Checked(data, end, codes, frames, confined.legacy if legacy else confined.modern)

    def _core_look(self, data: bytes, legacy: bool) -> _Looked | None:
        """Return what `_look` does, by the compiled core; None if there is none, or something to be refused."""
        if core is None or self._keys is None:
            return None
        spelling = not self._confined.private
        framing = spelling and len(data) >= SMALL
        found: _Looked | None = core.check(data, self._keys[not legacy], self._spelled, framing, spelling, not spelling)
        return found

    def _look(self, data: bytes, protocol: int, ascii_strings: bool, memo: Slots | None) -> _Looked:
        """Return the end of the first pickle in `data`, its codes and its FRAMEs.

        Raises `ForbiddenGlobalError` for all that is not permitted.
        """
        names, spelled, today = self._names, self._spelled, self._others.today
        codes: list[tuple[int, int, bytes]] = []
        frames: list[tuple[int, int]] = []
        forbidden: dict[object, list[int]] = {}
        offset = -1
        large, known = len(data) >= SMALL, self._known if self._confined.private else b""
        found: Iterable[Iterable[Found]]
        if ascii_strings and memo is None:
            # The unpickler that reads the same bytes next decodes its texts.
            found = batches(data, large, True, known=known if large else b"", decoded=self._confined.private)
        else:
            found = [interpret(data, ascii_strings=ascii_strings, memo=memo)]
        for batch in found:
            for kind, offset, opcode, module, name, number, _ in batch:
                if module is not None and name is not None:
                    actual = (module, name) if protocol >= 3 else loaded(module, name, protocol)
                    if actual not in names and today(actual) is None:
                        forbidden.setdefault((module, name), []).append(offset)
                elif kind == "code" and number in spelled:
                    codes.append((offset, EXTENSION_WIDTHS[opcode], spelled[number]))
                elif kind == "code" or kind == "unresolved":
                    forbidden.setdefault(number, []).append(offset)
                elif kind == "frame":
                    frames.append((offset, number or 0))
        if forbidden:
            raise ForbiddenGlobalError(
                tuple(self._offender(key, offsets, protocol) for key, offsets in forbidden.items())
            )
        # The last of all was its STOP.
        return offset + 1, codes, frames

    def _offender(self, key: object, offsets: list[int], protocol: int) -> Offender:
        places = tuple(offsets)
        if isinstance(key, tuple):
            module, name = key
            actual = loaded(module, name, protocol)
            what = ":".join(map(_printable, key))
            if actual != key:
                what += f" (that is {':'.join(map(_printable, actual))})"
            return _global(what, actual, places)
        if key is None:
            what = "a global named in a way that only an execution would tell"
            return Offender(what, places, None, "nothing permits it")
        retired = self._registry.retired.get(key) if isinstance(key, int) else None
        if retired is not None:
            # A code that is added for the target again is another one, and so permits nothing here.
            known = danger(retired)
            cure = _PLACEHOLDERS if known is None else f"nothing should permit it: {known.why}"
            return Offender(f"code {key}, retired, which was {retired}", places, retired, cure)
        cure = "unknown to this registry; load with the one it was dumped with"
        return Offender(f"code {key}", places, None, cure)


def _keys(names: frozenset[Name], protocol: int) -> frozenset[bytes]:
    """Return what stands for `names` in the core, as far as a pickle of `protocol` spells them as they are."""
    return frozenset(key_of(name) for name in names if loaded(*name, protocol) == name)


@cache
def _reads_ascii(encoding: str) -> bool:
    """Tell whether an unpickler reads ASCII in Python 2's byte strings as what it is.

    So it is in what anybody uses: the default, those which Python 2's pickles need, and ``"bytes"``, with which such a
    string is no name. EBCDIC, UTF-7 and the like make other names of the same bytes than were checked.
    """
    try:
        return encoding == "bytes" or lookup(encoding).name in _LIKE_ASCII
    except LookupError:
        return False  # the unpickler says so


def _global(what: str, name: Name, offsets: tuple[int, ...]) -> Offender:
    spelled = target(*name)
    return Offender(what, offsets, spelled, _cure(spelled))


def _cure(spelled: str | None) -> str:
    """Return the command that would permit a target, unless nobody should type it."""
    if spelled is None:
        return "no registry can hold this name"
    known = danger(spelled)
    return f"extreg add {shlex.quote(spelled)}" if known is None else f"nothing should permit it: {known.why}"


_PLACEHOLDERS: Final = 'retired for good; loads(..., retired="placeholder") puts in its place what runs nothing'


def _printable(text: str) -> str:
    return text if text.isprintable() and len(text) < 200 else ascii(text[:200])


def _refusal(module: str, name: str) -> ForbiddenGlobalError:
    return ForbiddenGlobalError((_global(":".join(map(_printable, (module, name))), (module, name), ()),))


def _protocol_of(data: bytes) -> int:
    return data[1] if data[0] == _PROTO and len(data) > 1 else 0


def is_legacy(data: bytes, fix_imports: bool) -> bool:
    """Tell whether names in `data` are Python 2's.

    A PROTO further on changes nothing, for no unpickler here asks for it.
    """
    return fix_imports and data[:2] not in _MODERN


def permits_of(registry: Registry) -> Permits:
    """Return the permits of `registry`; raise TypeError for what is none."""
    if not isinstance(registry, Registry):
        raise TypeError(f"expected a Registry (see Registry.load), found {type(registry).__name__}")
    return registry.derived(Permits)
