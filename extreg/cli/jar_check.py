"""jar check: whether today's code reads the pickles in the jar as it did."""

import argparse
import sys
from pathlib import Path

from extreg.cli.command import Command, registry_option
from extreg.cli.output import coloured, note, say, say_as_it_is, say_json
from extreg.cli.progress import watched
from extreg.cli.stored import plural
from extreg.jar.checking import Fault
from extreg.jar.entries import pickle_of, strays
from extreg.jar.folder import jar_folder
from extreg.jar.inspection import Checked, check, chosen
from extreg.jar.trials import SECONDS
from extreg.printable import printable
from extreg.project.effective import module_path, read_effective
from extreg.project.locate import registry_path

_COLOURS = {"    -": "red", "    +": "green"}


def _run(arguments: argparse.Namespace) -> int:
    path = registry_path(arguments.registry)
    registry = read_effective(path)
    folder = jar_folder(path)
    entries = chosen(folder, arguments.entries)
    work = check(folder, entries, registry, module_path(path), seconds=arguments.timeout, update=arguments.update)
    checked = sorted(watched(work, "pickles"), key=lambda one: one.entry.name)
    without = [] if arguments.entries else strays(folder, entries)
    if arguments.format == "json":
        say_json(_as_json(folder, checked, without))
    else:
        _print(folder, checked)
    for stray in without:
        note(f"{stray} has no record, and was not looked at", label="unknown", colour="red")
    if any(one.faults for one in checked):
        return 1
    return 2 if without else 0


def _print(folder: Path, checked: list[Checked]) -> None:
    for one in checked:
        for fault in one.faults:
            _say_fault(fault, str(pickle_of(folder, one.entry)))
        if one.updated:
            say(f"updated {pickle_of(folder, one.entry).with_suffix('.toml')}")
    faults = sum(len(one.faults) for one in checked)
    bad = sum(bool(one.faults) for one in checked)
    found = f"{plural(faults, 'finding')} in {bad} of {plural(len(checked), 'pickle')}"
    say(f"{folder}: {found}" if faults else f"{folder}: {plural(len(checked), 'pickle')}, as recorded")


def _say_fault(fault: Fault, place: str) -> None:
    """Print one thing that is wrong, what was in red and what is in green."""
    for line in map(printable, fault.shown(place)):
        colour = _COLOURS.get(line[:5])
        say_as_it_is(line if colour is None else coloured(line, colour, sys.stdout))


def _as_json(folder: Path, checked: list[Checked], without: list[Path]) -> dict[str, object]:
    return {
        "jar": str(folder),
        "checked": len(checked),
        "findings": [fault.as_json() for one in checked for fault in one.faults],
        "updated": [one.entry.name for one in checked if one.updated],
        "unknown": [str(path) for path in without],
    }


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds <= 86400:
        raise ValueError
    return seconds


_seconds.__name__ = "number of seconds"


def seconds_option(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the ``--timeout`` of what loads pickles."""
    parser.add_argument(
        "--timeout",
        type=_seconds,
        default=SECONDS,
        metavar="SECONDS",
        help=f"how long one pickle may take to load (default: {SECONDS:g})",
    )


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("entries", nargs="*", metavar="ENTRY", help="names or files of entries (default: all)")
    parser.add_argument(
        "--update", action="store_true", help="let the records say what there is now; look at the findings first"
    )
    seconds_option(parser)
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    registry_option(parser)


COMMAND = Command(
    name="jar check",
    description="LOAD the pickles in the jar with the code of today, in a child process and under the registry: "
    "nothing that the registry does not hold is imported or called. Found is what does not load, what has become "
    "something else than its record says, an attribute that the class of today certainly has and the object lacks, "
    "and a repr, hash, copy or dump that raises. One that crashes or hangs costs only itself.",
    examples="  extreg jar check\n"
    "  extreg jar check tests/jar/shop.models.Order-1a2b3c4d.pickle\n"
    "  extreg jar check --update             after a look at what is found\n"
    "  extreg jar check --format json",
    configure=_configure,
    run=_run,
)
