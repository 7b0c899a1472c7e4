"""git-setup: set git up to merge the registry."""

import argparse

from extreg.cli.command import Command, registry_option
from extreg.cli.output import note, say
from extreg.project.git_setup import setup
from extreg.project.locate import registry_path


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


def _configure_setup(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when something is missing")
    parser.add_argument("--command", metavar="COMMAND", help="how git calls extreg (default: this installation's path)")
    registry_option(parser)


COMMAND = Command(
    name="git-setup",
    description="Add the line 'registry.toml merge=extreg' to .gitattributes and the merge driver to this "
    "clone's git configuration. Doing it twice is doing it once.",
    examples="  extreg git-setup\n  extreg git-setup --check",
    configure=_configure_setup,
    run=_git_setup,
)
