"""What a command is to the command line."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from textwrap import fill


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command: how it is called, what its help says, and the function that runs it.

    ``adapt`` makes calls that were once right what they would be today.  The line of ``extreg --help`` on it is in
    `extreg.cli.commands`.
    """

    name: str
    description: str
    examples: str
    configure: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]
    adapt: Callable[[Sequence[str]], Sequence[str]] = list


def registry_option(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the ``--registry`` that every command takes."""
    parser.add_argument(
        "--registry",
        metavar="PATH|PACKAGE",
        help="the registry file, its folder, or the package that carries it; a path has a separator or ends in .toml "
        "(default: $EXTREG_REGISTRY, else the nearest upward: what [tool.extreg] registry in pyproject.toml names, or "
        "registry.toml)",
    )


def subcommands(parser: argparse.ArgumentParser, commands: Mapping[str, Command]) -> None:
    """Give `parser` the commands that stand behind its own, as ``add`` does in ``jar add``; their lines in its help are
    the keys.
    """
    registry_option(parser)
    parser.set_defaults(print_help=parser.print_help)
    below = parser.add_subparsers(title="commands", metavar="COMMAND")
    for line, command in commands.items():
        added = below.add_parser(
            command.name.rpartition(" ")[2],
            help=line,
            description=fill(command.description, width=90),
            epilog=f"examples:\n{command.examples}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
            allow_abbrev=False,
        )
        command.configure(added)
        for action in added._actions:
            if action.dest == "registry":  # which may stand before the command, and is not forgotten there
                action.default = argparse.SUPPRESS
        added.set_defaults(run=command.run)


def help_alone(arguments: argparse.Namespace) -> int:
    """Print the help of a command that has others behind it, and was called without one."""
    arguments.print_help()
    return 0
