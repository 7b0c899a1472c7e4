"""What is wrong with an entry of a jar, by what its pickle has become today."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from extreg.errors import MalformedPickleError
from extreg.jar.comparing import above, difference, indent
from extreg.jar.entries import Entry, Loaded, digest_of
from extreg.jar.objects import Gap
from extreg.jar.probing import Raised
from extreg.jar.symbols import read_pickle_as_symbols, tree_of_bytes
from extreg.jar.trials import Answer
from extreg.registry.model import Registry
from extreg.registry.target import is_target

Kind = Literal["altered", "misread", "code-changed", "unloadable", "unrecorded", "different", "lacking", "raising"]

# How many lines of a tree are shown of one thing that is wrong.
_SHOWN = 40
# What stands in a line of a tree where a target does; a key ends with a colon and a space.
_TARGET = re.compile(r"[^\s:\"'()\[\]{},=]+:[^\s:\"'()\[\]{},=]+")
_LOOK = "if that is as it should be: extreg jar check --update"
_ANEW = "take it from git again, or add the pickle anew: extreg jar add FILE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One thing that is wrong with the ``entry`` of that name: of what ``kind``, in words, and as lines of a tree.

    Lines are marked: two spaces for what is as it was, ``-`` for what was and ``+`` for what is.
    """

    entry: str
    kind: Kind
    message: str
    lines: tuple[str, ...] = ()
    hint: str = ""

    def shown(self, place: str) -> list[str]:
        """Return it as lines: what it is at which `place`, what of the tree, and what to do."""
        lines = [f"    {line}" for line in self.lines[:_SHOWN]]
        more = len(self.lines) - _SHOWN
        lines += [f"    and {more} more lines"] if more > 0 else []
        lines += [f"    hint: {self.hint}"] if self.hint else []
        return [f"{place}: {self.kind}: {self.message}", *lines]

    def as_json(self) -> dict[str, Any]:
        """Return the fields as a dict that the json module can write."""
        return {
            "entry": self.entry,
            "kind": self.kind,
            "message": self.message,
            "lines": list(self.lines),
            "hint": self.hint,
        }


def faults_of_bytes(entry: Entry, data: bytes | None, registry: Registry) -> Iterator[Fault]:
    """Yield what is wrong with an entry before anything is loaded; `data` is its pickle, None where there is none."""
    if data is None:
        yield Fault(entry=entry.name, kind="altered", message="its pickle is gone", hint=_ANEW)
        return
    if digest_of(data) != entry.digest:
        message = "its pickle is not the one that the record is of (sha256)"
        yield Fault(entry=entry.name, kind="altered", message=message, hint=_ANEW)
        return
    try:
        tree = tree_of_bytes(read_pickle_as_symbols(data), entry.codes)
    except MalformedPickleError as error:
        yield Fault(entry=entry.name, kind="misread", message=str(error), hint=_ANEW)
        return
    if tuple(tree) != entry.tree:
        lines = tuple(difference(entry.tree, tree))
        message = "[bytes] in its record is not what the bytes say"
        yield Fault(entry=entry.name, kind="misread", message=message, lines=lines, hint=_LOOK)
    for code, target in entry.codes.items():
        now = registry.target(code)
        if now is not None and target not in registry.names(now):
            message = f"code {code} was {target}, and is {now} now"
            hint = f"a code is a promise for ever: extreg show {code} tells its story"
            yield Fault(entry=entry.name, kind="code-changed", message=message, hint=hint)


def faults_of_answer(entry: Entry, answer: Answer, registry: Registry) -> Iterator[Fault]:
    """Yield what is wrong with what the pickle of an entry has become; a class that has moved is the same one."""
    today = _Names(registry).today
    if answer.tree is None:
        yield Fault(entry=entry.name, kind="unloadable", message=answer.error, hint=answer.hint)
        return
    known = entry.loaded
    if known is None:
        message = "it loads, and there is no record of what it should become"
        yield Fault(
            entry=entry.name,
            kind="unrecorded",
            message=message,
            lines=tuple(f"+ {line}" for line in answer.tree),
            hint=_LOOK,
        )
    elif answer.tree != known.tree and (lines := difference(today(known.tree), today(answer.tree))):
        yield Fault(
            entry=entry.name,
            kind="different",
            message="it has become something else",
            lines=tuple(lines),
            hint=_LOOK,
        )
    gaps: dict[tuple[str, str], list[Gap]] = {}
    for gap in answer.lacks:
        if known is None or gap.place not in known.lacks:
            gaps.setdefault((gap.owner, gap.lack.name), []).append(gap)
    yield from (_lacking(entry, answer, same) for same in gaps.values())
    yield from (
        _raising(entry, found) for found in answer.raised if known is None or said(found) not in today(known.raises)
    )


class _Names:
    """The names of today for those in a record."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._any = bool(registry.moved or registry.aliases or registry.renamed)

    def today(self, lines: Sequence[str]) -> list[str]:
        """Return lines with the names of today for former ones: in those of the record as in what they are held to."""
        return [_TARGET.sub(self._now, line) for line in lines] if self._any else list(lines)

    def _now(self, found: "re.Match[str]") -> str:
        return self._registry.current(found[0]) if is_target(found[0]) else found[0]


def loaded_of(answer: Answer, *, looked_at: bool) -> Loaded | None:
    """Return the record of what a pickle has become, None where it does not load.

    What it lacks for certain, and what using it raises, is let pass only when somebody has looked at it.
    """
    if answer.tree is None:
        return None
    return Loaded(
        tree=answer.tree,
        lacks=tuple(gap.place for gap in answer.lacks if looked_at or not gap.lack.sure),
        raises=tuple(map(said, answer.raised)) if looked_at else (),
    )


def said(found: Raised) -> str:
    """Return by what an exception is known again: what it says may change."""
    return f"{found.what} of {found.owner}: {found.kind}"


def _lacking(entry: Entry, answer: Answer, gaps: list[Gap]) -> Fault:
    """Return the fault of an attribute that objects of one class lack, with the first of them as a tree."""
    first = gaps[0]
    name, lines = first.lack.name, list[str]()
    if answer.tree is not None and first.line < len(answer.tree) - 1:
        owner = answer.tree[first.line]
        lines = [f"  {answer.tree[number]}" for number in (*above(answer.tree, first.line), first.line)]
        lines.append(f"+ {' ' * (indent(owner) + 2)}.{name}: not there")
    more = f", and {len(gaps) - 1} more" if len(gaps) > 1 else ""
    cure = (
        "fill it in __setstate__, or by a migration of @versioned (extreg.reduce)"
        if first.lack.slotted
        else f"a default in the class answers for old objects: {name} = ..."
    )
    return Fault(
        entry=entry.name,
        kind="lacking",
        message=f"an object of {first.owner} has no {name}, {first.lack.why}: {first.place}{more}",
        lines=tuple(lines),
        hint=f"{cure}; {_LOOK}",
    )


def _raising(entry: Entry, found: Raised) -> Fault:
    verbs = {"repr": "repr() of", "hash": "hash() of", "copy": "copy.copy of", "deepcopy": "copy.deepcopy of"}
    what = f"{verbs.get(found.what, 'dumping')} {found.owner} raises {found.kind}"
    message = f"{what}: {found.message}" if found.message else what
    return Fault(entry=entry.name, kind="raising", message=message, hint=_LOOK)
