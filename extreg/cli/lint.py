"""lint: check the registry."""

import argparse
import difflib
import sys

from extreg.cli.command import Command, registry_option
from extreg.cli.formats import FORMATS, on
from extreg.cli.identity import in_repository
from extreg.cli.output import note, say, say_as_it_is
from extreg.linter.fix import fixed, mended, unconfirmed, write_fixed
from extreg.linter.run import Run, Wishes
from extreg.project.locate import registry_path


def _lint(arguments: argparse.Namespace) -> int:
    path = registry_path(arguments.registry)
    wishes = Wishes(
        against=arguments.against,
        rolling=arguments.rolling,
        history=arguments.history,
        imports=arguments.imports,
        installed=arguments.installed,
        sources=not arguments.no_source,
        select=_names(arguments.select),
        ignore=_names(arguments.ignore),
        extend_select=_names(arguments.extend_select),
    )
    run = Run(path, wishes)
    findings = run.findings()
    if arguments.fix or arguments.diff:
        before = run.context.document.text
        after = fixed(run.context, findings)
        if arguments.diff:
            _print_diff(before, after, str(path))
        elif after != before:
            write_fixed(path, before, after)
            fresh = Run(path, wishes)
            for text in mended(run.context.document, fresh.context.document):
                note(text, label="mended", colour="green")
            run = fresh
            findings = run.findings()
        run.notes += filter(None, [unconfirmed(run.context, findings)])
    for text in run.notes:
        note(text)
    if not arguments.diff:
        shown = FORMATS[arguments.format](findings, str(path), on(sys.stdout))
        if shown:
            say_as_it_is(shown)
    if any(found.rule == "malformed" for found in findings):
        return 2
    return 1 if any(found.level == "error" for found in findings) else 0


def _print_diff(before: str, after: str, path: str) -> None:
    """Print a patch that ``git apply`` takes."""
    name = in_repository(path)
    names = f"a/{name}", f"b/{name}"
    for line in difflib.unified_diff(_lines(before), _lines(after), *names):
        say(line.removesuffix("\n"), keep="\t\r")
        if not line.endswith("\n"):
            say("\\ No newline at end of file")


def _lines(text: str) -> list[str]:
    """Return the lines of a text with their ends, as git sees them: nothing but a line feed ends one."""
    lines = [f"{line}\n" for line in text.split("\n")]
    return [*lines[:-1], *([lines[-1][:-1]] if lines[-1] != "\n" else [])]


def _names(given: list[str]) -> tuple[str, ...]:
    """Return the rule names in repeated and comma-separated options."""
    return tuple(name for part in given for name in part.replace(",", " ").split())


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--against",
        metavar="REF|PATH",
        help="a git ref or a file: no promise made there may be broken (in CI: origin/main)",
    )
    parser.add_argument(
        "--rolling",
        action="store_true",
        help="with --against: old and new release run side by side, so codes take one step of their life at a time",
    )
    parser.add_argument("--history", action="store_true", help="compare with every version of the file in git")
    parser.add_argument(
        "--import",
        dest="imports",
        action="store_true",
        help="resolve the targets by importing them, in a child process, and pickle them under every protocol",
    )
    parser.add_argument(
        "--installed",
        action="store_true",
        help="look for add_extension calls that meet ours in all installed distributions too",
    )
    parser.add_argument("--no-source", action="store_true", help="look at the registry only, not at the code it names")
    whats = {
        "select": "run these rules only",
        "extend-select": "run these rules too, which do not run by default",
        "ignore": "leave these rules out",
    }
    for option, what in whats.items():
        parser.add_argument(f"--{option}", action="append", default=[], metavar="RULE,...", help=what)
    mend = parser.add_mutually_exclusive_group()
    mend.add_argument(
        "--fix",
        action="store_true",
        help="mend what is safe to mend, then report the rest; with --import re-exported targets are moved too",
    )
    mend.add_argument("--diff", action="store_true", help="show what --fix would change, and change nothing")
    parser.add_argument("--format", choices=tuple(FORMATS), default="text", help="default: text")
    registry_option(parser)


COMMAND = Command(
    name="lint",
    description="Check the registry file and those of the packages it includes for collisions and broken promises, "
    "and the code they name. Nothing is imported unless --import is given.",
    examples="  extreg lint\n"
    "  extreg lint --against origin/main               in a pull request\n"
    "  extreg lint --against v1.4 --rolling --import   before a release\n"
    "  extreg lint --fix\n"
    "  extreg lint --import --fix                      moves re-exported targets too\n"
    "  extreg lint --format sarif > extreg.sarif",
    configure=_configure,
    run=_lint,
)
