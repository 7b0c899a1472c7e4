"""What the compiled core (``extreg/_core.c``) asks of Python, because it is rare: each about the opcode at `offset`."""

from extreg.errors import MalformedPickleError
from extreg.pickles.walking import machine, opcodes
from extreg.pickles.walking.opcodes import Buffer


def fault(data: Buffer, offset: int) -> MalformedPickleError:
    """Return what is wrong with an opcode that cannot be read."""
    try:
        opcodes.step(data, offset)
    except MalformedPickleError as error:
        return error.with_traceback(None)
    raise RuntimeError(f"the compiled core cannot read the opcode at {offset}, which is sound: please report it")


def unnamed(_: Buffer, offset: int) -> MalformedPickleError:
    """Return what is wrong with a STACK_GLOBAL that takes a text from the memo which nobody can decode."""
    return MalformedPickleError("STACK_GLOBAL names what is not UTF-8", offset)


def readable(data: Buffer, offset: int) -> bool:
    """Tell whether an opcode can be read."""
    try:
        opcodes.step(data, offset)
    except MalformedPickleError:
        return False
    return True


def text(data: Buffer, offset: int) -> bytes | None:
    """Return the string that an opcode pushes as UTF-8, or None if it is not known."""
    found = opcodes.string(data, opcodes.step(data, offset))
    return None if found is None else found.encode("utf-8", "surrogatepass")


def slot(data: Buffer, offset: int) -> int | bytes:
    """Return the slot of the memo that a PUT or GET names."""
    return machine.slot(data, opcodes.step(data, offset))
