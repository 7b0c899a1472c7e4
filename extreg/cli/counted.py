"""How what was counted is shown: as text, as JSON, and what was not understood on stderr."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from extreg.census.counts import TOLD, Counts, Name, Told, Total
from extreg.cli.output import note, say
from extreg.cli.progress import size
from extreg.cli.stored import plural, table
from extreg.registry.model import Registry
from extreg.stores.resolving import Resolved


class Known(NamedTuple):
    """What is known of what was counted: the ``registry``, if there is one, and what ``--resolve`` found, if asked."""

    registry: Registry | None
    resolved: Mapping[Name, Resolved] | None = None

    def state(self, code: int) -> str | None:
        """Return the state of a code, or None where there is no registry to have it."""
        return (self.registry.state(code) or "unknown") if self.registry is not None else None

    def target(self, code: int) -> str | None:
        """Return what a code means or meant, or None where nobody knows."""
        if self.registry is None:
            return None
        return self.registry.target(code) or self.registry.retired.get(code)

    def code(self, name: Name) -> int | None:
        """Return the live code of what a name is called today, which rewriting puts in its place."""
        return self.registry.code(self.current(name)) if self.registry is not None else None

    def current(self, name: Name) -> str:
        """Return what is called today what a pickle calls by a module and a name."""
        spelled = ":".join(name)
        return self.registry.current(spelled) if self.registry is not None else spelled


def print_counts(counts: Counts, known: Known, noun: str) -> None:
    """Print what was counted; `noun` is what holds pickles: a file, or a cell."""
    say(
        f"{plural(counts.pickles, 'pickle')} ({size(counts.bytes)}) in {plural(counts.holding, noun)}"
        f"; {counts.without} without"
    )
    columns = ("pickles", "references", "bytes", f"{noun}s")
    if counts.codes:
        rows: list[tuple[object, ...]] = [
            (code, *_numbers(total), known.state(code) or "no registry", known.target(code) or "")
            for code, total in _ordered(counts.codes)
        ]
        say("", *table(rows, ("code", *columns, "state", "target"), 5))
    if counts.globals:
        resolved = known.resolved
        rows = [
            (
                *_numbers(total),
                known.code(name) or "",
                *([resolved[name].today] if resolved is not None else []),
                _shown(name, known),
            )
            for name, total in _ordered(counts.globals)
        ]
        more = ("today",) if resolved is not None else ()
        say("", *table(rows, (*columns, "code", *more, "global by name"), 5))
    if counts.unresolved:
        say("", f"{plural(counts.unresolved, 'reference')} that only an execution would resolve: extreg dis shows them")


def counts_as_json(counts: Counts, known: Known, path: str | None) -> dict[str, Any]:
    """Return what was counted as JSON has it; `path` is that of the registry."""
    resolved = known.resolved
    return {
        "registry": path,
        "read": counts.read,
        "holding": counts.holding,
        "pickles": counts.pickles,
        "bytes": counts.bytes,
        "codes": [
            {"code": code, "state": known.state(code), "target": known.target(code), **total._asdict()}
            for code, total in sorted(counts.codes.items())
        ],
        "globals": [
            {
                "module": module,
                "name": name,
                "current": known.current((module, name)),
                "code": known.code((module, name)),
                "today": resolved[module, name].today if resolved is not None else None,
                "why": (resolved[module, name].why or None) if resolved is not None else None,
                **total._asdict(),
            }
            for (module, name), total in sorted(counts.globals.items())
        ],
        "unresolved": counts.unresolved,
        **unread_as_json(counts),
    }


def unread_as_json(counts: Counts) -> dict[str, Any]:
    """Return what was not understood as JSON has it: the first of it, where there is very much."""
    return {
        "unreadable": [told._asdict() for told in _by_path(counts.unreadable)],
        "unknown": [
            {"path": path, "kind": kind, "count": count} for (path, kind), count in sorted(counts.unknown.items())
        ],
    }


def say_unread(counts: Counts) -> None:
    """Print what could not be read, one line each, and in one line how much was passed over and where the first is."""
    for told in _by_path(counts.unreadable):
        place = f"{told.path}::{told.member}" if told.member else told.path
        note(f"{place}: {told.message}", label="unreadable", colour="red")
    if len(counts.unreadable) == TOLD:
        note(f"and more: {counts.faults} in all", label="unreadable", colour="red")
    if counts.opaque:
        kinds = sorted(counts.opaque.items(), key=lambda item: (-item[1], item))
        shown = ", ".join(f"{count} {kind}" for kind, count in kinds)
        first = min(counts.unknown)[0]
        note(f"{counts.passed} passed over ({shown}), the first in {first}", label="unknown", colour="red")


def _by_path(told: Iterable[Told]) -> list[Told]:
    """Return faults in the order of their paths, those of one as they came."""
    return sorted(told, key=lambda fault: fault.path)


def _numbers(total: Total) -> tuple[int, int, int, int]:
    return total.pickles, total.references, total.bytes, total.files


def _ordered(totals: "Mapping[Any, Total]") -> "list[tuple[Any, Total]]":
    """Return what takes most bytes first."""
    return sorted(totals.items(), key=lambda item: (-item[1].bytes, item[0]))


def _shown(name: Name, known: Known) -> str:
    today, spelled = known.current(name), ":".join(name)
    return today if today == spelled else f"{spelled}, now {today}"
