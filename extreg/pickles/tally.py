"""What a row of pickles refers to, in how many of them and for how many bytes; as much as can be read of it."""

from typing import NamedTuple, TypeVar

from extreg.errors import MalformedPickleError
from extreg.pickles.opcodes import Buffer
from extreg.pickles.walker import walk

_Key = TypeVar("_Key")
_NONE = (0, 0)
_WIDTHS = {"EXT1": 2, "EXT2": 3, "EXT4": 5}


class Use(NamedTuple):
    """``pickles`` refer to something by ``references`` opcodes that take ``bytes``, their operands included."""

    pickles: int
    references: int
    bytes: int


class Tally(NamedTuple):
    """``globals``, by module and name as they stand in the bytes, and ``codes``; how many references are
    ``unresolved``; the ``pickles`` and the bytes they take (``whole``); and the ``fault`` that follows them, if any.
    """

    globals: dict[tuple[str, str], Use]
    codes: dict[int, Use]
    unresolved: int
    pickles: int
    whole: int
    fault: MalformedPickleError | None


def tally(data: Buffer) -> Tally:
    """Return what the whole pickles in `data` refer to, and what is wrong after them."""
    named: dict[tuple[str, str], Use] = {}
    codes: dict[int, Use] = {}
    unresolved = pending = pickles = whole = 0
    # References and bytes in the pickle at hand: a pickle that is cut short is not counted.
    names_here: dict[tuple[str, str], tuple[int, int]] = {}
    codes_here: dict[int, tuple[int, int]] = {}
    fault = None
    try:
        for kind, offset, opcode, module, name, number, begin in walk(data, framing=False):
            if kind == "stop":
                _add(named, names_here)
                _add(codes, codes_here)
                unresolved, pending = unresolved + pending, 0
                pickles += 1
                whole = offset + 1
            elif module is not None and name is not None:
                # Operands that do not stand right in front of a STACK_GLOBAL are there for other reasons too.
                size = offset + 1 - begin if begin is not None else _size(opcode, module, name)
                references, before = names_here.get((module, name), _NONE)
                names_here[module, name] = references + 1, before + size
            elif number is not None:
                references, before = codes_here.get(number, _NONE)
                codes_here[number] = references + 1, before + _WIDTHS[opcode]
            else:
                pending += 1
    except MalformedPickleError as error:
        fault = error
    return Tally(named, codes, unresolved, pickles, whole, fault)


def _size(opcode: str, module: str, name: str) -> int:
    return 1 if opcode == "STACK_GLOBAL" else 3 + len(module.encode()) + len(name.encode())


def _add(uses: dict[_Key, Use], here: dict[_Key, tuple[int, int]]) -> None:
    """Add what one pickle refers to, and forget it."""
    for key, (references, size) in here.items():
        have = uses.get(key)
        uses[key] = (
            Use(1, references, size)
            if have is None
            else Use(have.pickles + 1, have.references + references, have.bytes + size)
        )
    here.clear()
