"""retire: spend codes for ever."""

import argparse

from extreg.cli.codes import codes_arguments, each
from extreg.cli.command import Command
from extreg.registry import life
from extreg.registry.model import Registry


def _retire(arguments: argparse.Namespace) -> int:
    def retire(registry: Registry, code: int, everything: Registry) -> Registry:
        return life.retire(registry, code, now=arguments.now, everything=everything)

    return each(retire, "retired")(arguments)


def _configure_retire(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--now", action="store_true", help="also retire a live code, without a load-only step")
    codes_arguments(parser)


COMMAND = Command(
    name="retire",
    description="Retire load-only codes: pickles that hold them no longer load, and the numbers are never "
    "given out again. No command brings them back.",
    examples="  extreg retire 18220\n  extreg retire --now shop.legacy:Cart",
    configure=_configure_retire,
    run=_retire,
)
