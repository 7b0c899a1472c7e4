"""What a row of pickles refers to."""

from collections.abc import Mapping
from typing import NamedTuple

from extreg.compiled import core
from extreg.pickles.walking.opcodes import Buffer
from extreg.pickles.walking.walker import flat, patterned


class Scan(NamedTuple):
    """What `scan` found.

    ``globals`` maps a target (``module:qualname``, as it stands in the bytes) to how many opcodes name it, and
    ``codes`` an extension code to how many opcodes bear it; what the memo repeats is not counted again.
    ``unresolved`` are the offsets of the STACK_GLOBAL opcodes whose operands only an execution would tell.
    ``pickles`` says how many pickles stand in a row.

    A pickle may name anything, and whatever has no colon in its module and none in its name is in ``globals``, a
    legal target or not.  With one more colon a target could be read in two ways: such names are in ``odd``, as
    ``(module, name)``.
    """

    globals: Mapping[str, int]
    codes: Mapping[int, int]
    unresolved: tuple[int, ...]
    pickles: int
    odd: Mapping[tuple[str, str], int]


def scan(data: Buffer) -> Scan:
    """Return what the pickles in `data` refer to, without executing anything.

    `data` is bytes, bytearray, a contiguous memoryview or an mmap, and is not copied.  Raises `MalformedPickleError`
    where `data` is not a row of one or more whole pickles; `walk` gives what stands before the fault.  Whether a text
    can be decoded is looked at where it is a name; of the rest an unpickler says it, and `walk`.
    """
    whole = data if type(data) is bytes else flat(data)
    # Half the time of ``Scan(...)``, which counts where a pickle has a hundred bytes.
    return tuple.__new__(Scan, _fields(whole) if core is None else core.scan(whole))


def _fields(
    data: Buffer,
) -> tuple[dict[str, int], dict[int, int], tuple[int, ...], int, dict[tuple[str, str], int]]:
    """Return the fields of the `Scan` of `data`."""
    targets: dict[str, int] = {}
    codes: dict[int, int] = {}
    unresolved = []
    pickles = 0
    odd: dict[tuple[str, str], int] = {}
    for batch in patterned(data, False, decoded=True):
        for kind, offset, _, module, name, number, _ in batch:
            if kind == "stop":
                pickles += 1
            elif module is not None and name is not None:
                if ":" not in module and ":" not in name:
                    target = f"{module}:{name}"
                    targets[target] = targets.get(target, 0) + 1
                else:
                    odd[module, name] = odd.get((module, name), 0) + 1
            elif number is not None:
                codes[number] = codes.get(number, 0) + 1
            else:
                unresolved.append(offset)
    return targets, codes, tuple(unresolved), pickles, odd
