"""The commands that change the registry: init, add, promote, demote, retire, move."""

import argparse
from collections.abc import Callable, Sequence
from pathlib import Path

from extreg.cli.command import Command, registry_option
from extreg.cli.output import note, say
from extreg.errors import ExtregError, UnreadableError
from extreg.files.project import new_registry_path, registry_path
from extreg.files.resolve import canonical
from extreg.files.write import create, update
from extreg.registry import life
from extreg.registry.allocation import displaced_by
from extreg.registry.dangerous import danger
from extreg.registry.model import Registry
from extreg.registry.target import is_target
from extreg.text.render import row

TEMPLATE = """\
# Pickle extension codes, one line per code, ascending. A code is a promise for ever: never delete or renumber a line.
# Change this file with: extreg add, promote, demote, move, retire. Check it with: extreg lint.
format = 1

[codes]
"""


def _init(arguments: argparse.Namespace) -> int:
    path = new_registry_path(arguments.registry)
    create(path, TEMPLATE)
    say(f"wrote {path}")
    note("commit it, and call extreg.install() where your program starts; next: extreg add MODULE:CLASS")
    return 0


def _add(arguments: argparse.Namespace) -> int:
    if arguments.code is not None and len(arguments.targets) > 1:
        raise UnreadableError(f"--code gives one code, but there are {len(arguments.targets)} targets")
    path = registry_path(arguments.registry)
    targets = _resolved(arguments.targets, path, arguments)
    codes: dict[str, int] = {}

    def add_all(registry: Registry) -> Registry:
        for target in targets:
            spent = registry.spent
            registry, code = life.add(
                registry, target, range_name=arguments.range, code=arguments.code, load_only=arguments.load_only
            )
            codes[target] = code
            if code in spent:
                note(f"{target} is there already")
            elif arguments.code is None and (home := displaced_by(registry, target, code)) is not None:
                other = {**registry.retired, **registry.load_only, **registry.codes}[home]
                had = "had" if home in registry.retired else "has"
                note(f"{target} hashes to code {home}, which {other} {had}; it gets {code}")
        return registry

    update(path, add_all)
    for target, code in codes.items():
        say(row(code, target))
    return 0


def _resolved(targets: Sequence[str], path: Path, arguments: argparse.Namespace) -> list[str]:
    """Return the targets that pickle looks up; raise `ExtregError` for one that must not have a code."""
    own = {target: target for target in targets} if arguments.no_import else canonical(targets, path)
    for target, found in own.items():
        known = danger(found) if is_target(found) and not arguments.force else None
        if known is not None:
            raise ExtregError(f"{found} must not have a code: {known.why}", "if you know better: the same with --force")
        if found != target:
            note(f"{target} is really {found}, which is what pickle looks up; added as that")
    return list(own.values())


def _each(change: Callable[[Registry, int], Registry], verb: str) -> Callable[[argparse.Namespace], int]:
    """Return a command that applies `change` to every code it is given, all or nothing."""

    def run(arguments: argparse.Namespace) -> int:
        codes: list[int] = []

        def change_all(registry: Registry) -> Registry:
            for wanted in arguments.codes:
                code = life.find(registry, wanted)
                registry = change(registry, code)
                codes.append(code)
            return registry

        _, after = update(registry_path(arguments.registry), change_all)
        registry = after.require()
        for code in codes:
            target = registry.target(code) or registry.retired[code]
            say(f"{verb} {row(code, target)}")
        return 0

    return run


def _retire(arguments: argparse.Namespace) -> int:
    return _each(lambda registry, code: life.retire(registry, code, now=arguments.now), "retired")(arguments)


def _move(arguments: argparse.Namespace) -> int:
    path = registry_path(arguments.registry)
    (new,) = _resolved([arguments.new], path, arguments)
    moved: list[int] = []

    def change(registry: Registry) -> Registry:
        moved.append(life.find(registry, arguments.code))
        return life.move(registry, moved[0], new)

    before, after = update(path, change)
    former = before.require().target(moved[0])
    say(f"moved {row(moved[0], new)}" if before.text != after.text else f"unchanged {row(moved[0], new)}")
    if before.text != after.text:
        note(f"pickles that hold code {moved[0]} load {new} from now on; those that hold the name {former} do not")
    return 0


def _configure_add(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("targets", nargs="+", metavar="TARGET", help="module:qualname, such as shop.models:Order")
    where = parser.add_mutually_exclusive_group()
    where.add_argument("--range", metavar="NAME", help="allocate in this range (default: the module's, else default)")
    where.add_argument("--code", type=int, metavar="N", help="take this very code instead of allocating one")
    parser.add_argument(
        "--load-only", action="store_true", help="load the code but do not dump it yet: a rollout's first step"
    )
    _no_import_option(parser)
    _force_option(parser)
    registry_option(parser)


def _no_import_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--no-import", action="store_true", help="take the name as it is, without importing its module")


def _force_option(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--force", action="store_true", help="also for a target that lint calls dangerous")


def _configure_codes(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("codes", nargs="+", metavar="CODE", help="a code, or a target that has one")
    registry_option(parser)


def _configure_retire(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--now", action="store_true", help="also retire a live code, without a load-only step")
    _configure_codes(parser)


def _configure_move(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", metavar="CODE", help="a code, or the target it has until now")
    parser.add_argument("new", metavar="NEW", help="the target it has from now on")
    _no_import_option(parser)
    _force_option(parser)
    registry_option(parser)


COMMANDS = (
    Command(
        name="init",
        help="write a new registry.toml",
        description="Write a new, empty registry file: at --registry PATH, $EXTREG_REGISTRY or [tool.extreg] registry "
        "in pyproject.toml, else registry.toml in the working directory.",
        examples="  extreg init\n  extreg init --registry src/shop/registry.toml",
        configure=registry_option,
        run=_init,
    ),
    Command(
        name="add",
        help="give targets their codes",
        description='Give each target a code for ever and print CODE = "TARGET" lines. The target is imported, '
        "in a child process, to learn the name that pickle will look up. Adding a target twice is adding it once.",
        examples="  extreg add shop.models:Order shop.models:Order.Line\n"
        "  extreg add --range hot shop.money:Money      a code below 256: two bytes in a pickle instead of three\n"
        "  extreg add --load-only shop.models:Basket    readers first, writers in a later release",
        configure=_configure_add,
        run=_add,
    ),
    Command(
        name="promote",
        help="make load-only codes live",
        description="Make load-only codes live: from now on their targets are dumped as codes. Do it once every reader "
        "has been released with the load-only row.",
        examples="  extreg promote 18220\n  extreg promote shop.models:Basket",
        configure=_configure_codes,
        run=_each(life.promote, "live"),
    ),
    Command(
        name="demote",
        help="make live codes load-only",
        description="Make live codes load-only: old pickles still load, new ones are dumped by name. The first step of "
        "a retirement.",
        examples="  extreg demote shop.models:Basket",
        configure=_configure_codes,
        run=_each(life.demote, "load-only"),
    ),
    Command(
        name="retire",
        help="spend codes for ever",
        description="Retire load-only codes: pickles that hold them no longer load, and the numbers are never "
        "given out again. No command brings them back.",
        examples="  extreg retire 18220\n  extreg retire --now shop.legacy:Cart",
        configure=_configure_retire,
        run=_retire,
    ),
    Command(
        name="move",
        help="let a code follow a class that moved",
        description="Change the target of a live or load-only code, because the class moved, and record "
        "the former one.",
        examples="  extreg move shop.orders:Order shop.models:Order",
        configure=_configure_move,
        run=_move,
    ),
)
