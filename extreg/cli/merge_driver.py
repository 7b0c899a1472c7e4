"""merge-driver: merge a registry for git."""

import argparse
from collections.abc import Sequence

from extreg.cli.command import Command
from extreg.cli.outcomes import say_outcome
from extreg.cli.output import say_error
from extreg.errors import ExtregError
from extreg.merging.driver import drive, drive_ancestors
from extreg.merging.markers import SIZE

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
    say_outcome(outcome, arguments.path)
    return 0 if outcome.clean else 1


def _size(given: str) -> int:
    """Return the length of conflict markers; a git that does not know %L hands over the letters."""
    return int(given) if given.isdecimal() and int(given) >= SIZE else SIZE


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


COMMAND = Command(
    name="merge-driver",
    description="Merge three versions of a registry by meaning, as git calls a merge driver. Exit code 0: merged; "
    "1: contradictions are left between conflict markers; 129: the files could not be read or written. "
    "git-setup tells git to call it.",
    examples="  git config merge.extreg.driver 'extreg merge-driver -- %O %A %B %P'",
    configure=_configure_driver,
    run=_merge_driver,
    adapt=_with_operands,
)
