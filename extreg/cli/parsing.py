"""From arguments to the command that they call."""

import argparse
from collections.abc import Sequence
from textwrap import fill
from typing import Any, NoReturn

from extreg import __version__
from extreg.cli.command import Command
from extreg.cli.commands import COMMANDS, entry_of, load
from extreg.cli.output import say
from extreg.errors import UnreadableError
from extreg.printable import printable

_DESCRIPTION = "Stable pickle extension codes from a committed registry.toml."
_EPILOG = """\
exit codes: 0 done or clean, 1 findings or refused, 2 wrong usage, unreadable or malformed input

examples:
  extreg init                             write a new registry.toml here
  extreg add shop.models:Order            give a class its code
  extreg lint                             check the file, in CI
"""


class _Parser(argparse.ArgumentParser):
    """A parser whose complaints show what they were given as everything else is shown."""

    def error(self, message: str) -> NoReturn:
        super().error(printable(message))


def run_command(argv: Sequence[str]) -> int:
    """Run the command that `argv` calls and return its exit code.

    ``--registry`` may stand before the command as well as after it.
    """
    try:
        before, name, rest = _split(argv)
        if name is None:
            say(*_parser().format_help().splitlines())
            return 0
        entry = entry_of(name)
        if entry is None:
            raise _unknown(name)
        command = load(entry)
        arguments = _parser_of(command).parse_args(_with_registry(command, before, rest))
    except SystemExit as stop:  # argparse's way to end after --help or a usage error
        return int(stop.code or 0)
    code: int = arguments.run(arguments)
    return code


def _split(argv: Sequence[str]) -> tuple[str | None, str | None, Sequence[str]]:
    """Return the registry that is named before the command, the command, and its own arguments."""
    parser = _parser()
    parser.add_argument("command", nargs="?", help=argparse.SUPPRESS)
    position = 0
    while position < len(argv) and argv[position].startswith("-"):
        position += 2 if argv[position] == "--registry" else 1
    found = parser.parse_args(argv[: position + 1])
    return found.registry, found.command, argv[position + 1 :]


def _with_registry(command: Command, registry: str | None, rest: Sequence[str]) -> Sequence[str]:
    rest = command.adapt(rest)
    return rest if registry is None else [f"--registry={registry}", *rest]


def _unknown(name: str) -> UnreadableError:
    from difflib import get_close_matches

    near = get_close_matches(name, [entry.name for entry in COMMANDS], n=1)
    hint = f"did you mean: extreg {near[0]}" if near else "extreg --help lists all commands"
    return UnreadableError(f"there is no command {name!r}", hint)


def _parser() -> argparse.ArgumentParser:
    """Return the parser of what stands before the command, whose help lists the commands."""
    width = max(len(entry.name) for entry in COMMANDS)
    commands = "\n".join(f"  {entry.name:{width}}  {entry.help}" for entry in COMMANDS)
    parser = _Parser(
        prog="extreg",
        usage="extreg [-h] [--version] [--registry PATH] COMMAND ...",
        description=_DESCRIPTION,
        epilog=f"commands:\n{commands}\n\n{_EPILOG}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"extreg {__version__}")
    parser.add_argument("--registry", metavar="PATH", help="the registry file, for the commands that take one")
    return parser


def _parser_of(command: Command) -> argparse.ArgumentParser:
    parser = _Parser(prog=f"extreg {command.name}", **_described(command))
    command.configure(parser)
    parser.set_defaults(run=command.run)
    return parser


def _described(command: Command) -> dict[str, Any]:
    return {
        "description": fill(command.description, width=90),
        "epilog": f"examples:\n{command.examples}",
        "formatter_class": argparse.RawDescriptionHelpFormatter,
        "allow_abbrev": False,
    }


def whole_parser() -> argparse.ArgumentParser:
    """Return one parser of all commands, for whoever wants to know them all; it imports every one."""
    parser = _parser()
    commands = parser.add_subparsers(dest="command", metavar="COMMAND")
    for entry in COMMANDS:
        command = load(entry)
        command.configure(commands.add_parser(entry.name, help=entry.help, **_described(command)))
    return parser
