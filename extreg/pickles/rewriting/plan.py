"""One pickle that is to be rewritten, and what is to become of it."""

from collections.abc import Sequence
from typing import NamedTuple

from extreg.pickles.walking.memo import Traffic
from extreg.pickles.walking.opcodes import Buffer
from extreg.pickles.walking.walker import Found

# What a reference is to whoever resolves it: module, name and code.
Meaning = tuple[str | None, str | None, int | None]

# ``(start, end, new)``: put ``new`` in the place of ``data[start:end]``.
Edit = tuple[int, int, bytes]

# The protocol of a pickle that changes it on the way, which is left alone.
VARYING = -1


class Pickle(NamedTuple):
    """The pickle in ``data[begin:stop + 1]``: its protocol, FRAMEs and references, in order."""

    data: Buffer
    begin: int
    stop: int
    protocol: int
    frames: Sequence[Found]
    references: Sequence[Found]


class Plan:
    """What to do: one of ``edits`` for each reference that changes, in order, and ``memos`` where slots lose a filler.

    ``whole``, if there is one, is what they and the frames come to.  The result must refer to ``meanings``; ``left``
    says how many references stay as they are, by reason.  ``seen`` is who uses the memo, if that was found out, up to
    the last edit at least.  ``recalls`` says that globals are memoized and fetched that were not.
    """

    __slots__ = ("edits", "left", "meanings", "memos", "recalls", "seen", "whole")

    def __init__(self) -> None:
        self.edits: list[Edit] = []
        self.memos: list[Edit] = []
        self.meanings: list[Meaning] = []
        self.left: dict[str, int] = {}
        self.seen: Traffic | None = None
        self.whole: bytes | None = None
        self.recalls = False

    def leave(self, reason: str, count: int = 1) -> None:
        """Count references that are left as they are."""
        self.left[reason] = self.left.get(reason, 0) + count
