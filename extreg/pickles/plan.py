"""One pickle that is to be rewritten, and what is to become of it."""

from collections.abc import Sequence
from typing import NamedTuple

from extreg.pickles.events import Event
from extreg.pickles.frames import Edit
from extreg.pickles.opcodes import Buffer

# What a reference is to whoever resolves it: module, name and code.
Meaning = tuple[str | None, str | None, int | None]


# The protocol of a pickle that changes it on the way, which is left alone.
VARYING = -1


class Pickle(NamedTuple):
    """The pickle in ``data[begin:stop + 1]``: its protocol, FRAMEs and references, in order."""

    data: Buffer
    begin: int
    stop: int
    protocol: int
    frames: Sequence[Event]
    references: Sequence[Event]


class Plan:
    """What to do: one of ``edits`` for each reference, in order, and ``memos`` for each MEMOIZE that may go.

    The result must refer to ``meanings``; ``left`` says how many references stay as they are, by reason.
    """

    __slots__ = ("edits", "left", "meanings", "memos")

    def __init__(self) -> None:
        self.edits: list[Edit] = []
        self.memos: list[Edit] = []
        self.meanings: list[Meaning] = []
        self.left: dict[str, int] = {}

    def leave(self, reason: str, count: int = 1) -> None:
        """Count references that are left as they are."""
        self.left[reason] = self.left.get(reason, 0) + count
