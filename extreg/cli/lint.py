"""The lint command."""

import argparse
import json
import sys
from collections.abc import Sequence

from extreg.cli.command import Command, registry_option
from extreg.cli.output import coloured
from extreg.files.lint import lint
from extreg.files.project import registry_path
from extreg.rules.finding import Finding

JSON_VERSION = 1


def _lint(arguments: argparse.Namespace) -> int:
    path = registry_path(arguments.registry)
    findings = lint(path)
    if arguments.format == "json":
        print(json.dumps({"version": JSON_VERSION, "findings": [found.as_json() for found in findings]}, indent=2))
    else:
        _print_text(findings, str(path))
    if any(found.rule == "malformed" for found in findings):
        return 2
    return 1 if findings else 0


def _print_text(findings: Sequence[Finding], path: str) -> None:
    for found in findings:
        place = found.path if found.line is None else f"{found.path}:{found.line}"
        rule = coloured(found.rule, "red", sys.stdout)
        print(f"{coloured(place, 'bold', sys.stdout)}: {rule}: {found.message}")
        if found.hint:
            print(f"    {coloured('hint:', 'cyan', sys.stdout)} {found.hint}")
    count = len(findings)
    summary = f"{count} finding{'s' if count != 1 else ''}" if count else coloured("clean", "green", sys.stdout)
    print(f"{path}: {summary}")


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    registry_option(parser)


COMMANDS = (
    Command(
        name="lint",
        help="check the registry",
        description="Check the registry file and those of the packages it includes for collisions and broken promises.",
        examples="  extreg lint\n  extreg lint --format json",
        configure=_configure,
        run=_lint,
    ),
)
