"""The commands that change the registry: init, add, promote, demote, retire, move."""

import argparse
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from extreg.cli.command import Command, registry_option
from extreg.cli.output import note, say
from extreg.errors import ExtregError, UnreadableError
from extreg.linter.candidates import HOPELESS, objections
from extreg.linter.settings import read_settings
from extreg.project.effective import Effective, effective, with_rows_of
from extreg.project.locate import new_registry_path, registry_path
from extreg.registry import life
from extreg.registry.allocation import displaced_by
from extreg.registry.file import create, update
from extreg.registry.model import Registry
from extreg.registry.target import is_target
from extreg.registry.toml.render import row
from extreg.targets.canonical import canonical

_MOST_NOTES = 3

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
    for target, code in codes.items():
        say(row(code, target))
    return 0


def _note_known(codes: Mapping[str, int], before: Effective) -> None:
    """Say which targets had their code before."""
    spent = before.everything.spent
    notes = [
        f"{target} is there already{f', in {before.files[code]}' if code in before.files else ''}"
        for target, code in codes.items()
        if code in spent
    ]
    _note_some(notes, "targets are there already")


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
    _note_some(notes, "targets hash to codes that others have, and get the next free ones")


def _note_some(notes: list[str], summary: str) -> None:
    """Print a few notes, or one for all of many."""
    if len(notes) > _MOST_NOTES:
        note(f"{len(notes)} {summary}")
        return
    for text in notes:
        note(text)


def _resolved(targets: Sequence[str], path: Path, arguments: argparse.Namespace) -> list[str]:
    """Return the targets that pickle looks up; raise `ExtregError` for one that should not have a code."""
    own = {target: target for target in targets} if arguments.no_import else canonical(targets, path)
    if not arguments.force:
        _object(list(own.values()), path)
    for target, found in own.items():
        if found != target:
            note(f"{target} is really {found}, which is what pickle looks up; added as that")
    return list(own.values())


def _object(targets: Sequence[str], path: Path) -> None:
    """Say what lint would say; raise `ExtregError` where a code would be no use."""
    settings = read_settings(path.absolute().parent)
    found = objections(filter(is_target, targets), pythons=settings.pythons, ignore=settings.ignore)
    grave = [target for target in targets if target in found and found[target].rule in HOPELESS]
    if grave:
        more = f" ({len(grave) - 1} more should have none either)" if len(grave) > 1 else ""
        raise ExtregError(
            f"{found[grave[0]].message}{more}",
            f"extreg rule {found[grave[0]].rule} tells more; if you know better: the same with --force",
        )
    _note_some(
        [f"{finding.rule}: {finding.message}" for finding in found.values()],
        "targets have codes that work within limits: extreg lint names them",
    )


def _each(change: Callable[[Registry, int, Registry], Registry], verb: str) -> Callable[[argparse.Namespace], int]:
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


def _with_everything(change: Callable[..., Registry]) -> Callable[[Registry, int, Registry], Registry]:
    return lambda registry, code, everything: change(registry, code, everything=everything)


def _retire(arguments: argparse.Namespace) -> int:
    def retire(registry: Registry, code: int, everything: Registry) -> Registry:
        return life.retire(registry, code, now=arguments.now, everything=everything)

    return _each(retire, "retired")(arguments)


def _move(arguments: argparse.Namespace) -> int:
    path = registry_path(arguments.registry)
    (new,) = _resolved([arguments.new], path, arguments)
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
        description="Write a new, empty registry file: at --registry PATH, $EXTREG_REGISTRY or [tool.extreg] registry "
        "in pyproject.toml, else registry.toml in the working directory.",
        examples="  extreg init\n  extreg init --registry src/shop/registry.toml",
        configure=registry_option,
        run=_init,
    ),
    Command(
        name="add",
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
        description="Make load-only codes live: from now on their targets are dumped as codes. Do it once every reader "
        "has been released with the load-only row.",
        examples="  extreg promote 18220\n  extreg promote shop.models:Basket",
        configure=_configure_codes,
        run=_each(_with_everything(life.promote), "live"),
    ),
    Command(
        name="demote",
        description="Make live codes load-only: old pickles still load, new ones are dumped by name. The first step of "
        "a retirement.",
        examples="  extreg demote shop.models:Basket",
        configure=_configure_codes,
        run=_each(_with_everything(life.demote), "load-only"),
    ),
    Command(
        name="retire",
        description="Retire load-only codes: pickles that hold them no longer load, and the numbers are never "
        "given out again. No command brings them back.",
        examples="  extreg retire 18220\n  extreg retire --now shop.legacy:Cart",
        configure=_configure_retire,
        run=_retire,
    ),
    Command(
        name="move",
        description="Change the target of a live or load-only code, because the class moved, and record "
        "the former one.",
        examples="  extreg move shop.orders:Order shop.models:Order",
        configure=_configure_move,
        run=_move,
    ),
)
