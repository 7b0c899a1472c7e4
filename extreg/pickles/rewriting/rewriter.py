"""Names to codes and codes to names, in the bytes.

Each pickle in a row is rewritten on its own or left as it is.  Only the references are cut out and others put in;
everything else stays byte for byte, so each memo slot has to keep its number: a MEMOIZE that goes with the string in
front of it leaves a filler behind, unless nothing from that slot on is ever fetched; and a name takes the slot of
something that is not.  Every result is proved (see
`extreg.pickles.rewriting.proof`) before it takes the place of the original.
"""

from collections.abc import Iterable, Iterator, Mapping
from itertools import chain, repeat
from typing import Literal, NamedTuple

from extreg.errors import MalformedPickleError
from extreg.pickles.rewriting.brief import brief
from extreg.pickles.rewriting.expand import expanded
from extreg.pickles.rewriting.frames import reframed, sound
from extreg.pickles.rewriting.plan import VARYING, Edit, Pickle, Plan
from extreg.pickles.rewriting.proof import proved, proved_whole
from extreg.pickles.rewriting.renaming import healed, without_live_code
from extreg.pickles.rewriting.row import FREE, Bond, bonds
from extreg.pickles.rewriting.shorten import NO_LIVE_CODE, shortened
from extreg.pickles.walking.carried import fetching
from extreg.pickles.walking.opcodes import Buffer
from extreg.pickles.walking.walker import Found, batches, flat
from extreg.registry.model import Registry


class Rewritten(NamedTuple):
    """What came of `rewrite`: the bytes, and the account.

    ``pickles`` is how many stand in a row, ``changed`` how many of them are not what they were, ``references`` how
    many references were exchanged.  ``left`` says how many references were not, by reason; ``refused`` the same of
    whole pickles.  What follows the last whole pickle is kept and counted as refused.
    """

    data: bytes
    pickles: int
    changed: int
    references: int
    left: Mapping[str, int]
    refused: Mapping[str, int]


_LARGE = 1 << 14
_FIRST_WITH_CODES = 2

_UNPROVED = "the result could not be proved"
_CARRIED = (
    "one Pickler wrote several, and later ones need the memo of earlier ones: load them all with one Unpickler, and "
    "dump each with a Pickler of its own"
)


def to_codes(data: Buffer, registry: Registry) -> bytes:
    """Return `data` with live codes of `registry` for names, wherever that is proved to load the same and not to be
    longer, and with the name of today for a former name of what has a load-only code.

    A small message loses its frame and what it puts into its memo and never fetches.
    Raises `MalformedPickleError` where not even the first pickle is whole.
    """
    made = brief(data, registry) if type(data) is bytes else None
    return rewrite(data, registry, to="codes").data if made is None else made


def to_names(data: Buffer, registry: Registry) -> bytes:
    """Return `data` with names for the codes that `registry` knows, retired ones included, and names of today for
    former and other ones, but not what renamed modules make of them.

    A pickle on its own names each global once and fetches it from its memo after that, as far as a slot is free.
    Raises `MalformedPickleError` where not even the first pickle is whole.
    """
    return rewrite(data, registry, to="names").data


def rewrite(
    data: Buffer,
    registry: Registry,
    *,
    to: Literal["codes", "names"],
    independent: bool = False,
    renamed: bool = False,
) -> Rewritten:
    """Do what `to_codes` or `to_names` does, and give account of it.

    `independent` says that no pickle in `data` shares a memo with another, where that does not show; `renamed` that
    names are exchanged too for what the rows of ``[renamed]`` for whole modules make of them.
    """
    data = data if type(data) is bytes else flat(data)
    rest = pickles_in(data, alone=True)
    first = next(rest)
    # Most often there is one pickle, and nothing to find out.
    one = first.stop + 1 == len(data)
    bound = ((first, FREE),) if one else _row(data, first, rest, alone=independent, to=to)
    if bound is None:
        return _carried(data, rest)
    pieces: list[Buffer] = []
    left: dict[str, int] = {}
    refused: dict[str, int] = {}
    pickles = changed = references = done = 0
    try:
        for pickle, bond in bound:
            pickles += 1
            if to == "names":
                new, count = _named(pickle, registry, left, alone=one or independent, renamed=renamed)
            else:
                new, count = _coded(pickle, registry, bond, left)
            if isinstance(new, str):
                refused[new] = refused.get(new, 0) + 1
                continue
            if not count:
                continue
            if done < pickle.begin:
                pieces.append(data[done : pickle.begin])
            pieces.append(new)
            done = pickle.stop + 1
            changed += 1
            references += count
    except MalformedPickleError:
        refused["malformed"] = 1
    if done < len(data):
        pieces.append(data[done:] if done else data)
    # Most often there is one pickle, and nothing to join.
    new_data = pieces[0] if len(pieces) == 1 and isinstance(pieces[0], bytes) else b"".join(pieces)
    return Rewritten(new_data, pickles, changed, references, left, refused)


def _exchanged(pickle: Pickle, plan: Plan, left: dict[str, int]) -> tuple[bytes | str, int]:
    """Return the pickle as `plan` has it, or why it is refused, and how many references are others then.

    Those that are not are counted in `left`.
    """
    for reason, count in plan.left.items():
        left[reason] = left.get(reason, 0) + count
    return (_followed(pickle, plan), len(plan.edits)) if plan.edits else (b"", 0)


def _coded(pickle: Pickle, registry: Registry, bond: Bond, left: dict[str, int]) -> tuple[bytes | str, int]:
    """Return the same with live codes for names, and with names of today for former ones of what is load-only."""
    made, coded_count = _exchanged(pickle, shortened(pickle, registry, bond), left)
    former_of = registry.derived(without_live_code)
    if isinstance(made, str) or pickle.protocol < _FIRST_WITH_CODES or not former_of:
        return made, coded_count
    if coded_count:
        pickle = next(pickles_in(made, alone=True))
    plan = healed(pickle, registry, only=former_of)
    # They have been counted once, as what has no live code.
    left[NO_LIVE_CODE] = left.get(NO_LIVE_CODE, 0) - len(plan.edits) - sum(plan.left.values())
    if not left[NO_LIVE_CODE]:
        del left[NO_LIVE_CODE]
    found, count = _exchanged(pickle, plan, left)
    return (found if count else made), coded_count + count


def _named(
    pickle: Pickle, registry: Registry, left: dict[str, int], *, alone: bool, renamed: bool
) -> tuple[bytes | str, int]:
    """Return the same with names of today: first for former names, then for codes."""
    made, healed_count = _exchanged(pickle, healed(pickle, registry, renamed=renamed), left)
    if isinstance(made, str):
        return made, 0
    if healed_count:
        pickle = next(pickles_in(made, alone=True))
    found, count = _exchanged(pickle, expanded(pickle, registry, alone=alone), left)
    return (found if count else made), healed_count + count


def _row(
    data: Buffer, first: Pickle, rest: Iterator[Pickle], *, alone: bool, to: Literal["codes", "names"]
) -> Iterable[tuple[Pickle, Bond]] | None:
    """Return the pickles of a row with what they have to keep; None if it is carried, and its memo would change."""
    free = zip(chain((first,), rest), repeat(FREE))
    if to == "names":
        return free  # which leaves every memo as it is
    fetch = fetching(data)
    if fetch is None:
        return None
    return free if alone else _bound(data, first, rest, fetch)


def _bound(data: Buffer, first: Pickle, rest: Iterator[Pickle], fetch: set[int]) -> Iterator[tuple[Pickle, Bond]]:
    """Yield the pickles of a row with what they have to keep; raise what their walk raises, but after the last one."""
    pickles, fault = [first], None
    try:
        pickles.extend(rest)
    except MalformedPickleError as error:
        fault = error
    yield from zip(pickles, bonds(data, pickles, fetch), strict=True)
    if fault is not None:
        raise fault


def _carried(data: Buffer, rest: Iterator[Pickle]) -> Rewritten:
    """Leave a row alone of which one pickle fetches what another memoized: each edit would shift the slots.

    `rest` are all but the first.
    """
    pickles = 1
    refused = {}
    try:
        for _ in rest:
            pickles += 1
    except MalformedPickleError:
        refused["malformed"] = 1
    refused[_CARRIED] = pickles
    return Rewritten(data if type(data) is bytes else bytes(data), pickles, 0, 0, {}, refused)


def pickles_in(data: Buffer, *, alone: bool = False) -> Iterator[Pickle]:
    """Yield the pickles in `data`; raise `MalformedPickleError` after the last whole one.

    What each fetches from the memo is read as its own where they stand `alone`.
    """
    begin, protocol = 0, 0
    frames: list[Found] = []
    references: list[Found] = []
    for batch in batches(data, framing=True, alone=alone):
        for found in batch:
            kind, offset, number = found[0], found[1], found[5]
            if kind == "stop":
                # Half the time of ``Pickle(...)``.
                yield tuple.__new__(Pickle, (data, begin, offset, protocol, frames, references))
                begin, protocol = offset + 1, 0
                frames, references = [], []
            elif kind == "frame":
                frames.append(found)
            elif kind == "proto":
                protocol = number or 0
                if offset != begin:
                    protocol = VARYING
            else:
                references.append(found)


def _followed(pickle: Pickle, plan: Plan) -> bytes | str:
    """Return the pickle as `plan` has it, or why it is refused."""
    if plan.whole is not None:
        return plan.whole if proved_whole(pickle, plan, plan.whole) else _UNPROVED
    edits = sorted(plan.edits + plan.memos) if plan.memos else plan.edits
    if not sound(pickle.frames, edits, pickle.stop):
        return "its frames do not fit"
    edits = reframed(pickle.frames, edits, pickle.begin, pickle.stop)
    made = _edited(pickle, edits)
    return made if proved(pickle, plan, edits, made) else _UNPROVED


def _edited(pickle: Pickle, edits: list[Edit]) -> bytes:
    """Return the pickle with `edits`."""
    # A slice of a view is no copy, but takes a while to make.
    data = memoryview(pickle.data) if pickle.stop - pickle.begin > _LARGE else pickle.data
    pieces, done = [], pickle.begin
    for start, end, new in edits:
        pieces += [data[done:start], new]
        done = end
    return b"".join([*pieces, data[done : pickle.stop + 1]])
