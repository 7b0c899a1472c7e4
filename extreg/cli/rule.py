"""rule: explain the lint rules."""

import argparse

from extreg.cli.command import Command
from extreg.cli.output import say, say_json
from extreg.errors import UnreadableError
from extreg.linter.check import BY_NAME
from extreg.linter.rule_pages import documentation, page, summary
from extreg.linter.settings import check_names


def _rule(arguments: argparse.Namespace) -> int:
    if arguments.name is not None:
        check_names((arguments.name,), "extreg rule")
        chosen = {arguments.name: BY_NAME[arguments.name]}
    else:
        chosen = BY_NAME
    if arguments.format == "markdown":
        if arguments.name is not None:
            raise UnreadableError("--format markdown is the page of all rules", "leave the name away")
        say(*page().splitlines())
    elif arguments.format == "json":
        rules = [{"name": name, "documentation": documentation(rule)} for name, rule in chosen.items()]
        say_json({"rules": rules})
    elif arguments.name is not None:
        say(arguments.name, "", *documentation(chosen[arguments.name]).splitlines())
    else:
        width = max(map(len, chosen))
        for name, rule in chosen.items():
            say(f"{name:{width}}  {summary(rule)}")
    return 0


def _configure_rule(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("name", nargs="?", metavar="NAME", help="a rule (default: list all)")
    parser.add_argument("--format", choices=("text", "json", "markdown"), default="text", help="default: text")


COMMAND = Command(
    name="rule",
    description="List the lint rules, or say of one what it finds, why that matters and how to fix it.",
    examples="  extreg rule\n  extreg rule reassigned-code",
    configure=_configure_rule,
    run=_rule,
)
