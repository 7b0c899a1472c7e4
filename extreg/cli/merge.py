"""The commands that merge: merge-driver, resolve, git-setup."""

import argparse
import shlex
from collections.abc import Sequence

from extreg.cli.command import Command, registry_option
from extreg.cli.output import note, say, say_error
from extreg.errors import ExtregError
from extreg.merging.driver import Outcome, drive, drive_ancestors, resolve
from extreg.merging.markers import SIZE
from extreg.project.git_setup import setup
from extreg.project.locate import registry_path

# Git reads 1 to 128 as "conflict, take the file as it is" and anything above as "the driver failed" (ll-merge.c).
_FAILED = 129


def _merge_driver(arguments: argparse.Namespace) -> int:
    try:
        if arguments.ancestors:
            drive_ancestors(arguments.base, arguments.ours, arguments.theirs)
            return 0
        outcome = drive(
            arguments.base, arguments.ours, arguments.theirs, arguments.path, size=_size(arguments.marker_size)
        )
    except OSError as error:
        where = arguments.ours if error.filename is None else error.filename  # a full disk names no file
        say_error(ExtregError(f"cannot merge {arguments.path}: {where}: {error.strerror}"))
        return _FAILED
    _say(outcome, arguments.path)
    return 0 if outcome.clean else 1


def _size(given: str) -> int:
    """Return the length of conflict markers; a git that does not know %L hands over the letters."""
    return int(given) if given.isdecimal() and int(given) >= SIZE else SIZE


def _say(outcome: Outcome, path: str) -> None:
    for text in outcome.notes:
        note(f"{path}: {text}")
    for contradiction in outcome.contradictions:
        say_error(ExtregError(f"{path}: {contradiction.where}: {contradiction.message}", contradiction.hint))
    if outcome.failure is not None:
        hint = f"mend {path}, whose conflict is marked line by line, then: git add {_operand(path)}"
        problems = "; ".join(outcome.failure.message.split("\n"))
        say_error(ExtregError(f"{path} cannot be merged by meaning: {problems}", hint))


def _resolve(arguments: argparse.Namespace) -> int:
    path = registry_path(arguments.registry)
    conflicts, outcome = resolve(path)
    _say(outcome, str(path))
    if conflicts == 0:
        say(f"{path}: no conflict markers, and git's index has it merged")
        return 0
    if not outcome.clean:
        count = len(outcome.contradictions)
        say(f"{path}: {count} contradiction{'s' if count != 1 else ''} left between markers; the rest is resolved")
        return 1
    say(f"{path}: resolved {conflicts} conflict{'s' if conflicts != 1 else ''}")
    note(f"look at it, then: git add {_operand(str(path))}")
    return 0


def _operand(path: str) -> str:
    """Return a path as a shell and git take it for one, whatever it begins with."""
    return f"-- {shlex.quote(path)}" if path.startswith("-") else shlex.quote(path)


def _git_setup(arguments: argparse.Namespace) -> int:
    path = registry_path(arguments.registry)
    steps = setup(path, command=arguments.command, check=arguments.check)
    for step in steps:
        words = "in place" if step.done else "missing" if arguments.check else "set"
        say(f"{words}: {step.name}: {step.value}")
    missing = [step for step in steps if not step.done]
    if arguments.check:
        if missing:
            note("extreg git-setup puts in place what is missing")
        return 1 if missing else 0
    if not steps[0].done:
        note(".gitattributes is for everybody: commit it")
    if missing:
        note("the configuration is this clone's alone: every clone runs extreg git-setup once")
    return 0


def _configure_driver(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("base", metavar="BASE", help="%%O: the common ancestor's version")
    parser.add_argument("ours", metavar="OURS", help="%%A: our version; the result replaces it")
    parser.add_argument("theirs", metavar="THEIRS", help="%%B: the other version")
    parser.add_argument("path", metavar="PATH", help="%%P: the file's name in the repository")
    parser.add_argument("--marker-size", metavar="N", default=str(SIZE), help="%%L: length of conflict markers")
    parser.add_argument("--ancestors", action="store_true", help="merge common ancestors, for git's eyes only")


def _with_operands(argv: Sequence[str]) -> Sequence[str]:
    """Return the call of a merge driver that an older git-setup configured, with ``--`` before its four operands.

    It had none, and the last of them, the path, begins with a dash where the folder's name does.
    """
    older = "--" not in argv and len(argv) >= 4
    if older and argv[-1].startswith("-") and "/" in argv[-1]:
        return [*argv[:-4], "--", *argv[-4:]]
    return argv


def _configure_setup(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when something is missing")
    parser.add_argument("--command", metavar="COMMAND", help="how git calls extreg (default: this installation's path)")
    registry_option(parser)


COMMANDS = (
    Command(
        name="merge-driver",
        description="Merge three versions of a registry by meaning, as git calls a merge driver. Exit code 0: merged; "
        "1: contradictions are left between conflict markers; 129: the files could not be read or written. "
        "git-setup tells git to call it.",
        examples="  git config merge.extreg.driver 'extreg merge-driver -- %O %A %B %P'",
        configure=_configure_driver,
        run=_merge_driver,
        adapt=_with_operands,
    ),
    Command(
        name="resolve",
        description="Merge by meaning the two sides of a registry that holds git's conflict markers, or that git's "
        "index holds where the merge driver could not run. Only contradictions stay between markers, and the exit code "
        "is then 1.",
        examples="  extreg resolve && git add registry.toml",
        configure=registry_option,
        run=_resolve,
    ),
    Command(
        name="git-setup",
        description="Add the line 'registry.toml merge=extreg' to .gitattributes and the merge driver to this "
        "clone's git configuration. Doing it twice is doing it once.",
        examples="  extreg git-setup\n  extreg git-setup --check",
        configure=_configure_setup,
        run=_git_setup,
    ),
)
