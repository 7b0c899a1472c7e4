"""What a row of pickles refers to, in how many of them and for how many bytes; as much as can be read of it."""

from collections.abc import Iterator
from functools import partial
from itertools import chain
from typing import NamedTuple, TypeVar

from extreg.compiled import core
from extreg.errors import MalformedPickleError
from extreg.pickles.walking.opcodes import EXTENSION_WIDTHS, Buffer
from extreg.pickles.walking.walker import batches, flat, patterned

_Key = TypeVar("_Key")
_PROTO = 0x80
_PROTOCOLS = range(2, 6)
# How many fields the core returns of what is not whole.
_FAULTY = 2


class Use(NamedTuple):
    """``pickles`` refer to something by ``references`` opcodes that take ``bytes``, their operands included."""

    pickles: int
    references: int
    bytes: int


# Of a tuple of the three, in a third of the time of `Use._make`.
_use = partial(tuple.__new__, Use)


class Tally(NamedTuple):
    """``globals``, by module and name as they stand in the bytes, and ``codes``; how many references are
    ``unresolved``; the ``pickles`` and the bytes they take (``whole``); the ``fault`` that follows them, if any; and
    how many of them are ``marked``, by a PROTO of 2 to 5 at their beginning.
    """

    globals: dict[tuple[str, str], Use]
    codes: dict[int, Use]
    unresolved: int
    pickles: int
    whole: int
    fault: MalformedPickleError | None
    marked: int = 0


def tally(data: Buffer) -> Tally:
    """Return what the whole pickles in `data` refer to, and what is wrong after them."""
    data = flat(data)
    if core is None:
        return _tally(data)
    found = core.count(data, _use)
    return _without_the_rest(data, *found) if len(found) == _FAULTY else tuple.__new__(Tally, found)


def _tally(data: Buffer) -> Tally:
    # By reference: in how many pickles, the last of them, references, bytes.
    named: dict[tuple[str, str], list[int]] = {}
    codes: dict[int, list[int]] = {}
    unresolved = pickles = whole = marked = 0
    try:
        for kind, offset, opcode, module, name, number, begin in chain.from_iterable(patterned(data, False)):
            if kind == "stop":
                pickles += 1
                marked += data[whole] == _PROTO and data[whole + 1] in _PROTOCOLS
                whole = offset + 1
                continue
            if module is not None and name is not None:
                entry = named.get((module, name)) or named.setdefault((module, name), [0, -1, 0, 0])
                # Operands that do not stand right in front of a STACK_GLOBAL are there for other reasons too.
                entry[3] += offset + 1 - begin if begin is not None else _size(opcode, module, name)
            elif number is not None:
                entry = codes.get(number) or codes.setdefault(number, [0, -1, 0, 0])
                entry[3] += EXTENSION_WIDTHS[opcode]
            else:
                unresolved += 1
                continue
            entry[2] += 1
            if entry[1] != pickles:
                entry[0] += 1
                entry[1] = pickles
    except MalformedPickleError as error:
        return _without_the_rest(data, whole, error)
    return Tally(_uses(named), _uses(codes), unresolved, pickles, whole, None, marked)


def beginnings(data: Buffer) -> Iterator[int]:
    """Yield where the pickles in `data`, all of them whole, begin, and where the last one ends."""
    yield 0
    for kind, offset, *_ in chain.from_iterable(batches(flat(data), False)):
        if kind == "stop":
            yield offset + 1


def _without_the_rest(data: Buffer, whole: int, fault: MalformedPickleError) -> Tally:
    """Count again, up to the pickle that is cut short: what it refers to is in none that anybody can load."""
    if not whole:
        return Tally({}, {}, 0, 0, 0, fault)
    with memoryview(data) as view, view[:whole] as sound:
        return tally(sound)._replace(fault=fault)


def _size(opcode: str, module: str, name: str) -> int:
    return 1 if opcode == "STACK_GLOBAL" else 3 + len(module.encode()) + len(name.encode())


def _uses(entries: dict[_Key, list[int]]) -> dict[_Key, Use]:
    return {key: Use(pickles, references, size) for key, (pickles, _, references, size) in entries.items()}
