"""Names to codes and codes to names, in the bytes.

Each pickle in a row is rewritten on its own or left as it is.  Only the references are cut out and others put in; everything else
stays byte for byte, so each memo slot has to keep its number: a MEMOIZE that goes with the string in front of it leaves
a filler behind, unless nothing from that slot on is ever fetched.  Every result is walked again, and has to refer to exactly
what it should, before it takes the place of the original.
"""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

from extreg.errors import MalformedPickleError
from extreg.pickles.events import Event
from extreg.pickles.expand import expanded
from extreg.pickles.frames import Edit, reframed, sound
from extreg.pickles.opcodes import Buffer
from extreg.pickles.plan import Pickle, Plan, meaning
from extreg.pickles.shorten import shortened
from extreg.pickles.walk import flat, walk
from extreg.registry.model import Registry


@dataclass(frozen=True, slots=True, kw_only=True)
class Rewritten:
    """What came of `rewrite`: the bytes, and the account.

    ``pickles`` is how many stand in a row, ``changed`` how many of them are not what they were, ``references`` how many references
    were exchanged.  ``left`` says how many references were not, by reason; ``refused`` the same of whole pickles.  What follows
    the last whole pickle is kept and counted as refused.
    """

    data: bytes
    pickles: int
    changed: int
    references: int
    left: Mapping[str, int]
    refused: Mapping[str, int]


def to_codes(data: Buffer, registry: Registry) -> bytes:
    """Return `data` with live codes of `registry` for names, wherever that is proved to load the same and not to be longer.

    Raises `MalformedPickleError` where not even the first pickle is whole.
    """
    return rewrite(data, registry, to="codes").data


def to_names(data: Buffer, registry: Registry) -> bytes:
    """Return `data` with names for the codes that `registry` knows, retired ones included.

    Raises `MalformedPickleError` where not even the first pickle is whole.
    """
    return rewrite(data, registry, to="names").data


def rewrite(data: Buffer, registry: Registry, *, to: Literal["codes", "names"]) -> Rewritten:
    """Do what `to_codes` or `to_names` does, and give account of it."""
    data = flat(data)
    planned = {"codes": shortened, "names": expanded}[to]
    pieces: list[bytes] = []
    left: Counter[str] = Counter()
    refused: Counter[str] = Counter()
    pickles = changed = references = done = begin = 0
    events: list[Event] = []
    try:
        for event in walk(data):
            if event.kind != "stop":
                events.append(event)
                continue
            stop = event.offset
            result = _one(data, begin, stop, events, planned, registry)
            pickles += 1
            if isinstance(result, str):
                refused[result] += 1
            else:
                new, plan = result
                left += plan.left
                if plan.edits:
                    pieces += [bytes(data[done:begin]), new]
                    done = stop + 1
                    changed += 1
                    references += len(plan.edits)
            begin, events = stop + 1, []
    except MalformedPickleError:
        if not pickles:
            raise
        refused["malformed"] += 1
    pieces.append(bytes(data[done:]))
    return Rewritten(
        data=b"".join(pieces), pickles=pickles, changed=changed, references=references, left=left, refused=refused
    )


def _one(
    data: Buffer,
    begin: int,
    stop: int,
    events: list[Event],
    planned: Callable[[Pickle, Registry], Plan],
    registry: Registry,
) -> tuple[bytes, Plan] | str:
    """Return the pickle at `begin` rewritten, with the plan that was followed, or why it is refused."""
    frames = [event for event in events if event.kind == "frame"]
    protocols = [event for event in events if event.kind == "proto"]
    if len(protocols) > 1 or (protocols and protocols[0].offset != begin):
        return "its protocol changes on the way"
    pickle = Pickle(
        data=data,
        begin=begin,
        stop=stop,
        protocol=(protocols[0].number or 0) if protocols else 0,
        frames=frames,
        references=[event for event in events if event.kind not in {"frame", "proto"}],
    )
    plan = planned(pickle, registry)
    if not plan.edits:
        return b"", plan
    if not sound(frames, plan.edits, stop):
        return "its frames do not fit"
    new = _edited(data, begin, stop, reframed(frames, plan.edits, begin, stop))
    return (new, plan) if _proved(new, plan) else "the result could not be proved"


def _edited(data: Buffer, begin: int, stop: int, edits: list[Edit]) -> bytes:
    pieces, done = [], begin
    for edit in edits:
        pieces += [data[done : edit.start], edit.new]
        done = edit.end
    return b"".join([*pieces, data[done : stop + 1]])


def _proved(new: bytes, plan: Plan) -> bool:
    """Tell whether `new` is one pickle that refers to exactly what it should."""
    found = list(walk(new, framing=False))
    return [meaning(event) for event in found] == [*plan.meanings, (None, None, None)] and found[-1].kind == "stop"
