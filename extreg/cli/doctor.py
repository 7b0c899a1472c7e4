"""doctor: does every process have the codes."""

import argparse
import sys
from pathlib import Path

from extreg.cli.command import Command, registry_option
from extreg.cli.output import coloured, say, say_as_it_is, say_json, short
from extreg.doctor.examination import examine
from extreg.doctor.verdicts import Verdict, worst
from extreg.doctor.wishes import read_wishes
from extreg.printable import printable
from extreg.project.locate import registry_path

_COLOURS = {"well": "green", "not well": "red", "cannot tell": "yellow", "not used": "dim"}


def _doctor(arguments: argparse.Namespace) -> int:
    path = registry_path(arguments.registry)
    verdicts = examine(path, read_wishes(Path.cwd(), arguments.main, arguments.celery, arguments.dask))
    if arguments.format == "json":
        say_json({"registry": str(path), "verdicts": [_as_json(verdict) for verdict in verdicts]})
    else:
        _show(verdicts, short(str(path)))
    return worst(verdicts)


def _show(verdicts: list[Verdict], path: str) -> None:
    name = max(len(verdict.name) for verdict in verdicts)
    for verdict in verdicts:
        mark = coloured(f"{verdict.kind:11}", _COLOURS[verdict.kind], sys.stdout)
        say_as_it_is(f"{mark}  {verdict.name:{name}}  {printable(verdict.found)}")
        if verdict.cure and verdict.kind != "well":
            say_as_it_is(f"    {coloured('hint:', 'cyan', sys.stdout)} {printable(verdict.cure)}")
    counts = {kind: sum(verdict.kind == kind for verdict in verdicts) for kind in ("not well", "cannot tell")}
    bad = ", ".join(f"{count} {kind}" for kind, count in counts.items() if count)
    say(f"{path}: {bad or 'all well'}")


def _as_json(verdict: Verdict) -> dict[str, object]:
    return {"name": verdict.name, "verdict": verdict.kind, "found": verdict.found, "cure": verdict.cure}


def _configure(parser: argparse.ArgumentParser) -> None:
    registry_option(parser)
    parser.add_argument("--main", metavar="SCRIPT", help="the program's file; its top level is executed, as spawn does")
    parser.add_argument("--celery", metavar="APP", help="ask the running workers of this app, named as for celery -A")
    parser.add_argument("--dask", metavar="ADDRESS", help="ask this scheduler and its workers, such as tcp://host:8786")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")


COMMAND = Command(
    name="doctor",
    description="Start one process of each kind that the project uses (a plain one, those of multiprocessing's start "
    "methods, loky, subinterpreters), ask the engines that are named, and compare what stands in each with the "
    "registry and all it includes. With --main each child runs that script as spawn does: its top level is executed, "
    'without what stands under if __name__ == "__main__"; without it each calls extreg.install(). Besides: autoload, '
    "the wheel, the start-up cache, git's merge driver, pre-commit hooks, load-only rows that are old, codes that "
    "installed distributions take, and whether the program finds what the command line finds. [tool.extreg.doctor] in "
    "pyproject.toml has the same keys: main, celery, dask. Exit code 0: all well; 1: something is not; 2: something "
    "cannot be told.",
    examples="  extreg doctor\n  extreg doctor --main manage.py --celery shop.tasks\n"
    "  extreg doctor --dask tcp://scheduler:8786 --format json",
    configure=_configure,
    run=_doctor,
)
