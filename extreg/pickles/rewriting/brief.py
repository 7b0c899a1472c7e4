"""Names to codes in one small message: a pattern takes it apart, and what it is put together to is taken apart again.

What may stand here is what picklers write into small messages, with texts in ASCII.  Anything else, and whatever cannot
be proved, is left to `extreg.pickles.rewriting.rewriter.rewrite`.  A result has no frame, and fills no slot of the memo
that is not fetched.
"""

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Final

from extreg.pickles.rewriting.frames import UNFRAMED
from extreg.pickles.rewriting.linear import is_to_change, renumbered
from extreg.pickles.walking import patterns
from extreg.pickles.walking.names import dumped, loaded
from extreg.pickles.walking.patterns import opcode_of
from extreg.registry.model import Registry
from extreg.registry.target import split

_PROTO, _FRAME = 0x80, 0x95
_FRAMED: Final = 11
_FRAME_WIDTH: Final = 9
_MODERN: Final = 4
# PROTO, a frame's length and STOP, and something between them.
_LEAST: Final = 13
_BYTE: Final = 1 << 8
_NOTHING: Final = (b"", b"", b"")
_PUTS: Final = frozenset(b"qr")
_GETS: Final = frozenset(b"hj")

# The rest of a pickle, taken apart by one of the patterns.
_Parts = list[tuple[bytes, bytes, bytes]]


def brief(data: bytes, registry: Registry) -> bytes | None:
    """Return the one pickle that `data` is with live codes for names; None if that is for others to do."""
    size = len(data)
    if not _LEAST <= size <= UNFRAMED or data[0] != _PROTO or not 2 <= data[1] <= 5:
        return None
    start, protocol = 2, data[1]
    if data[2] == _FRAME:
        start = _FRAMED
        if int.from_bytes(data[start - _FRAME_WIDTH + 1 : start], "little") != size - start:
            return None
    if protocol < _MODERN:
        return _old(data, start, registry, protocol)
    found = _forgotten(data, start, registry)
    return renumbered(data, start, registry) if found is None else found


def _forgotten(data: bytes, start: int, registry: Registry) -> bytes | None:
    """Return a pickle of protocol 4 or 5 without its memo, if that is not in use and there is no such byte besides."""
    findall = patterns.brief()
    codes, expected, total = registry.derived(_modern), [], start
    named = stops = 0
    for run, name, other in findall(data, start):
        total += len(run) + len(name) + len(other)
        run = run.translate(None, b"\x94")
        if not name:
            stops += other == b"."
            expected.append((run, b"", other))
        elif name in codes:
            named += 1
            expected.append((run, b"", codes[name]))
        else:
            module, word = strings(name)
            if _is_to_change((module, word), registry, _MODERN):
                return None
            expected.append((run, b"\x8c%c%s\x8c%c%s\x93" % (len(module), module, len(word), word), b""))
    if total != len(data) or stops != 1 or expected[-1][2] != b".":
        return None
    if not named:
        return data
    made = data[:2] + b"".join(chain.from_iterable(expected))
    return made if findall(made, 2) == expected else None


def strings(name: bytes) -> tuple[bytes, bytes]:
    """Return the two strings of a reference by both."""
    after = 2 + name[1]
    second = after + 2 + (name[after] == 0x94)
    return name[2:after], name[second : second + name[second - 1]]


def _modern(registry: Registry) -> dict[bytes, bytes]:
    """Return the opcodes for each live code by those that picklers and `pickletools.optimize` write for the name."""
    found = {}
    for code, target in registry.codes.items():
        module, name = (part.encode() for part in split(target))
        if len(module) < _BYTE and len(name) < _BYTE:
            for memo in (b"\x94", b""):
                parts = len(module), module, memo, len(name), name, memo
                found[b"\x8c%c%s%s\x8c%c%s%s\x93" % parts] = opcode_of(code)
    return found


def _old(data: bytes, start: int, registry: Registry, protocol: int) -> bytes | None:
    """Return a pickle of protocol 2 or 3 without PUTs of what is not fetched."""
    findall, codes = patterns.brief_old(), registry.derived(_legacy if protocol < 3 else _plain)
    found: _Parts = findall(data, start)
    runs, memos, ends = zip(*found, strict=True) if found else ((), (), ())
    memo = b"".join(memos)
    if len(b"".join(chain(runs, ends))) + len(memo) + start != len(data):
        return None
    # Where nothing but BINPUT is there, as most often, no slot is fetched, and no time is lost on each.
    fetching = memo[::2] != b"q" * (len(memo) // 2)
    memos = _needed(memos) if fetching else (b"",) * len(memos)
    expected: _Parts = []
    done = named = 0
    for nth, end in enumerate(ends):
        kept = memos[nth]
        if not end and not kept:
            continue
        code = codes.get(end)
        if code is not None:
            named += 1
        elif end[:1] == b"c" and _is_to_change(end[1:-1].split(b"\n"), registry, protocol):
            return None
        expected.append((b"".join(runs[done : nth + 1]), kept, code or end))
        done = nth + 1
    if not expected or expected[-1][2] != b"." or ends.count(b".") != 1 or any(runs[done:]):
        return None
    if not named:
        return data
    made = data[:2] + b"".join(chain.from_iterable(expected))
    again = [part for part in findall(made, 2) if part != _NOTHING]
    return made if again == expected and _is_filled(expected) else None


def _needed(memos: Sequence[bytes]) -> tuple[bytes, ...]:
    """Return PUTs and GETs, and nothing in the place of PUTs of what is not fetched."""
    fetched = {_number(memo) for memo in memos if memo and memo[0] in _GETS}
    return tuple(memo if memo and (memo[0] in _GETS or _number(memo) in fetched) else b"" for memo in memos)


def _is_filled(parts: _Parts) -> bool:
    """Tell whether everything that is fetched has been put into its slot before."""
    put = set()
    for _, memo, _ in parts:
        if memo and memo[0] in _PUTS:
            put.add(_number(memo))
        elif memo and _number(memo) not in put:
            return False
    return True


def _number(opcode: bytes) -> int:
    return int.from_bytes(opcode[1:], "little")


def _is_to_change(name: Sequence[bytes], registry: Registry, protocol: int) -> bool:
    """Tell whether that is a name in whose place something else belongs, or none that can be read."""
    try:
        module, word = (str(part, "utf-8", "surrogatepass" if protocol >= _MODERN else "strict") for part in name)
    except UnicodeDecodeError:
        return True
    return is_to_change(":".join(loaded(module, word, protocol)), registry)


def _legacy(registry: Registry) -> dict[bytes, bytes]:
    return dict(_lines(registry, 2))


def _plain(registry: Registry) -> dict[bytes, bytes]:
    return dict(_lines(registry, 3))


def _lines(registry: Registry, protocol: int) -> Iterator[tuple[bytes, bytes]]:
    """Yield how a GLOBAL names what has a live code, and the opcode for that."""
    for code, target in registry.codes.items():
        module, name = split(target)
        spelled = dumped(module, name, protocol)
        # Nested names are for later protocols, and some names were another global's in Python 2.
        if "." not in name and spelled is not None and loaded(module, name, protocol) == (module, name):
            yield b"c%s\n%s\n" % (spelled[0].encode(), spelled[1].encode()), opcode_of(code)
