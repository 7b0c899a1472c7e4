"""The proof of a rewritten pickle: what it has to hold before it takes the place of the original.

Found out from the two pickles and the edits between them, and by other means than those that made the edits:

- it is one pickle, and refers to exactly what it should, in order;
- what is cut out is references, whole ones, and MEMOIZEs and PUTs, and all the rest is there byte for byte;
- each frame ends in front of the same opcode as before;
- nothing is fetched from a memo slot that holds something else now, or nothing; but for a code it may be its global.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

from extreg.errors import MalformedPickleError
from extreg.pickles.rewriting.frames import around, reframed
from extreg.pickles.rewriting.plan import Edit, Pickle, Plan
from extreg.pickles.rewriting.proof_recall import follows
from extreg.pickles.rewriting.recall import MEMO_WIDTHS
from extreg.pickles.walking.memo import after_head, fetches, outside, traffic, untouched
from extreg.pickles.walking.opcodes import EXTENSION_WIDTHS
from extreg.pickles.walking.patterns import forgettable
from extreg.pickles.walking.walker import Found, batches

_MEMOIZE, _POP = 0x94, 0x30
# SHORT_BINUNICODE, BINGET and LONG_BINGET are what picklers write as operands of STACK_GLOBAL.
_TEXT = 0x8C
_PUSHES = frozenset(b"\x8chj")
# How long the other opcodes are that stand in a reference, where it is more than one byte.
_WIDTH = {0x68: 2, 0x6A: 5, 0x82: 2, 0x83: 3, 0x84: 5}
_FRAME_WIDTH = 9
# How many slots can be searched for faster than all that is fetched can be listed.
_MOST_SOUGHT = 64
# What `Event` says of a STOP.
_STOP = (None, None, None)


def proved(pickle: Pickle, plan: Plan, edits: Sequence[Edit], made: bytes) -> bool:
    """Tell whether `made` is the pickle as `plan` has it; `edits` are all that was done to it, frames included."""
    return (
        _only(pickle, plan, edits)
        and _spliced(pickle, edits, made)
        and _framed(pickle, edits, made)
        and _refers(plan, _up_to(pickle, edits, made))
        and _remembers(pickle, plan, edits, made)
    )


def proved_whole(pickle: Pickle, plan: Plan, made: bytes) -> bool:
    """Tell the same of a pickle that has lost its memo and its frame besides."""
    kept = _without_memo(pickle, plan)
    if kept is None:
        seen = traffic(pickle.data, pickle.begin, pickle.stop)
        edits = sorted([*plan.edits, *((at, at + 1, b"") for at in outside(seen, plan.edits))])
        return proved(pickle, plan, reframed(pickle.frames, edits, pickle.begin, pickle.stop), made)
    return kept == made and _refers(plan, made) and untouched(made, 0, len(made) - 1, [])


def _without_memo(pickle: Pickle, plan: Plan) -> bytes | None:
    """Return the pickle with its edits and without MEMOIZEs, if every byte of their value is one."""
    data, skim = pickle.data, forgettable()
    done = around(pickle.frames, pickle.begin, pickle.stop)
    pieces = [bytes(data[pickle.begin : pickle.begin + 2])]
    for start, end, new in [*plan.edits, (pickle.stop, pickle.stop, b".")]:
        if done is None or (done < start and skim(data, done, start).end() < start):
            return None
        pieces += bytes(data[done:start]).translate(None, b"\x94"), new
        done = end
    return b"".join(pieces)


def _only(pickle: Pickle, plan: Plan, edits: Sequence[Edit]) -> bool:
    """Tell whether `edits` take the place of whole references, FRAMEs, MEMOIZEs and PUTs, and of nothing else."""
    spans = {}
    for reference in pickle.references:
        start, end = _span(reference)
        spans[start] = end
    frames = {frame[1]: frame[1] + _FRAME_WIDTH for frame in pickle.frames}
    data, done, exchanged = pickle.data, pickle.begin, 0
    for start, end, new in edits:
        if start < done or end > pickle.stop:
            return False
        if start in spans:
            exchanged += 1
            if end != spans[start] and not (end == spans[start] + 1 and data[end - 1] == _MEMOIZE):
                return False
        elif start in frames:
            if end != frames[start]:
                return False
        elif new or end - start != MEMO_WIDTHS.get(data[start]):
            return False
        done = end
    return exchanged == len(plan.edits)


def _span(reference: Found) -> tuple[int, int]:
    """Return from where to where a reference stands, its operands included where they stand right in front of it."""
    _, offset, opcode, module, name, _, begin = reference
    if opcode in EXTENSION_WIDTHS:
        return offset, offset + EXTENSION_WIDTHS[opcode]
    if opcode == "STACK_GLOBAL" or module is None or name is None:
        return offset if begin is None else begin, offset + 1
    return offset, offset + 3 + len(module.encode()) + len(name.encode())


def _spliced(pickle: Pickle, edits: Sequence[Edit], made: bytes) -> bool:
    """Tell whether `made` is the pickle with `edits`, byte for byte."""
    # A comparison of views takes far longer than one of bytes.
    data, done, at = pickle.data, pickle.begin, 0
    for start, end, new in edits:
        length = start - done
        if made[at : at + length] != data[done:start] or made[at + length : at + length + len(new)] != new:
            return False
        done, at = end, at + length + len(new)
    return made[at:] == data[done : pickle.stop + 1]


def _refers(plan: Plan, made: bytes) -> bool:
    """Tell whether `made` is one pickle with the references it should have."""
    try:
        found = [event[3:6] for batch in batches(made, framing=False) for event in batch]
    except MalformedPickleError:
        return False
    return found.pop() == _STOP and found == plan.meanings


def _up_to(pickle: Pickle, edits: Sequence[Edit], made: bytes) -> bytes:
    """Return as much of `made` as has to be walked, as a pickle.

    Where nothing is referred to behind the last edit, the opcodes there are the same as before.
    """
    last = edits[-1][1]
    return made if pickle.references[-1][1] >= last else made[: len(made) - (pickle.stop + 1 - last)] + b"."


def _framed(pickle: Pickle, edits: Sequence[Edit], made: bytes) -> bool:
    """Tell whether each frame ends where it did, or is gone."""
    if not pickle.frames:
        return True
    ends = [end for _, end, _ in edits]
    changes = list(accumulate((len(new) - end + start for start, end, new in edits), initial=0))
    gone = {start for start, _, new in edits if not new}

    def moved(position: int) -> int:
        return position + changes[bisect_right(ends, position)] - pickle.begin

    for frame in pickle.frames:
        start = frame[1] + _FRAME_WIDTH
        length = moved(start + (frame[5] or 0)) - moved(start)
        head = b"\x95" + length.to_bytes(8, "little")
        if frame[1] not in gone and made[moved(start) - _FRAME_WIDTH : moved(start)] != head:
            return False
    return True


def _remembers(pickle: Pickle, plan: Plan, edits: Sequence[Edit], made: bytes) -> bool:
    if plan.recalls:
        return follows(pickle, plan, edits, made)
    return pickle.protocol < 4 or _memo_kept(pickle, plan, made)


def _memo_kept(pickle: Pickle, plan: Plan, made: bytes) -> bool:
    """Tell whether whatever is fetched in `made` is what was fetched before."""
    stop = len(made) - 1
    if untouched(made, 0, stop, []):
        return True
    if plan.whole is not None or plan.memos:
        return False
    seen = plan.seen or traffic(pickle.data, pickle.begin, pickle.stop)
    changed: list[int] = []
    for start, end, new in plan.edits:
        was, now = _memoized(bytes(pickle.data[start:end])), _memoized(new)
        if was != now:
            first = bisect_left(seen.filled, start)
            changed += [first + nth for nth, (one, other) in enumerate(zip(was, now, strict=False)) if one != other]
            if len(was) != len(now):
                if seen.end < pickle.stop:
                    return False
                # From there on every slot holds something else.
                changed += range(first + min(len(was), len(now)), len(seen.filled))
                break
    if len(changed) > _MOST_SOUGHT:
        others = set(changed)
        return not any(slot in others for _, slot in traffic(made, 0, stop).fetched)
    return not changed or not fetches(made, after_head(made, 0), stop, changed)


def _memoized(opcodes: bytes) -> list[bytes]:
    """Return what each MEMOIZE in a reference memoizes: the opcode that pushes it, or nothing for the global itself."""
    found, pushed, position = [], b"", 0
    while position < len(opcodes):
        byte = opcodes[position]
        end = position + (2 + opcodes[position + 1] if byte == _TEXT else _WIDTH.get(byte, 1))
        if byte == _MEMOIZE:
            found.append(pushed)
        elif byte != _POP:
            pushed = opcodes[position:end] if byte in _PUSHES else b""
        position = end
    return found
