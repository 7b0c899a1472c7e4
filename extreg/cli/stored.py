"""What the commands on stored pickles share."""

import argparse
import sys
from collections.abc import Iterable
from pathlib import Path

from extreg.cli.output import coloured
from extreg.files.effective import read_effective
from extreg.files.found import Found
from extreg.files.project import registry_path_if_any
from extreg.files.stored import Fault
from extreg.registry.model import Registry

JSON_VERSION = 1


def registry_if_any(arguments: argparse.Namespace) -> tuple[Path | None, Registry | None]:
    """Return the registry with all that it includes, and where it stands; None where there is none to be found."""
    path = registry_path_if_any(arguments.registry)
    return (path, read_effective(path)) if path is not None else (None, None)


def say_faults(faults: Iterable[tuple[Found, Fault]]) -> None:
    """Print what could not be read, one line each."""
    for found, fault in faults:
        place = f"{found.path}::{fault.member}" if fault.member else str(found.path)
        print(
            f"{coloured('unreadable:', 'red', sys.stderr)} {printable(place)}: {printable(fault.message)}",
            file=sys.stderr,
        )


def faults_as_json(faults: Iterable[tuple[Found, Fault]]) -> list[dict[str, str]]:
    """Return what could not be read as JSON has it."""
    return [{"path": str(found.path), "member": fault.member, "message": fault.message} for found, fault in faults]


def printable(text: str) -> str:
    """Return `text` as a terminal may show it: names may be anything, and a terminal obeys some of it."""
    return text if text.isprintable() else text.encode("unicode_escape", "surrogatepass").decode("ascii")


def plural(count: int, noun: str) -> str:
    """Return ``1 file``, ``2 files``."""
    return f"{count} {noun}{'s' if count != 1 else ''}"


def table(rows: Iterable[tuple[object, ...]], head: tuple[str, ...], right: int) -> list[str]:
    """Return lines of columns under their heads, the first `right` of them aligned to the right."""
    cells = [head, *(tuple(str(value) for value in row) for row in rows)]
    widths = [max(len(row[column]) for row in cells) for column in range(len(head))]
    return [
        "  ".join(
            cell.rjust(width) if column < right else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in cells
    ]
