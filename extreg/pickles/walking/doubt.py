"""How far to believe what a pickle fetches from the memo, if others stand in front of it.

Where a row is carried (`extreg.pickles.walking.carried`), nobody knows what is fetched.  Where two pickles name a
global in full and memoize it, or have different protocols, no Pickler wrote the row that keeps its memo: it would
have fetched the global the second time (Lib/pickle.py, ``Pickler.save``).  In other rows, of which few are long, a
name counts if it is the same with a memo that goes on as with one that begins anew.
"""

import re
from collections.abc import Sequence
from typing import Final

from extreg.errors import MalformedPickleError
from extreg.pickles.walking import patterns
from extreg.pickles.walking.carried import is_carried
from extreg.pickles.walking.memo import Memo
from extreg.pickles.walking.opcodes import Buffer, reached

_MEMOIZE: Final = b"\x94"
_SHORT_BINUNICODE: Final = 0x8C
_PROTO: Final = 0x80


class Row:
    """A row of pickles, and whether those in it share a memo: they do if it is ``carried``, or may if ``doubtful``."""

    __slots__ = ("_going_on", "carried", "doubtful")

    def __init__(self, data: Buffer) -> None:
        self.carried = is_carried(data)
        self.doubtful = not self.carried and not is_apart(data)
        self._going_on = Memo(data, 0)

    def differs(self, run: "re.Match[bytes]", operands: Sequence[bytes]) -> bool:
        """Tell whether other `operands` are fetched if one memo goes through the row; if none, it does not."""
        other = self._going_on.operands(run)
        if other is None:
            self.doubtful = False
        return other is not None and other != operands


def is_apart(data: Buffer) -> bool:
    """Tell whether it shows that no single Pickler wrote the row and kept its memo.

    What cannot be read ends it; texts may be anything.
    """
    try:
        return _is_apart(data)
    except MalformedPickleError:
        return False


def _is_apart(data: Buffer) -> bool:
    match, position, begin, size = patterns.run(patterns.MODERN | patterns.AHEAD), 0, 0, len(data)
    protocol = _protocol(data, 0)
    named: dict[bytes, int] = {}
    while position < size:
        run = match(data, position)
        before, position, ended = position, run.end(), run.lastindex
        if ended == patterns.STOP:
            begin = position
            if begin < size and _protocol(data, begin) != protocol:
                return True
        elif ended == patterns.OPERANDS:
            module, name = run.group(1, 2)
            in_full = module[0] == name[0] == _SHORT_BINUNICODE
            if (
                in_full
                and data[position : position + 1] == _MEMOIZE
                and named.setdefault(module + name, begin) != begin
            ):
                return True
        elif ended == patterns.PAYLOAD:
            position = reached(data, run.start(ended))
        elif position == before:
            position = reached(data, position)
    return False


def _protocol(data: Buffer, begin: int) -> int:
    return data[begin + 1] if data[begin] == _PROTO and begin + 1 < len(data) else 0
