"""What the pickles of a row have to keep for each other, if nothing tells whether they share a memo.

Where no pickle fetches more than it has memoized (`extreg.pickles.carried`), the row looks as if each were on its own.
But under protocols 4 and 5, where MEMOIZE does not say which slot it fills, a GET means one thing then and another if
the memo went on.

Proof that it did not is a global that two pickles name and memoize: a Pickler would have fetched it the second time
(Lib/pickle.py, ``Pickler.save``, looks into the memo first).  So is another protocol.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Final, NamedTuple

from extreg.pickles.memo import Traffic, traffic
from extreg.pickles.opcodes import Buffer
from extreg.pickles.plan import Pickle

_MEMOIZE: Final = 0x94
_SHORT_BINUNICODE: Final = 0x8C
_PUTS: Final = frozenset(b"qr\x94")
# From this protocol on MEMOIZE does not say which slot it fills.
_IMPLICIT: Final = 4
# From so many combinations on it is not worth it to find out which slots somebody may fetch.
_MANY: Final = 50_000


class Bond(NamedTuple):
    """What a pickle has to keep for others of its row that may share its memo.

    With ``pinned`` every slot keeps its number.  ``needed`` are its own slots that have to hold what they do; None for
    all.  With ``foreign`` what it fetches may be another's.
    """

    pinned: bool
    needed: Collection[int] | None
    foreign: bool


# A pickle that is on its own.
FREE: Final = Bond(pinned=False, needed=(), foreign=False)


def bonds(data: Buffer, pickles: Sequence[Pickle]) -> list[Bond]:
    """Return what each of the `pickles` in `data` has to keep; the row must not be carried."""
    found: list[Bond] = []
    run: list[Pickle] = []
    last: dict[tuple[str, str], int] = {}
    first = 0  # of the pickles that this one may share a memo with
    for nth, pickle in enumerate(pickles):
        own = set(_memoized(pickle))
        first = max([first, *(last[name] + 1 for name in own if name in last)])
        if run and (first == nth or pickle.protocol != run[0].protocol):
            found += _bound(data, run)
            run, first = [], nth
        last.update(dict.fromkeys(own, nth))
        run.append(pickle)
    return found + _bound(data, run)


def _bound(data: Buffer, run: Sequence[Pickle]) -> list[Bond]:
    """Return what each pickle of a run has to keep, where each may share a memo with the one before, and so on."""
    # Below protocol 4 a PUT says which slot it fills, and none is touched.
    if len(run) < 2 or run[0].protocol < _IMPLICIT:
        return [FREE] * len(run)
    seen = [traffic(data, pickle.begin, pickle.stop) for pickle in run]
    fetched = {number for found in seen for _, number in found.fetched}
    explicit = any(found.explicit for found in seen)
    bound = []
    for nth, pickle in enumerate(run):
        # Where nothing is named nothing is edited.
        named = any(module is not None for _, _, _, module, *_ in pickle.references)
        needed = () if not named else None if explicit else _needed(seen, nth, fetched)
        bound.append(Bond(pinned=nth < len(run) - 1, needed=needed, foreign=nth > 0))
    return bound


def _needed(seen: Sequence[Traffic], nth: int, fetched: set[int]) -> set[int] | None:
    """Return which of its own slots anybody may fetch, wherever the memo begins: here, or in a pickle before."""
    shifts, shift, last = [0], 0, max(fetched, default=-1)
    for earlier in range(nth - 1, -1, -1):
        shift += len(seen[earlier].filled)
        if shift > last:
            break
        shifts.append(shift)
    if len(shifts) * len(fetched) > _MANY:
        return None
    own = len(seen[nth].filled)
    return {number - shift for number in fetched for shift in shifts if 0 <= number - shift < own}


def _memoized(pickle: Pickle) -> Iterator[tuple[str, str]]:
    """Yield the globals that a pickle names in full and memoizes."""
    data = pickle.data
    for _, offset, opcode, module, name, _, begin in pickle.references:
        if module is None or name is None:
            continue
        end = offset + 1
        if opcode == "GLOBAL":
            end = offset + 3 + len(module.encode()) + len(name.encode())
        elif opcode != "STACK_GLOBAL" or begin is None or not in_full(data, begin):
            continue
        if data[end] in _PUTS:
            yield module, name


def in_full(data: Buffer, begin: int) -> bool:
    """Tell whether the operands that begin at `begin` are both strings, and none is fetched."""
    if data[begin] != _SHORT_BINUNICODE:
        return False
    after = begin + 2 + data[begin + 1]
    return data[after + (data[after] == _MEMOIZE)] == _SHORT_BINUNICODE
