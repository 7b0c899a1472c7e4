"""The command line's frame: arguments in, exit code out, errors as one message."""

import argparse
import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper
from textwrap import fill
from typing import NoReturn

from extreg import __version__
from extreg.cli import cache, demo, diff, life, lint, merge, pickles, show
from extreg.cli.output import note, say_error
from extreg.errors import ExtregError, RegistryError, UnreadableError
from extreg.printable import printable

COMMANDS = (
    *life.COMMANDS,
    *show.COMMANDS,
    *lint.COMMANDS,
    *cache.COMMANDS,
    *diff.COMMANDS,
    *merge.COMMANDS,
    *pickles.COMMANDS,
    *demo.COMMANDS,
)

_DESCRIPTION = "Stable pickle extension codes from a committed registry.toml."
_EPILOG = """\
exit codes: 0 done or clean, 1 findings or refused, 2 wrong usage, unreadable or malformed input

examples:
  extreg init                             write a new registry.toml here
  extreg add shop.models:Order            give a class its code
  extreg lint                             check the file, in CI
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command line and return its exit code."""
    try:
        code = _run(argv)
        sys.stdout.flush()
    except ExtregError as error:
        say_error(error)
        return 2 if isinstance(error, (RegistryError, UnreadableError)) else 1
    except BrokenPipeError:
        # The reader of our output went away, as `| head` does.
        _drop_what_cannot_be_written()
        return 1
    except OSError as error:  # the working directory is gone, the disk full
        _drop_what_cannot_be_written()
        say_error(ExtregError(str(error)))
        return 2
    except KeyboardInterrupt:
        note("interrupted", label="extreg", colour="red")
        return 130
    return code


def _drop_what_cannot_be_written() -> None:
    """See to it that nobody trips over what is still in stdout: whoever writes an error, or Python when it ends."""
    try:
        sys.stdout.flush()
    except OSError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(argv: Sequence[str] | None) -> int:
    try:
        arguments = _parser().parse_args(merge.with_operands(sys.argv[1:] if argv is None else list(argv)))
    except SystemExit as stop:  # argparse's way to end after --help or a usage error
        return int(stop.code or 0)
    code: int = arguments.run(arguments)
    return code


def run() -> NoReturn:
    """Run the command line and leave the process with its exit code."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # a name that the terminal cannot show is shown escaped
            stream.reconfigure(errors="backslashreplace")
    raise SystemExit(main())


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints show what they were given as everything else is shown."""

    def error(self, message: str) -> NoReturn:
        super().error(printable(message))


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog="extreg",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"extreg {__version__}")
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        sub = commands.add_parser(
            command.name,
            help=command.help,
            description=fill(command.description, width=90),
            epilog=f"examples:\n{command.examples}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        command.configure(sub)
        sub.set_defaults(run=command.run)
    return parser
