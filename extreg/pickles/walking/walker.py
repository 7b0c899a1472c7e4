"""The walk: every reference and every pickle in a row of them, exactly and fast.

A pattern (see `extreg.pickles.walking.patterns`) passes the opcodes that refer to nothing, a run at a time, and says
what ended the run; the loop only handles that.  A small message is two or three runs.

A STACK_GLOBAL is resolved on the spot if its operands, short strings or GETs of such, stand right in front of it,
which is how picklers write it.  For anything else the symbolic machine takes over until that pickle ends.
"""

from collections.abc import Generator, Iterator
from mmap import mmap
from typing import Final

from extreg.compiled import core
from extreg.errors import MalformedPickleError
from extreg.pickles.walking import patterns
from extreg.pickles.walking.doubt import Row
from extreg.pickles.walking.events import Event, Kind
from extreg.pickles.walking.machine import interpret
from extreg.pickles.walking.memo import Memo
from extreg.pickles.walking.opcodes import EXTENSION_OPCODES, TABLE, TEXTS, Buffer, names, passed, readable, step

# The fields of an `Event`, of which making a plain tuple takes a fifth of the time.
Found = tuple[Kind, int, str, str | None, str | None, int | None, int | None]

_BYTES: Final = {opcode.name: opcode.byte for opcode in TABLE.values()}
_SHORT_BINUNICODE: Final = _BYTES["SHORT_BINUNICODE"]
_INST: Final = _BYTES["INST"]
_PUTS: Final = frozenset(_BYTES[name] for name in ("PUT", "BINPUT", "LONG_BINPUT"))
_PROTO, _FRAME = _BYTES["PROTO"], _BYTES["FRAME"]
_MEMOIZE: Final = _BYTES["MEMOIZE"]
# Those whose payload has a length of four bytes without a sign, and what is in front of one with the MEMOIZE before.
_LONG: Final = frozenset(_BYTES[name] for name in ("BINUNICODE", "BINBYTES"))
_LONG_HEAD: Final = 6

# What a GLOBAL takes besides its two names.
_GLOBAL_WIDTH: Final = 3
# How far into a pickle it is worth to look ahead for names: after that, most are fetched from the memo.
_HEAD: Final = 2048
# How much is found before it is handed on.
_BATCH: Final = 1024
# Up to which size a memoryview is copied.
_SMALL: Final = 1024


def walk(data: Buffer, *, framing: bool = True) -> Iterator[Event]:
    """Yield the events of all pickles in `data`, in order; PROTO and FRAME only where `framing` is asked for.

    `data` is bytes, bytearray, a contiguous memoryview or an mmap, and is not copied.  Takes time linear in its size;
    a payload of 64 KiB or more is not even read.  Raises `MalformedPickleError` where an opcode cannot be read or the
    bytes end within a pickle, after the events before that place; empty `data` is an error too.
    """
    for batch in batches(flat(data), framing):
        yield from map(Event._make, batch)


def batches(
    data: Buffer,
    framing: bool,
    first: bool = False,
    alone: bool = False,
    *,
    known: bytes = b"",
    decoded: bool = False,
) -> Iterator[list[Found]]:
    """Yield what `walk` yields, as plain tuples and many at a time; `data` must be `flat`.

    Of the first pickle only, where no more is asked for.  What is fetched from the memo is taken for the pickle's own
    where each is `alone`; otherwise only if nothing speaks against it.  References by codes that are `known`, see
    `extreg.pickles.walking.patterns.of_codes`, need not be told.  Texts that are no names need not be valid where
    somebody reads them next by whom they are `decoded`.
    """
    if core is not None:
        found: Iterator[list[Found]] = core.walk(data, framing, first, alone, decoded)
        return found
    return patterned(data, framing, first, alone, known=known, decoded=decoded)


def patterned(  # noqa: C901 - one loop, a branch per end of a run
    data: Buffer,
    framing: bool,
    first: bool = False,
    alone: bool = False,
    *,
    known: bytes = b"",
    decoded: bool = False,
) -> Iterator[list[Found]]:
    """Yield what `batches` does where there is no compiled core, and what that is held to."""
    size, begin = len(data), 0
    asked = (patterns.FRAMED if framing else 0) | (patterns.TEXTS if decoded else 0)
    found: list[Found] = []
    # Found out when something is fetched in a pickle behind another.
    row: Row | None = None
    try:
        while begin < size or not size:
            modern = size > begin + 1 and data[begin] == _PROTO and data[begin + 1] >= 4
            position = _head(data, begin, found) if framing else begin
            kind = asked | (patterns.MODERN if modern else 0)
            match, near = patterns.run(kind | patterns.AHEAD if modern else kind, known), begin + _HEAD
            # Where the operands may begin at the earliest of a STACK_GLOBAL that a run has passed them of.
            memo, since, string, string_end = None, position, -1, -1
            # Below protocol 4, where patterns pass a PUT, the slots of the memo are not counted, nor after a PUT.
            counted = modern
            while True:
                run = match(data, position)
                before, position, ended = position, run.end(), run.lastindex
                if ended == patterns.STOP:
                    found.append(("stop", position - 1, "STOP", None, None, None, None))
                    break
                elif ended == patterns.OPERANDS or ended == patterns.STACK_GLOBAL:
                    named = run if ended == patterns.OPERANDS else patterns.operands()(data, since, position)
                    if named is None:
                        row = row or (Row(data) if begin and not alone else None)
                        position = yield from _interpreted(data, begin, position - 1, found, framing, row)
                        break
                    offset = named.start(1)
                    module, name = named.group(1, 2)
                    if module[0] != _SHORT_BINUNICODE or name[0] != _SHORT_BINUNICODE:
                        row = row or (Row(data) if begin and not alone else None)
                        memo = memo or Memo(data, begin)
                        operands = memo.operands(named) if counted and not (row and row.carried) else None
                        if operands is None:
                            position = yield from _interpreted(data, begin, offset, found, framing, row)
                            break
                        if row and row.doubtful and row.differs(named, operands):
                            for group in (1, 2) if not decoded else ():
                                step(data, named.start(group))  # passed unread
                            found.append(("unresolved", position - 1, "STACK_GLOBAL", None, None, None, None))
                            since = position
                            continue
                        module, name = operands
                    try:
                        # decode() takes a third of the time of str().
                        path, word = (
                            module[2:].decode("utf-8", "surrogatepass"),
                            name[2:].decode("utf-8", "surrogatepass"),
                        )
                    except UnicodeDecodeError:
                        step(data, offset)
                        step(data, named.start(2))
                        # A text that was passed unread, and is fetched from the memo.
                        raise MalformedPickleError("STACK_GLOBAL names what is not UTF-8", position - 1) from None
                    found.append(("global", position - 1, "STACK_GLOBAL", path, word, None, offset))
                    since = position
                elif ended == patterns.PAYLOAD:
                    head = run[ended]
                    start, position = position, position + int.from_bytes(head[1:], "little")
                    text = head[0] in TEXTS and not decoded
                    if position > size or (text and not readable(data, start, position)):
                        step(data, run.start(ended))
                    if decoded:
                        position = _row_of(head[0], data, position, size)
                    # A text may be an operand, and so may two, one right behind the other, as names that are not ASCII;
                    # to nothing else does anything behind go back.
                    if head[0] == _SHORT_BINUNICODE:
                        here = run.start(ended)
                        since = string if before == string_end and here - before <= 1 else before
                        string, string_end = here, position
                    else:
                        since = position
                elif ended == patterns.GLOBAL:
                    module, name = run.group(4, 5)
                    offset = position - len(module) - len(name) - _GLOBAL_WIDTH
                    try:
                        found.append(("global", offset, "GLOBAL", module.decode(), name.decode(), None, None))
                    except UnicodeDecodeError:
                        step(data, offset)
                        raise
                    since = position
                elif ended == patterns.EXTENSION:
                    raw = run[ended]
                    number = int.from_bytes(raw[1:], "little", signed=len(raw) == 5)
                    found.append(("code", run.start(ended), EXTENSION_OPCODES[len(raw)], None, None, number, None))
                    since = position
                elif ended == patterns.FRAMING:
                    found.append(_framing(run[ended], run.start(ended)))
                    since = position
                elif position > before:
                    # The run had its fill, or stands in front of something that no pattern knows.
                    since = before
                else:
                    after = passed(data, position)
                    if data[position] == _INST:
                        found.append(("global", position, "INST", *names(data, step(data, position)), None, None))
                    counted = counted and data[position] not in _PUTS
                    since = position = after
                if position > near:
                    match, near = patterns.run(kind, known), size
                if len(found) >= _BATCH:
                    yield found
                    found = []
            begin = size if first else position
    except MalformedPickleError:
        yield found
        raise
    yield found


def _row_of(opcode: int, data: Buffer, position: int, size: int) -> int:
    """Return where a row of payloads ends that `opcode` pushes, each behind a MEMOIZE, as in a list of long texts."""
    if opcode not in _LONG:
        return position
    while position + _LONG_HEAD < size and data[position] == _MEMOIZE and data[position + 1] == opcode:
        stop = position + _LONG_HEAD + int.from_bytes(data[position + 2 : position + _LONG_HEAD], "little")
        if stop > size:
            break  # that is for the walk to say
        position = stop
    return position


def _head(data: Buffer, begin: int, found: list[Found]) -> int:
    """Return where the pickle at `begin` goes on after PROTO and FRAME.

    The patterns know these two as well, but here they are quicker passed by hand.
    """
    if len(data) < begin + 11 or data[begin] != _PROTO:
        return begin
    found.append(("proto", begin, "PROTO", None, None, data[begin + 1], None))
    if data[begin + 2] != _FRAME:
        return begin + 2
    length = int.from_bytes(data[begin + 3 : begin + 11], "little")
    found.append(("frame", begin + 2, "FRAME", None, None, length, None))
    return begin + 11


def _framing(raw: bytes, offset: int) -> Found:
    number = int.from_bytes(raw[1:], "little")
    if raw[0] == _PROTO:
        return "proto", offset, "PROTO", None, None, number, None
    return "frame", offset, "FRAME", None, None, number, None


def flat(data: Buffer) -> Buffer:
    """Return `data` as something that has bytes for items, copied only if it is small; TypeError if it cannot be."""
    if isinstance(data, (bytes, bytearray, mmap)):
        return data
    view = memoryview(data).cast("B")
    return bytes(view) if len(view) <= _SMALL else view


def _interpreted(
    data: Buffer, begin: int, position: int, found: list[Found], framing: bool, row: Row | None
) -> Generator[list[Found], None, int]:
    """Find what the symbolic machine says of the pickle at `begin` from `position` on, what is before being known.

    Return where it ends.
    """
    event = None
    for event in interpret(data, begin, carried=row is not None and (row.carried or row.doubtful)):
        if event.offset >= position and (framing or event.kind not in {"proto", "frame"}):
            found.append(event)
            if len(found) >= _BATCH:
                yield found.copy()
                found.clear()
    assert event is not None
    return event.offset + 1
