"""census: adding up censuses that were taken in parts."""

import argparse
import os
from pathlib import Path

from extreg.census.journal import as_bytes, read_census
from extreg.census.record import Census, written
from extreg.census.sums import added
from extreg.cli.command import Command, registry_option
from extreg.cli.counted import Known, print_counts, say_unread
from extreg.cli.output import note, say, say_as_it_is
from extreg.cli.stored import plural, registry_if_any
from extreg.disk.atomic import explained, write
from extreg.disk.locking import locked
from extreg.errors import UnreadableError


def _run(arguments: argparse.Namespace) -> int:
    """Run the command with its arguments; return the exit code."""
    _, registry = registry_if_any(arguments)
    censuses: dict[str, Census] = {}
    for path in arguments.files:
        if str(path) in censuses:
            raise UnreadableError(f"{path} is given twice, and would count twice", "give each file once")
        censuses[str(path)] = read_census(path)
    census = added(censuses)
    if arguments.output is not None:
        _write(arguments.output, as_bytes(census))
        note(f"written to {arguments.output}")
    if arguments.format == "json":
        say_as_it_is(as_bytes(census).decode().rstrip())
    elif arguments.output is None:
        _print(census)
        print_counts(census.counts, Known(registry), "cell")
    if arguments.format == "text":
        say_unread(census.counts)
    return 0 if census.counts.whole else 2


def _print(census: Census) -> None:
    finished = written(census.finished) if census.finished is not None else ""
    say(f"started {written(census.started)}, finished {finished}")
    for place in census.places:
        say(f"{place.place}: {plural(place.cells, 'cell')}")
    if census.options.code is not None:
        say(f"code {census.options.code} alone was looked for")
    say("")


def _write(path: Path, data: bytes) -> None:
    """Put the sum into a file for its owner alone, as a journal is."""
    with locked(path), explained(path):
        if not path.exists():
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
        write(path, data, was=path.read_bytes())
        path.chmod(0o600)


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=("merge",), metavar="merge", help="add up the censuses in FILEs")
    parser.add_argument("files", nargs="+", type=Path, metavar="FILE", help="what extreg scan --journal FILE wrote")
    parser.add_argument("--output", type=Path, metavar="FILE", help="write the sum to a file that is a census too")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    registry_option(parser)


COMMAND = Command(
    name="census",
    description=(
        "Add up censuses of stored pickles: all parts of one (scan --part K/N), or whole ones of different places. "
        "Exit code: 2 where a part is missing, stands twice, or was cut from other places, which is then named; also "
        "where something in them was not understood."
    ),
    examples="  extreg census merge 1.json 2.json 3.json\n"
    "  extreg census merge part-*.json --output census.json\n"
    "  extreg retire 4711 --census census.json",
    configure=_configure,
    run=_run,
)
