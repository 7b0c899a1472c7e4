"""What the unpickler reads: the checked pickle with its codes spelled out and without its FRAMEs.

A FRAME says how much may be read ahead.  Those of the pickle are wrong once codes are spelled out, and from CPython
3.13.15, 3.14.7 and 3.15 on (gh-154848) they may neither hold others nor end within an opcode.  So all of them go.  The
unpickler in C would then ask for every opcode by itself: a small pickle stands in one frame of our own, a large one in
a file that lets it peek.
"""

import io
import pickle
from collections.abc import Iterable, Iterator
from typing import Any, Final

from extreg.pickles.engines import Unpickler
from extreg.pickles.walking.walker import batches
from extreg.scoped.confined import Held
from extreg.scoped.permits import SMALL, Checked

_IN_C: Final = Unpickler.__module__ == "_pickle"
_PROTO: Final = 0x80
_FRAME: Final = b"\x95"
_FRAME_WIDTH: Final = 9
_PROTO_WIDTH: Final = 2
# How much a file reads ahead.
_AHEAD: Final = 1 << 16


def fed(checked: Checked) -> Any:
    """Return a file that holds the pickle, such that the unpickler reads the same opcodes as the check did.

    Raises UnpicklingError for a FRAME that is longer than the pickle, as the unpickler does.
    """
    if _IN_C and not checked.codes and not checked.frames and len(checked.data) >= SMALL:
        return Held(checked.data[: checked.end])  # the same bytes, if that is all of them
    if len(checked.data) >= SMALL:
        # All of them now: what is raised within a file's peek is not heard.
        return io.BufferedReader(_Pieces(list(_cut(checked, checked.frames))), _AHEAD)
    frames = _few_frames(checked)
    if not checked.codes and len(frames) == 1 and sum(frames[0]) + _FRAME_WIDTH == checked.end:
        return io.BytesIO(checked.data[: checked.end])  # it is right as it is
    whole = b"".join(_cut(checked, frames))
    return io.BytesIO(_FRAME + len(whole).to_bytes(8, "little") + whole if _IN_C else whole)


def spelled(checked: Checked) -> bytes:
    """Return the pickle as `fed` has it, in one piece.

    Raises UnpicklingError for a FRAME that is longer than the pickle.
    """
    return b"".join(_cut(checked, checked.frames if len(checked.data) >= SMALL else _few_frames(checked)))


def _few_frames(checked: Checked) -> list[tuple[int, int]]:
    """Return the FRAMEs of a small pickle: one behind its PROTO, or none, unless somebody made it by hand."""
    data, end = checked.data, checked.end
    likely = data.count(_FRAME, 0, end)
    if not likely:
        return []
    if likely == 1 and data[0] == _PROTO and data.startswith(_FRAME, _PROTO_WIDTH):
        start = _PROTO_WIDTH + 1
        return [(_PROTO_WIDTH, int.from_bytes(data[start : start + _FRAME_WIDTH - 1], "little"))]
    found = [event for batch in batches(data, True, True) for event in batch]
    return [(event[1], event[5] or 0) for event in found if event[0] == "frame"]


def _cut(checked: Checked, frames: list[tuple[int, int]]) -> Iterator[bytes | memoryview]:
    """Yield the pickle without its `frames` and with its codes spelled out: what is large uncopied, the rest together.

    Raises UnpicklingError for a FRAME that is longer than the pickle.
    """
    data, view, end = checked.data, memoryview(checked.data), checked.end
    edits = [*checked.codes, (end, 0, b"")]
    for offset, length in frames:
        if offset + _FRAME_WIDTH + length > end:
            raise pickle.UnpicklingError(f"the FRAME at byte {offset} is longer than the pickle")
        edits.append((offset, _FRAME_WIDTH, b""))
    edits.sort()
    together: list[bytes] = []
    done = 0
    for offset, width, new in edits:
        if offset - done < SMALL:
            together.append(data[done:offset])
        else:
            yield b"".join(together)
            yield view[done:offset]
            together = []
        together.append(new)
        done = offset + width
    yield b"".join(together)


class _Pieces(io.RawIOBase):
    """A file that holds `pieces`, one after the other; each is copied to where it is wanted, and nowhere else."""

    def __init__(self, pieces: Iterable[bytes | memoryview]) -> None:
        self._pieces = iter(pieces)
        self._piece = memoryview(b"")

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any, /) -> int:
        """Fill `buffer` with what comes next; return how many bytes, 0 at the end."""
        while not self._piece:
            piece = next(self._pieces, None)
            if piece is None:
                return 0
            self._piece = memoryview(piece)
        size = min(len(buffer), len(self._piece))
        buffer[:size] = self._piece[:size]
        self._piece = self._piece[size:]
        return size
