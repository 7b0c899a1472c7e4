"""move: let a code follow a class that moved, or all codes below a module that moved."""

import argparse
from collections.abc import Mapping
from pathlib import Path

from extreg.cli.command import Command, registry_option
from extreg.cli.output import note, say
from extreg.cli.targets import accepted, resolved, target_options
from extreg.errors import ExtregError
from extreg.project.effective import effective
from extreg.project.locate import registry_path
from extreg.registry import life
from extreg.registry.document import read_document
from extreg.registry.file import update
from extreg.registry.model import Registry
from extreg.registry.other_names import below, move_module
from extreg.registry.toml.render import row
from extreg.targets.canonical import canonical


def _move(arguments: argparse.Namespace) -> int:
    path = registry_path(arguments.registry)
    return _move_module(path, arguments) if arguments.module else _move_code(path, arguments)


def _move_code(path: Path, arguments: argparse.Namespace) -> int:
    (new,) = resolved([arguments.new], path, arguments)
    moved: list[int] = []

    def change(registry: Registry) -> Registry:
        everything = effective(registry, path).everything
        moved[:] = [life.find(everything, arguments.code)]
        return life.move(registry, moved[0], new, everything=everything)

    before, after = update(path, change)
    former = before.require().target(moved[0])
    say(f"moved {row(moved[0], new)}" if before.text != after.text else f"unchanged {row(moved[0], new)}")
    if before.text != after.text:
        note(f"pickles that hold code {moved[0]} load {new} from now on; those that hold the name {former} do not")
    return 0


def _move_module(path: Path, arguments: argparse.Namespace) -> int:
    old, new = arguments.code, arguments.new
    targets = below(read_document(path).require(), old, new)
    _check(targets, path, arguments)

    def change(registry: Registry) -> Registry:
        # The targets were looked at without the lock, for an import may take as long as it likes.
        if below(registry, old, new) != targets:
            raise ExtregError(f"{path} has changed meanwhile; nothing was written", "run the command once more")
        return move_module(registry, old, new, everything=effective(registry, path).everything)

    before, after = update(path, change)
    if before.text == after.text:
        say(f"unchanged {row(old, new)}")
        return 0
    for code, target in targets.items():
        say(f"moved {row(code, target)}")
    say(f"renamed {row(old, new)}")
    if not targets:
        note(f"no code of this file is in or below {old}; what pickles hold by name is all that the row is for")
    return 0


def _check(targets: Mapping[int, str], path: Path, arguments: argparse.Namespace) -> None:
    """Raise `ExtregError` where one of the new targets is not what pickle will look up, or should have no code."""
    names = list(dict.fromkeys(targets.values()))
    if not arguments.no_import and names:
        for name, own in canonical(names, path).items():
            if own != name:
                raise ExtregError(
                    f"{name} is really {own}, which is what pickle looks up; nothing was written",
                    "move the definitions first, or their codes one by one: extreg move CODE TARGET",
                )
    if not arguments.force and names:
        accepted(names, path)


def _configure_move(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", metavar="CODE", help="a code, or the target it has until now; with --module, a module")
    parser.add_argument("new", metavar="NEW", help="the target, or module, it has from now on")
    parser.add_argument(
        "--module",
        action="store_true",
        help="move all codes in and below a module or package, and record the rename for what has no code",
    )
    target_options(parser)
    registry_option(parser)


COMMAND = Command(
    name="move",
    description="Change the target of a live or load-only code, because the class moved, and record the former one; "
    "or, with --module, of all codes in and below a module, in one edit, all or nothing.",
    examples="  extreg move shop.orders:Order shop.models:Order\n"
    "  extreg move --module shop.orders shop.models      the module, with all that is in and below it",
    configure=_configure_move,
    run=_move,
)
