"""What the pickles of a row have to keep for each other, if nothing tells whether they share a memo.

Where no pickle fetches more than it has memoized (`extreg.pickles.walking.carried`), the row looks as if each were on
its own. But under protocols 4 and 5, where MEMOIZE does not say which slot it fills, a GET means one thing then and
another if the memo went on.

Proof that it did not is a global that two pickles name and memoize: a Pickler would have fetched it the second time
(Lib/pickle.py, ``Pickler.save``, looks into the memo first).  So is another protocol.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Container, Iterator, Sequence
from itertools import accumulate
from typing import Final, NamedTuple

from extreg.pickles.rewriting.plan import Pickle
from extreg.pickles.walking.memo import traffic
from extreg.pickles.walking.opcodes import Buffer

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


def bonds(data: Buffer, pickles: Sequence[Pickle], fetching: Container[int]) -> list[Bond]:
    """Return what each of the `pickles` in `data` has to keep; the row must not be carried.

    Those that fetch anything from the memo begin where `fetching` says.
    """
    found: list[Bond] = []
    run: list[Pickle] = []
    last: dict[tuple[str, str], int] = {}
    first = 0  # of the pickles that this one may share a memo with
    for nth, pickle in enumerate(pickles):
        own = set(_memoized(pickle)) if pickle.references else ()
        for name in own:
            first = max(first, last.get(name, -1) + 1)
            last[name] = nth
        if run and (first == nth or pickle.protocol != run[0].protocol):
            found += _bound(data, run, fetching)
            run, first = [], nth
        run.append(pickle)
    return found + _bound(data, run, fetching)


def _bound(data: Buffer, run: Sequence[Pickle], fetching: Container[int]) -> list[Bond]:
    """Return what each pickle of a run has to keep, where each may share a memo with the one before, and so on."""
    # Below protocol 4 a PUT says which slot it fills, and none is touched.
    if len(run) < 2 or run[0].protocol < _IMPLICIT:
        return [FREE] * len(run)
    # Where nothing is named nothing is edited.
    named = [nth for nth, pickle in enumerate(run) if any(found[3] is not None for found in pickle.references)]
    needed = _needed(data, run, named, fetching) if named else {}
    return [Bond(pinned=nth < len(run) - 1, needed=needed.get(nth, ()), foreign=nth > 0) for nth in range(len(run))]


def _needed(
    data: Buffer, run: Sequence[Pickle], named: Sequence[int], fetching: Container[int]
) -> dict[int, Collection[int] | None]:
    """Return which of its own slots anybody may fetch from each of `named`, wherever the memo begins: there, or in a
    pickle before.
    """
    if not any(pickle.begin in fetching for pickle in run):
        return {}
    seen = [traffic(data, pickle.begin, pickle.stop) for pickle in run]
    fetched = {number for found in seen for _, number in found.fetched}
    if any(found.explicit for found in seen):
        return dict.fromkeys(named)
    # Where in the row a memo may begin, told by how many slots are filled up to there.
    totals = list(accumulate((len(found.filled) for found in seen), initial=0))
    begins, highest = sorted(set(totals)), max(fetched)
    needed: dict[int, Collection[int] | None] = {}
    for nth in named:
        total, own = totals[nth], range(len(seen[nth].filled))
        near = begins[bisect_left(begins, total - highest) : bisect_right(begins, total)]
        if len(near) * len(fetched) > _MANY:
            needed[nth] = None
        else:
            needed[nth] = {slot for begin in near for number in fetched if (slot := begin + number - total) in own}
    return needed


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
