"""Frames: where they end, and how long they are after edits.

A FRAME only tells a reader how much it may read ahead.  The C unpickler does not care where it ends; the one in
Python refuses a frame that ends within an opcode.  Edits that no frame ends within keep both as content, or not, as
they were.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final

from extreg.pickles.rewriting.plan import Edit
from extreg.pickles.walking.walker import Found

_FRAME: Final = b"\x95"
_WIDTH: Final = 9
# A pickle that is one frame loses it up to this size: it costs 9 bytes, and there is nothing to read ahead.
UNFRAMED: Final = 1024


def around(frames: Sequence[Found], begin: int, stop: int) -> int | None:
    """Return where the pickle from `begin` to `stop` goes on after PROTO and the one FRAME around all the rest, if any.

    None if its frames are not like that.
    """
    if not frames:
        return begin + 2
    after = begin + 2 + _WIDTH
    frame = frames[0]
    return after if len(frames) == 1 and frame[1] == begin + 2 and after + (frame[5] or 0) == stop + 1 else None


def sound(frames: Sequence[Found], edits: Sequence[Edit], stop: int) -> bool:
    """Tell whether `frames` follow each other up to `stop`, none ending within an edit."""
    end = 0
    for frame in frames:
        if frame[1] < end:
            return False
        end = _end(frame)
        before = bisect_left(edits, (end,)) - 1
        if end > stop + 1 or (before >= 0 and end < edits[before][1]):
            return False
    return True


def reframed(frames: Sequence[Found], edits: list[Edit], begin: int, stop: int) -> list[Edit]:
    """Return `edits` with those of the frames' lengths that they make necessary, in order."""
    if not frames:
        return edits
    if around(frames, begin, stop) is not None:
        change = sum([len(new) - end + start for start, end, new in edits])
        if stop + 1 - begin + change <= UNFRAMED:
            return [(begin + 2, begin + 2 + _WIDTH, b""), *edits]
    made = list(edits)
    position = 0
    for _, offset, _, _, _, number, _ in frames:
        end, change = offset + _WIDTH + (number or 0), 0
        while position < len(edits) and edits[position][0] < end:
            first, last, new = edits[position]
            if first > offset:
                change += len(new) - (last - first)
            position += 1
        if change:
            length = (number or 0) + change
            made.append((offset, offset + _WIDTH, _FRAME + length.to_bytes(8, "little")))
    made.sort()
    return made


def _end(frame: Found) -> int:
    return frame[1] + _WIDTH + (frame[5] or 0)
