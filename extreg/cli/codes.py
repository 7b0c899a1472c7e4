"""Commands that take several codes through one step of their life, all or nothing."""

import argparse
from collections.abc import Callable

from extreg.cli.command import registry_option
from extreg.cli.output import say
from extreg.project.effective import effective, with_rows_of
from extreg.project.locate import registry_path
from extreg.registry import life
from extreg.registry.file import update
from extreg.registry.model import Registry
from extreg.registry.toml.render import row


def each(change: Callable[[Registry, int, Registry], Registry], verb: str) -> Callable[[argparse.Namespace], int]:
    """Return a command that applies `change` to every code it is given, all or nothing."""

    def run(arguments: argparse.Namespace) -> int:
        codes: list[int] = []
        path = registry_path(arguments.registry)

        def change_all(registry: Registry) -> Registry:
            known = effective(registry, path).everything
            for wanted in arguments.codes:
                everything = with_rows_of(registry, known)
                code = life.find(everything, wanted)
                registry = change(registry, code, everything)
                codes.append(code)
            return registry

        _, after = update(path, change_all)
        registry = after.require()
        for code in codes:
            target = registry.target(code) or registry.retired[code]
            say(f"{verb} {row(code, target)}")
        return 0

    return run


def with_everything(change: Callable[..., Registry]) -> Callable[[Registry, int, Registry], Registry]:
    """Return `change` as `each` calls it: with the effective registry as its third argument."""
    return lambda registry, code, everything: change(registry, code, everything=everything)


def codes_arguments(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the CODEs and ``--registry``."""
    parser.add_argument("codes", nargs="+", metavar="CODE", help="a code, or a target that has one")
    registry_option(parser)
