"""What a row of pickles refers to, in how many of them and for how many bytes; as much as can be read of it."""

from typing import NamedTuple, TypeVar

from extreg.errors import MalformedPickleError
from extreg.pickles.events import Event
from extreg.pickles.opcodes import Buffer
from extreg.pickles.walker import walk

_Key = TypeVar("_Key")
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
    # By reference: in how many pickles, the last of them, references, bytes.
    named: dict[tuple[str, str], list[int]] = {}
    codes: dict[int, list[int]] = {}
    unresolved = pending = pickles = whole = 0
    current: list[Event] = []
    fault = None
    try:
        for event in walk(data, framing=False):
            kind = event.kind
            if kind == "stop":
                for found in current:
                    if found.module is not None and found.name is not None:
                        _count(named.setdefault((found.module, found.name), [0, -1, 0, 0]), pickles, _size(found))
                    else:
                        _count(codes.setdefault(found.number or 0, [0, -1, 0, 0]), pickles, _WIDTHS[found.opcode])
                current.clear()
                unresolved, pending = unresolved + pending, 0
                pickles += 1
                whole = event.offset + 1
            elif kind == "unresolved":
                pending += 1
            else:
                current.append(event)
    except MalformedPickleError as error:
        fault = error
    return Tally(_uses(named), _uses(codes), unresolved, pickles, whole, fault)


def _count(entry: list[int], pickle: int, size: int) -> None:
    entry[0] += entry[1] != pickle
    entry[1] = pickle
    entry[2] += 1
    entry[3] += size


def _size(event: Event) -> int:
    if event.opcode == "STACK_GLOBAL":
        # Operands that stand elsewhere are there for other reasons too.
        return event.offset + 1 - (event.begin if event.begin is not None else event.offset)
    return 3 + len((event.module or "").encode()) + len((event.name or "").encode())


def _uses(entries: dict[_Key, list[int]]) -> dict[_Key, Use]:
    return {key: Use(pickles, references, size) for key, (pickles, _, references, size) in entries.items()}
