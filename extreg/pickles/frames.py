"""Frames: where they end, and how long they are after edits.

A FRAME only tells a reader how much it may read ahead.  The C unpickler does not care where it ends; the one in
Python refuses a frame that ends within an opcode.  Edits that no frame ends within keep both as content, or not, as
they were.
"""

from bisect import bisect_left
from collections.abc import Sequence
from typing import Final, NamedTuple

from extreg.pickles.events import Event

_FRAME: Final = b"\x95"
_WIDTH: Final = 9
# A pickle that is one frame loses it below this size: it costs 9 bytes, and there is nothing to read ahead.
_UNFRAMED: Final = 1024


class Edit(NamedTuple):
    """Put ``new`` in the place of ``data[start:end]``."""

    start: int
    end: int
    new: bytes


def sound(frames: Sequence[Event], edits: Sequence[Edit], stop: int) -> bool:
    """Tell whether `frames` follow each other up to `stop`, none ending within an edit."""
    end = 0
    for frame in frames:
        if frame.offset < end:
            return False
        end = _end(frame)
        before = bisect_left(edits, (end,)) - 1
        if end > stop + 1 or (before >= 0 and end < edits[before].end):
            return False
    return True


def reframed(frames: Sequence[Event], edits: list[Edit], begin: int, stop: int) -> list[Edit]:
    """Return `edits` with those of the frames' lengths that they make necessary, in order."""
    if not frames:
        return edits
    first = frames[0]
    if len(frames) == 1 and first.offset == begin + 2 and _end(first) == stop + 1:
        change = sum([len(edit.new) - edit.end + edit.start for edit in edits])
        if stop + 1 - begin + change <= _UNFRAMED:
            return [Edit(first.offset, first.offset + _WIDTH, b""), *edits]
    made = list(edits)
    position = 0
    for frame in frames:
        end, change = _end(frame), 0
        while position < len(edits) and edits[position].start < end:
            if edits[position].start > frame.offset:
                change += len(edits[position].new) - (edits[position].end - edits[position].start)
            position += 1
        if change:
            length = (frame.number or 0) + change
            made.append(Edit(frame.offset, frame.offset + _WIDTH, _FRAME + length.to_bytes(8, "little")))
    made.sort()
    return made


def _end(frame: Event) -> int:
    return frame.offset + _WIDTH + (frame.number or 0)
