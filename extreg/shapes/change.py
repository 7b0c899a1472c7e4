"""What is told of a change of state: the two sides of it, what Python will say, and what to write."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

_SHOWN = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One change of a class or function that a pickle of one side will not survive on the other.

    ``wrote`` and ``reads`` are what the side that dumps has, and the side that loads; ``effect`` is what happens then:
    at the ``load``, when what was loaded is ``used``, or nothing that an error tells of (``silent``).  ``edits`` are
    cures for the side that loads, the cheapest first.
    """

    rule: str
    wrote: str
    reads: str
    when: Literal["load", "used", "silent"]
    effect: str
    edits: tuple[str, ...] = ()
    gone: str = ""
    note: bool = False


def listed(names: Iterable[str]) -> str:
    """Return names for a sentence, the first of many."""
    every = list(names)
    if len(every) > _SHOWN + 1:
        return f"{', '.join(every[:_SHOWN])} and {len(every) - _SHOWN} more"
    return ", ".join(every)


def quoted(names: Iterable[str]) -> str:
    """Return names in quotes for a sentence, the first of many."""
    return listed(repr(name) for name in names)
