"""resolve: resolve a file with conflict markers."""

import argparse

from extreg.cli.command import Command, registry_option
from extreg.cli.outcomes import operand, say_outcome
from extreg.cli.output import note, say
from extreg.merging.driver import resolve
from extreg.project.locate import registry_path


def _resolve(arguments: argparse.Namespace) -> int:
    path = registry_path(arguments.registry)
    conflicts, outcome = resolve(path)
    say_outcome(outcome, str(path))
    if conflicts == 0:
        say(f"{path}: no conflict markers, and git's index has it merged")
        return 0
    if not outcome.clean:
        count = len(outcome.contradictions)
        say(f"{path}: {count} contradiction{'s' if count != 1 else ''} left between markers; the rest is resolved")
        return 1
    say(f"{path}: resolved {conflicts} conflict{'s' if conflicts != 1 else ''}")
    note(f"look at it, then: git add {operand(str(path))}")
    return 0


COMMAND = Command(
    name="resolve",
    description="Merge by meaning the two sides of a registry that holds git's conflict markers, or that git's "
    "index holds where the merge driver could not run. Only contradictions stay between markers, and the exit code "
    "is then 1.",
    examples="  extreg resolve && git add registry.toml",
    configure=registry_option,
    run=_resolve,
)
