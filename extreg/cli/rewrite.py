"""rewrite: names to codes and codes to names in stored pickles."""

import argparse
from collections import Counter
from collections.abc import Sequence
from typing import Any

from extreg.cli.command import Command
from extreg.cli.output import note, say, say_json
from extreg.cli.progress import size, watched
from extreg.cli.stored import (
    faults_as_json,
    passed_as_json,
    path_arguments,
    plural,
    say_faults,
    say_passed,
)
from extreg.errors import UnreadableError
from extreg.project.effective import read_effective
from extreg.project.locate import registry_path
from extreg.stores.files import Found, files_below
from extreg.stores.items import Fault
from extreg.stores.rewrite import Outcome, rewrite_files

_SHOWN = 5


def _run(arguments: argparse.Namespace) -> int:
    """Run the command with its arguments; return the exit code."""
    if arguments.renamed and arguments.to != "names":
        raise UnreadableError("--renamed goes with --to names; --to codes puts today's code in the place of any name")
    registry = read_effective(registry_path(arguments.registry))
    work = rewrite_files(
        files_below(arguments.paths),
        registry,
        to=arguments.to,
        check=arguments.check,
        independent=arguments.independent,
        renamed=arguments.renamed,
    )
    outcomes = list(watched(work, "files"))
    faults = [(item.found, Fault("", item.problem)) for item in outcomes if item.problem is not None]
    if arguments.format == "json":
        say_json(_as_json(outcomes, faults, arguments))
    else:
        _print_text(outcomes, check=arguments.check)
    failed = {item.found for item in outcomes if item.failed}
    say_faults(item for item in faults if item[0] not in failed)
    say_faults((item for item in faults if item[0] in failed), "failed")
    passed = _passed(outcomes)
    say_passed(passed)
    if arguments.check and any(item.changed for item in outcomes):
        return 1
    # Where somebody asks whether all is done, nobody can say.
    unknown = arguments.check and passed
    return 2 if unknown or any(item.problem and (item.failed or item.found.named) for item in outcomes) else 0


def _passed(outcomes: Sequence[Outcome]) -> list[tuple[Found, dict[str, int]]]:
    return [(item.found, {item.passed: 1}) for item in outcomes if item.passed is not None]


def _print_text(outcomes: Sequence[Outcome], *, check: bool) -> None:
    changed = [item for item in outcomes if item.changed]
    for item in changed:
        say(
            f"{'would change' if check else 'changed'} {item.found.path}: "
            f"{plural(item.references, 'reference')} in {plural(item.changed, 'pickle')}, "
            f"{item.size} to {item.new_size} bytes"
        )
    before, after = sum(item.size for item in changed), sum(item.new_size for item in changed)
    shown = f": {size(before)} to {size(after)}" if changed else ""
    say(f"{'would rewrite' if check else 'rewrote'} {len(changed)} of {plural(len(outcomes), 'file')}{shown}")
    for reason, count in sorted(_reasons(outcomes, "left").items()):
        say(f"  left as they are: {plural(count, 'reference')}: {reason}")
    for reason, count in sorted(_reasons(outcomes, "refused").items()):
        say(f"  left as they are: {plural(count, 'pickle')}: {reason}")
    for reason in sorted({item.alone for item in outcomes if item.alone is not None}):
        paths = [str(item.found.path) for item in outcomes if item.alone == reason]
        more = f" and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
        note(f"left alone: {', '.join(paths[:_SHOWN])}{more}: {reason}")


def _reasons(outcomes: Sequence[Outcome], kind: str) -> Counter[str]:
    total: Counter[str] = Counter()
    for item in outcomes:
        total.update(getattr(item, kind))
    return total


def _as_json(
    outcomes: Sequence[Outcome], faults: list[tuple[Found, Fault]], arguments: argparse.Namespace
) -> dict[str, Any]:
    return {
        "to": arguments.to,
        "check": arguments.check,
        "read": len(outcomes),
        "changed": [
            {
                "path": str(item.found.path),
                "pickles": item.changed,
                "references": item.references,
                "bytes": item.size,
                "new_bytes": item.new_size,
            }
            for item in outcomes
            if item.changed
        ],
        "left": dict(sorted(_reasons(outcomes, "left").items())),
        "refused": dict(sorted(_reasons(outcomes, "refused").items())),
        "alone": [{"path": str(item.found.path), "reason": item.alone} for item in outcomes if item.alone is not None],
        "unreadable": faults_as_json(faults),
        "unknown": passed_as_json(_passed(outcomes)),
    }


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--to", choices=("codes", "names"), required=True, help="what to write")
    parser.add_argument(
        "--check", action="store_true", help="write nothing; exit 1 if something would change, 2 if nobody can say"
    )
    parser.add_argument(
        "--independent",
        action="store_true",
        help="several pickles in a file share no memo, where that does not show: none was dumped by the Pickler that "
        "dumped the one before",
    )
    parser.add_argument(
        "--renamed",
        action="store_true",
        help="with --to names: also by the rows of [renamed] for whole modules, whose new names readers "
        "with an older library cannot load",
    )
    path_arguments(parser)


COMMAND = Command(
    name="rewrite",
    description=(
        "Put live codes in the place of names in stored pickles, former ones too, or names of today in the place of "
        "former ones and of all codes the registry knows, retired ones too. Each file is replaced in one step, so that "
        "a crash leaves it old or new. What cannot be proved to load the same stays as it is, and is counted. Plain, "
        "gzip, bz2 and xz files are rewritten; archives and databases are left alone, and named."
    ),
    examples="  extreg rewrite --to codes --check data/\n  extreg rewrite --to codes data/\n"
    "  extreg rewrite --to names old.pickle    before its codes are retired, or for readers without extreg",
    configure=_configure,
    run=_run,
)
