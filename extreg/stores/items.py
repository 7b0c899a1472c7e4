"""What is found where pickles are kept: rows of them, faults, and what nobody here understands."""

from typing import NamedTuple

from extreg.pickles.walking.opcodes import Buffer


class Layer(NamedTuple):
    """One envelope around a pickle: ``outer[begin:end]`` is the ``name`` of what is within, made in the way ``how``.

    ``how`` (may be empty) is what it takes to wrap again in the same way: a level, an alphabet, a width.
    """

    name: str
    begin: int
    end: int
    how: str = ""

    def __str__(self) -> str:
        return f"{self.name} {self.how}".rstrip()


class Blob(NamedTuple):
    """Bytes that begin with a pickle; ``member`` says where in the file or cell, and is empty for all of it.

    ``path`` are the envelopes around it, the outermost first.  The bytes are valid until the next one is asked for.
    """

    member: str
    data: Buffer
    path: tuple[Layer, ...] = ()


class Fault(NamedTuple):
    """Why a ``member`` of a file, or the file, could not be read, in whole or in part."""

    member: str
    message: str


class Passed(NamedTuple):
    """Bytes that may hold pickles and are not read, in a ``member`` of a file or the file, and of what ``kind``."""

    member: str
    kind: str


Item = Blob | Fault | Passed


def describe(error: BaseException) -> str:
    """Return what an exception says, in one line that is never empty."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return " ".join(text.split()) or type(error).__name__
