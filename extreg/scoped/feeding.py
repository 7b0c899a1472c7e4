"""What the unpickler reads: the checked pickle with its codes spelled out, and not copied where it is large."""

import io
import pickle
from collections.abc import Iterator
from typing import Any, Final

from extreg.pickles.walker import walk
from extreg.scoped.permits import SMALL, Checked

_IN_C: Final = pickle.Unpickler.__module__ == "_pickle"
_FRAME: Final = b"\x95"
_FRAME_WIDTH: Final = 9


def fed(checked: Checked) -> Any:
    """Return a file that holds the pickle, such that the unpickler reads the same opcodes as the check did.

    Raises UnpicklingError for a FRAME that is longer than the pickle, as the unpickler does, unless that is left to it.
    """
    data, end = checked.data, checked.end
    if _IN_C and len(data) >= SMALL:
        return _Framed(*(_cut(checked) if checked.codes else [memoryview(data)[:end]]))
    pieces = list(_spelled(checked))
    if not _IN_C:
        return io.BytesIO(_unframed(b"".join(pieces)))
    # One frame holds all, so that no other matters.
    size = sum(map(len, pieces))
    return io.BytesIO(b"".join((_FRAME, size.to_bytes(8, "little"), *pieces)))


def _spelled(checked: Checked) -> Iterator[bytes]:
    data, done = checked.data, 0
    for offset, width, spelled in checked.codes:
        yield data[done:offset]
        yield spelled
        done = offset + width
    yield data[done : checked.end]


def _cut(checked: Checked) -> Iterator[bytes | memoryview]:
    """Yield the pickle without its FRAMEs and with its codes spelled out: what is large uncopied, the rest together."""
    data, view, end = checked.data, memoryview(checked.data), checked.end
    grown = sum(len(spelled) - width for _, width, spelled in checked.codes)
    edits = [*checked.codes, (end, 0, b"")]
    for offset, length in checked.frames:
        if offset + _FRAME_WIDTH + length > end + grown:
            raise pickle.UnpicklingError(f"the FRAME at byte {offset} is longer than the pickle")
        edits.append((offset, _FRAME_WIDTH, b""))
    together: list[bytes] = []
    done = 0
    for offset, width, new in sorted(edits):
        if offset - done < SMALL:
            together.append(data[done:offset])
        else:
            yield b"".join(together)
            yield view[done:offset]
            together = []
        together.append(new)
        done = offset + width
    yield b"".join(together)


class _Framed:
    """A file that holds pieces of a pickle, each in a frame around everything in it.

    The unpickler in C takes a frame into its buffer as it is, so nothing is copied.  It must never read further: when
    a frame in a file ends within an opcode, it forgets the rest and goes on with other bytes than were checked.
    Every piece ends between two opcodes.  If there is one, the lengths of frames in it do not matter: one that reaches
    beyond it finds nothing there, which is an error; if there are more, they must have none.
    """

    __slots__ = ("_pieces",)

    def __init__(self, *pieces: bytes | memoryview) -> None:
        framed = [part for piece in pieces if piece for part in (_FRAME, len(piece).to_bytes(8, "little"), piece)]
        self._pieces = framed[::-1]

    def read(self, size: int) -> bytes | memoryview:
        """Return the next `size` bytes: a FRAME, its length, all of its piece; nothing after the last."""
        piece = self._pieces.pop() if self._pieces else b""
        if len(piece) > size:
            self._pieces.append(piece[size:])
            return piece[:size]
        return piece

    def readline(self) -> bytes:
        """Return nothing: every line ends within its piece."""
        return b""


def _unframed(data: bytes) -> bytes:
    """Return `data` without FRAMEs, which are wrong once codes are spelled out; the unpickler in Python minds."""
    pieces, done = [], 0
    for event in walk(data):
        if event.kind == "frame":
            pieces.append(data[done : event.offset])
            done = event.offset + _FRAME_WIDTH
    return b"".join([*pieces, data[done:]])
