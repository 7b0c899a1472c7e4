"""add: give targets their codes."""

import argparse
from collections.abc import Mapping

from extreg.cli.command import Command, registry_option
from extreg.cli.output import say
from extreg.cli.targets import note_some, resolved, target_options
from extreg.errors import UnreadableError
from extreg.project.effective import Effective, effective
from extreg.project.locate import registry_path
from extreg.registry import life
from extreg.registry.allocation import displaced_by
from extreg.registry.file import update
from extreg.registry.model import Registry
from extreg.registry.toml.render import row


def _add(arguments: argparse.Namespace) -> int:
    if arguments.code is not None and len(arguments.targets) > 1:
        raise UnreadableError(f"--code gives one code, but there are {len(arguments.targets)} targets")
    path = registry_path(arguments.registry)
    targets = resolved(arguments.targets, path, arguments)
    codes: dict[str, int] = {}
    known: list[Effective] = []

    def add_all(registry: Registry) -> Registry:
        known[:] = [effective(registry, path)]
        everything = known[0].everything
        if arguments.code is not None:
            registry, code = life.add(
                registry, targets[0], code=arguments.code, load_only=arguments.load_only, everything=everything
            )
            codes[targets[0]] = code
        else:
            registry, found = life.add_all(
                registry, targets, range_name=arguments.range, load_only=arguments.load_only, everything=everything
            )
            codes.update(found)
        return registry

    _, after = update(path, add_all)
    _note_known(codes, known[0])
    if arguments.code is None:
        _note_displaced(codes, known[0].everything, after.require())
    everything = known[0].everything
    for target, code in codes.items():
        # The target of an alias has the code, and is what is in the file.
        say(row(code, everything.target(code) or target))
    return 0


def _note_known(codes: Mapping[str, int], before: Effective) -> None:
    """Say which targets had their code before."""
    spent = before.everything.spent
    notes = [
        f"{_named(before.everything, target, code)}there already"
        f"{f', in {before.files[code]}' if code in before.files else ''}"
        for target, code in codes.items()
        if code in spent
    ]
    note_some(notes, "targets are there already")


def _named(everything: Registry, target: str, code: int) -> str:
    own = everything.target(code)
    return f"{target} is " if own == target else f"{target} is another name of {own}, which is "


def _note_displaced(codes: Mapping[str, int], before: Registry, after: Registry) -> None:
    """Say which targets did not get the code that they hash to."""
    spent = before.spent
    holders = {**before.retired, **before.load_only, **before.codes, **after.load_only, **after.codes}
    notes = []
    for target, code in codes.items():
        home = displaced_by(after, target, code) if code not in spent else None
        if home is not None:
            had = "had" if home in before.retired else "has"
            notes.append(f"{target} hashes to code {home}, which {holders[home]} {had}; it gets {code}")
    note_some(notes, "targets hash to codes that others have, and get the next free ones")


def _configure_add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("targets", nargs="+", metavar="TARGET", help="module:qualname, such as shop.models:Order")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--range", metavar="NAME", help="allocate in this range (default: the module's, else default)")
    where.add_argument("--code", type=int, metavar="N", help="take this very code instead of allocating one")
    parser.add_argument(
        "--load-only", action="store_true", help="load the code but do not dump it yet: a rollout's first step"
    )
    target_options(parser)
    registry_option(parser)


COMMAND = Command(
    name="add",
    description='Give each target a code for ever and print CODE = "TARGET" lines. The target is imported, '
    "in a child process, to learn the name that pickle will look up. Adding a target twice is adding it once.",
    examples="  extreg add shop.models:Order shop.models:Order.Line\n"
    "  extreg add --range hot shop.money:Money      a code below 256: two bytes in a pickle instead of three\n"
    "  extreg add --load-only shop.models:Basket    readers first, writers in a later release",
    configure=_configure_add,
    run=_add,
)
