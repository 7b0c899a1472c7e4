"""retire: spend codes for ever."""

import argparse
from collections.abc import Callable
from datetime import datetime, timezone
from pathlib import Path

from extreg.cli.codes import codes_arguments, each
from extreg.cli.command import Command
from extreg.cli.output import note
from extreg.project.locate import registry_path
from extreg.registry import life
from extreg.registry.model import Registry


def _retire(arguments: argparse.Namespace) -> int:
    check = _check_of(arguments) if arguments.census is not None else None

    def retire(registry: Registry, code: int, everything: Registry) -> Registry:
        after = life.retire(registry, code, now=arguments.now, everything=everything)
        if check is not None:
            check(code, after.retired[code])
        return after

    return each(retire, "retired")(arguments)


def _check_of(arguments: argparse.Namespace) -> Callable[[int, str], None]:
    """Return what refuses to retire a code that the census does not clear."""
    from extreg.census.demoted import demotion_of
    from extreg.census.journal import read_census
    from extreg.census.places import canonical, configured_places
    from extreg.census.verdict import check_covers, check_time, check_unused, seen

    path = registry_path(arguments.registry)
    name = str(arguments.census)
    places = [canonical(place) for place in configured_places(path.absolute().parent)]
    census = read_census(arguments.census)
    check_covers(census, name, places)

    def check(code: int, target: str) -> None:
        check_unused(census, name, code, target)
        check_time(census, name, code, demotion_of(code, path), datetime.now(timezone.utc))
        note(f"code {code}: {seen(census, name)}")

    return check


def _configure_retire(parser: argparse.ArgumentParser) -> None:
    group = parser.add_mutually_exclusive_group()
    group.add_argument("--now", action="store_true", help="also retire a live code, without a load-only step")
    group.add_argument(
        "--census",
        type=Path,
        metavar="FILE",
        help="only if this census of all [tool.extreg] places was started after the codes were demoted, and has none",
    )
    codes_arguments(parser)


COMMAND = Command(
    name="retire",
    description="Retire load-only codes: pickles that hold them no longer load, and the numbers are never "
    "given out again. No command brings them back. With --census it is refused (1) where the census does not cover all "
    "places, is not finished, did not understand everything, counts the code, or was started before the commit that "
    "demoted it; without git nobody can say (2).",
    examples="  extreg retire 18220\n  extreg retire 18220 --census census.json\n"
    "  extreg retire --now shop.legacy:Cart",
    configure=_configure_retire,
    run=_retire,
)
