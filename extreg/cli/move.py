"""move: let a code follow a class that moved."""

import argparse

from extreg.cli.command import Command, registry_option
from extreg.cli.output import note, say
from extreg.cli.targets import resolved, target_options
from extreg.project.effective import effective
from extreg.project.locate import registry_path
from extreg.registry import life
from extreg.registry.file import update
from extreg.registry.model import Registry
from extreg.registry.toml.render import row


def _move(arguments: argparse.Namespace) -> int:
    path = registry_path(arguments.registry)
    (new,) = resolved([arguments.new], path, arguments)
    moved: list[int] = []

    def change(registry: Registry) -> Registry:
        everything = effective(registry, path).everything
        moved.append(life.find(everything, arguments.code))
        return life.move(registry, moved[0], new, everything=everything)

    before, after = update(path, change)
    former = before.require().target(moved[0])
    say(f"moved {row(moved[0], new)}" if before.text != after.text else f"unchanged {row(moved[0], new)}")
    if before.text != after.text:
        note(f"pickles that hold code {moved[0]} load {new} from now on; those that hold the name {former} do not")
    return 0


def _configure_move(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", metavar="CODE", help="a code, or the target it has until now")
    parser.add_argument("new", metavar="NEW", help="the target it has from now on")
    target_options(parser)
    registry_option(parser)


COMMAND = Command(
    name="move",
    description="Change the target of a live or load-only code, because the class moved, and record the former one.",
    examples="  extreg move shop.orders:Order shop.models:Order",
    configure=_configure_move,
    run=_move,
)
