"""What a command is to the command line."""

import argparse
from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One command: how it is called, what its help says, and the function that runs it."""

    name: str
    help: str
    description: str
    examples: str
    configure: Callable[[argparse.ArgumentParser], None]
    run: Callable[[argparse.Namespace], int]


def registry_option(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the ``--registry`` that every command takes."""
    parser.add_argument(
        "--registry",
        metavar="PATH",
        help="the registry file (default: $EXTREG_REGISTRY, else [tool.extreg] registry in pyproject.toml, "
        "else the nearest registry.toml upward)",
    )
