"""The proof that names which are fetched from the memo are those of the codes that stood there.

It goes by where each opcode of the new pickle stood in the old one.
"""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate
from typing import Final

from extreg.errors import MalformedPickleError
from extreg.pickles.rewriting.plan import Edit, Pickle, Plan
from extreg.pickles.rewriting.recall import GET_WIDTHS, MEMO_WIDTHS
from extreg.pickles.walking.memo import slots, traffic
from extreg.pickles.walking.opcodes import step

# What names a global, that of a nested name with `getattr` included.
_NAMING: Final = frozenset({"SHORT_BINUNICODE", "BINUNICODE", "STACK_GLOBAL", "GLOBAL", "TUPLE2", "REDUCE"})


def follows(pickle: Pickle, plan: Plan, edits: Sequence[Edit], made: bytes) -> bool:
    """Tell whether what is fetched in `made` is what was fetched before, or the global of the code that stood there.

    `made` must be the pickle with `edits`, and refer to what it should.
    """
    was, now = plan.seen or traffic(pickle.data, pickle.begin, pickle.stop), traffic(made, 0, len(made) - 1)
    before, after = slots(was), slots(now)
    codes = {found[1]: found[5] for found in pickle.references if found[0] == "code"}
    if before is None or after is None:
        return False
    if not all(map(_pushes_one, {new for start, _, new in edits if start in codes})):
        return False
    origins = _Origins(pickle, edits)
    holders = {end: codes[start] for start, end, _ in edits if start in codes}
    # Where the opcode stood that fills a slot, if it is an old one, and the code whose global it memoizes, if it does.
    fills: dict[int, tuple[int, int | None]] = {}
    for slot in {slot for _, slot in now.fetched} & after.keys():
        stood, edit = origins.of(after[slot])
        fills[slot] = (stood, holders.get(stood)) if edit is None else (-1, codes.get(edit[0]))
    fetched = dict(was.fetched)
    for at, slot in now.fetched:
        if slot not in fills or after[slot] > at:
            return False
        filler, code = fills[slot]
        stood, edit = origins.of(at)
        if edit is None:
            if before.get(fetched.pop(stood, -1)) != filler:
                return False
        elif code is None or codes.get(edit[0]) != code:
            return False
    return not fetched


class _Origins:
    """Where the opcodes of a new pickle stood in the old one, which `edits` made the new one of."""

    def __init__(self, pickle: Pickle, edits: Sequence[Edit]) -> None:
        changes = accumulate(len(new) - end + start for start, end, new in edits)
        self._pickle, self._edits = pickle, edits
        self._ends = [end - pickle.begin + change for (_, end, _), change in zip(edits, changes, strict=True)]
        self._begins = [end - len(new) for end, (_, _, new) in zip(self._ends, edits, strict=True)]

    def of(self, at: int) -> tuple[int, Edit | None]:
        """Return where what is at `at` of the new pickle stood in the old, and the edit that put it there, if one."""
        nth = bisect_right(self._begins, at) - 1
        if nth < 0:
            return self._pickle.begin + at, None
        edit = self._edits[nth]
        return at - self._ends[nth] + edit[1], edit if at < self._ends[nth] else None


def _pushes_one(opcodes: bytes) -> bool:
    """Tell whether `opcodes` name a global and leave it on the stack, memoized in the end or not, or are a GET."""
    if opcodes[:1] in {b"h", b"j"}:
        return len(opcodes) == GET_WIDTHS[opcodes[0]]
    depth = position = 0
    try:
        while position < len(opcodes) and (found := step(opcodes, position)).opcode.name in _NAMING:
            depth += found.opcode.gives - found.opcode.takes
            position = found.end
    except MalformedPickleError:
        return False
    rest = opcodes[position:]
    return depth == 1 and (not rest or len(rest) == MEMO_WIDTHS.get(rest[0]))
