"""run: one command with the codes in every Python that it starts."""

import argparse
import os

from extreg.autoload import SWITCH
from extreg.autoload.one_command import CommandError, run_with_codes
from extreg.cli.command import Command, registry_option
from extreg.cli.output import note, say_error
from extreg.errors import UnreadableError
from extreg.project.locate import registry_path


def _run(arguments: argparse.Namespace) -> int:
    command = arguments.line[1:] if arguments.line[:1] == ["--"] else arguments.line
    if not command:
        raise UnreadableError("no command to run", "extreg run -- COMMAND, such as: extreg run -- python -m shop")
    registry = os.path.abspath(registry_path(arguments.registry))  # noqa: PTH100 - links may be meant to change
    if os.environ.get(SWITCH) == "0":
        note(f"{SWITCH}=0 is set: the command goes without codes")
    try:
        return run_with_codes(registry, command)
    except CommandError as error:
        say_error(error)
        return error.code


def _configure(parser: argparse.ArgumentParser) -> None:
    registry_option(parser)
    parser.add_argument("line", metavar="-- COMMAND", nargs=argparse.REMAINDER, help="the command, and what it takes")


COMMAND = Command(
    name="run",
    description="Run one command; every Python that it starts, itself or through others, installs the registry at its "
    "start. Nothing is written that stays: a temporary folder with a sitecustomize stands in front of PYTHONPATH until "
    f"the command has ended. A Python with -I, -E or -S does not look there; {SWITCH}=0 switches it off, "
    f"{SWITCH}_STRICT=1 ends a program that would go without its codes. Exit code: the command's own; 127 where there "
    "is none of that name, 126 where it cannot be run.",
    examples="  extreg run -- python -m shop\n  extreg run --registry src/shop/registry.toml -- celery -A shop worker",
    configure=_configure,
    run=_run,
)
