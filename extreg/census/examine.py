"""What one cell holds, without executing anything; a large file that is mapped is read by a process of its own."""

import mmap
import os
import pickle
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple, NoReturn, TypeVar

from extreg.census.counts import Name, plus
from extreg.pickles.tally import Use
from extreg.pickles.walking.opcodes import Buffer
from extreg.stores.envelopes import unwrap
from extreg.stores.inside import read
from extreg.stores.items import Fault, Passed

_Key = TypeVar("_Key")
Look = Callable[[Buffer], "Examined"]
_KILLED = "the process that read it was killed: it was made shorter meanwhile (SIGBUS), or there was no memory left"
# What is said of a cell that killed whoever read it.
KILLED = Fault("", _KILLED)


class Examined(NamedTuple):
    """What is in one cell: ``pickles``, which take ``size`` bytes, what they refer to, and what is wrong.

    ``passed`` is how many things were passed over that may hold pickles, by their kind; ``holds`` is whether it was
    seen that there are pickles which nobody had to count.
    """

    pickles: int
    size: int
    globals: dict[Name, Use]
    codes: dict[int, Use]
    unresolved: int
    faults: list[Fault]
    passed: dict[str, int]
    holds: bool = False


# Of a cell in which there are pickles, and nothing that is looked for.
CLEAR = Examined(0, 0, {}, {}, 0, [], {}, True)


def examine(data: Buffer, *, carve: bool = False) -> Examined:
    """Return what is in a cell."""
    named: dict[Name, Use] = {}
    codes: dict[int, Use] = {}
    faults: list[Fault] = []
    passed: Counter[str] = Counter()
    pickles = size = unresolved = 0
    for item in read(unwrap(data, carve=carve), carve=carve):
        if isinstance(item, Fault):
            faults.append(item)
        elif isinstance(item, Passed):
            passed[item.kind] += 1
        else:
            _, result = item
            pickles += result.pickles
            size += result.whole
            unresolved += result.unresolved
            _join(named, result.globals)
            _join(codes, result.codes)
    return Examined(pickles, size, named, codes, unresolved, faults, passed)


def look_at(data: Buffer, look: Look) -> Examined:
    """Return what `look` finds in a cell; in a process of its own where that is mapped from a file and there is a fork.

    Where somebody makes that file shorter meanwhile, that process is killed (SIGBUS), and the result says so.
    """
    if not isinstance(data, mmap.mmap) or not hasattr(os, "fork"):
        return look(data)
    read, write = os.pipe()
    sys.stdout.flush()
    sys.stderr.flush()
    with warnings.catch_warnings():
        # Of forks beside threads: the others here only wait, and hold nothing that the child needs.
        warnings.simplefilter("ignore", DeprecationWarning)
        child = os.fork()
    if not child:
        os.close(read)
        _answer(write, data, look)
    os.close(write)
    try:
        with os.fdopen(read, "rb") as pipe:
            answer = pipe.read()
    finally:
        _, status = os.waitpid(child, 0)
    if status:
        return Examined(0, 0, {}, {}, 0, [KILLED], {})
    found: Examined | Exception = pickle.loads(answer)  # noqa: S301 - from our own child
    if isinstance(found, Exception):
        raise found
    return found


def _answer(pipe: int, data: Buffer, look: Look) -> NoReturn:
    """Write what is in `data` to the pipe, and end this process, whatever happens."""
    status = 1
    try:
        found: Examined | Exception
        try:
            found = look(data)
        except Exception as error:  # noqa: BLE001 - the parent raises it
            found = error
        with os.fdopen(pipe, "wb") as file:
            file.write(pickle.dumps(found))
        status = 0
    finally:
        os._exit(status)


def _join(uses: dict[_Key, Use], more: dict[_Key, Use]) -> None:
    if not uses:
        uses.update(more)
        return
    for key, use in more.items():
        have = uses.get(key)
        uses[key] = use if have is None else plus(have, use)
