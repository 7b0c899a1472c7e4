"""What the commands on stored pickles share."""

import argparse
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path

from extreg.cli.command import registry_option
from extreg.cli.output import note
from extreg.printable import printable
from extreg.project.effective import read_effective
from extreg.project.locate import registry_path_if_any
from extreg.registry.model import Registry
from extreg.stores.files import Found
from extreg.stores.items import Fault


def registry_if_any(arguments: argparse.Namespace) -> tuple[Path | None, Registry | None]:
    """Return the registry with all that it includes, and where it stands; None where there is none to be found."""
    path = registry_path_if_any(arguments.registry)
    return (path, read_effective(path)) if path is not None else (None, None)


def say_faults(faults: Iterable[tuple[Found, Fault]], label: str = "unreadable") -> None:
    """Print what could not be read, or what else `label` says, one line each."""
    for found, fault in faults:
        place = f"{found.path}::{fault.member}" if fault.member else str(found.path)
        note(f"{place}: {fault.message}", label=label, colour="red")


def say_passed(passed: Iterable[tuple[Found, Mapping[str, int]]]) -> None:
    """Print in one line how much that may hold pickles was passed over, by kind, and where the first of it is."""
    total: Counter[str] = Counter()
    first = None
    for found, kinds in passed:
        first = first or found.path
        total.update(kinds)
    if first is not None:
        shown = ", ".join(f"{count} {kind}" for kind, count in sorted(total.items(), key=lambda item: (-item[1], item)))
        note(f"{sum(total.values())} passed over ({shown}), the first in {first}", label="unknown", colour="red")


def passed_as_json(passed: Iterable[tuple[Found, Mapping[str, int]]]) -> list[dict[str, object]]:
    """Return what was passed over as JSON has it."""
    return [
        {"path": str(found.path), "kind": kind, "count": count}
        for found, kinds in passed
        for kind, count in sorted(kinds.items())
    ]


def faults_as_json(faults: Iterable[tuple[Found, Fault]]) -> list[dict[str, str]]:
    """Return what could not be read as JSON has it."""
    return [{"path": str(found.path), "member": fault.member, "message": fault.message} for found, fault in faults]


def plural(count: int, noun: str) -> str:
    """Return ``1 file``, ``2 files``."""
    return f"{count} {noun}{'s' if count != 1 else ''}"


def table(rows: Iterable[tuple[object, ...]], head: tuple[str, ...], right: int) -> list[str]:
    """Return lines of columns under their heads, the first `right` of them aligned to the right."""
    cells = [head, *(tuple(printable(str(value)) for value in row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    return [
        "  ".join(
            cell.rjust(width) if column < right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]


def path_arguments(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the PATHs, ``--format`` and ``--registry``."""
    parser.add_argument("paths", nargs="+", metavar="PATH", help="a file, or a folder with all that is below it")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    registry_option(parser)
