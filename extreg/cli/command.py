"""What a command is to the command line."""

import argparse
from collections.abc import Callable, Sequence
from dataclasses import dataclass


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
