"""One pickle that is to be rewritten, and what is to become of it."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field

from extreg.pickles.events import Event
from extreg.pickles.frames import Edit
from extreg.pickles.opcodes import Buffer

# What a reference is to whoever resolves it: module, name and code.
Meaning = tuple[str | None, str | None, int | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pickle:
    """The pickle in ``data[begin:stop + 1]``: its protocol, FRAMEs and references, in order."""

    data: Buffer
    begin: int
    stop: int
    protocol: int
    frames: Sequence[Event]
    references: Sequence[Event]


@dataclass(slots=True, kw_only=True)
class Plan:
    """``edits`` in order, the references that the result must have, and why others are left, with their number."""

    edits: list[Edit] = field(default_factory=list)
    meanings: list[Meaning] = field(default_factory=list)
    left: Counter[str] = field(default_factory=Counter)


def meaning(event: Event) -> Meaning:
    """Return what `event` refers to; all None where that is unresolved."""
    return (event.module, event.name, event.number)
