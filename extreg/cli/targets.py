"""Targets that somebody gives on a command line: what they are really called, and what lint would say of them."""

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path

from extreg.cli.output import note
from extreg.errors import ExtregError
from extreg.linter.candidates import HOPELESS, objections
from extreg.linter.settings import read_settings
from extreg.registry.target import is_target
from extreg.targets.canonical import canonical

_MOST_NOTES = 3


def resolved(targets: Sequence[str], path: Path, arguments: argparse.Namespace) -> list[str]:
    """Return the targets that pickle looks up; raise `ExtregError` for one that should not have a code."""
    own = {target: target for target in targets} if arguments.no_import else canonical(targets, path)
    if not arguments.force:
        _object(own, path)
    for target, found in own.items():
        if found != target:
            note(f"{target} is really {found}, which is what pickle looks up; added as that")
    return list(own.values())


def accepted(names: Sequence[str], path: Path) -> None:
    """Say what lint would say of targets as they are; raise `ExtregError` for one that should not have a code."""
    _object({name: name for name in names}, path)


def _object(own: Mapping[str, str], path: Path) -> None:
    """Say what lint would say of the targets that those given really are; raise `ExtregError` for one of no use."""
    given = {found: target for target, found in own.items()}
    targets = list(own.values())
    settings = read_settings(path.absolute().parent)
    found = objections(filter(is_target, targets), pythons=settings.pythons, ignore=settings.ignore)
    grave = [target for target in targets if target in found and found[target].rule in HOPELESS]
    if grave:
        more = f" ({len(grave) - 1} more should have none either)" if len(grave) > 1 else ""
        asked = given[grave[0]]
        message = found[grave[0]].message
        if asked != grave[0]:
            message = message.replace(grave[0], f"{asked}, which is really {grave[0]},", 1)
        raise ExtregError(
            f"{message}{more}",
            f"extreg rule {found[grave[0]].rule} tells more; if you know better: the same with --force",
        )
    note_some(
        [f"{finding.rule}: {finding.message}" for finding in found.values()],
        "targets have codes that work within limits: extreg lint names them",
    )


def note_some(notes: list[str], summary: str) -> None:
    """Print a few notes, or one for all of many."""
    if len(notes) > _MOST_NOTES:
        note(f"{len(notes)} {summary}")
        return
    for text in notes:
        note(text)


def target_options(parser: argparse.ArgumentParser) -> None:
    """Give `parser` the options that `resolved` goes by."""
    parser.add_argument("--no-import", action="store_true", help="take the name as it is, without importing its module")
    parser.add_argument("--force", action="store_true", help="also for a target that lint calls dangerous")
