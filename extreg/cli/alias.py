"""alias: record the other names that a code's target has elsewhere."""

import argparse

from extreg.cli.command import Command, registry_option
from extreg.cli.output import say
from extreg.cli.targets import accepted
from extreg.project.effective import effective
from extreg.project.locate import registry_path
from extreg.registry import life
from extreg.registry.file import update
from extreg.registry.model import Registry
from extreg.registry.other_names import alias
from extreg.registry.toml.render import row


def _alias(arguments: argparse.Namespace) -> int:
    path = registry_path(arguments.registry)
    if not arguments.force:
        accepted(arguments.names, path)
    codes: list[int] = []

    def change(registry: Registry) -> Registry:
        everything = effective(registry, path).everything
        codes[:] = [life.find(everything, arguments.code)]
        return alias(registry, codes[0], arguments.names, everything=everything)

    before, after = update(path, change)
    done = "aliased" if before.text != after.text else "unchanged"
    say(f"{done} {row(codes[0], after.require().aliases[codes[0]])}")
    return 0


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", metavar="CODE", help="a live or load-only code, or its target")
    parser.add_argument("names", nargs="+", metavar="NAME", help="what the target is called elsewhere, module:qualname")
    parser.add_argument("--force", action="store_true", help="also a name that lint calls dangerous")
    registry_option(parser)


COMMAND = Command(
    name="alias",
    description="Record the names that the target of a code has under other Pythons, or other versions of its "
    "library. Nothing is imported: such a name need not be here. The target stays the name that exists in every "
    "version that loads the code.",
    examples="  extreg alias pathlib:PosixPath pathlib._local:PosixPath       Python 3.13 calls it so\n"
    "  extreg alias 300 shop._fast:Order shop._slow:Order",
    configure=_configure,
    run=_alias,
)
