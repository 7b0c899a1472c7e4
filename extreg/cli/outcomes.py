"""What a merge did, in words."""

import shlex

from extreg.cli.output import note, say_error
from extreg.errors import ExtregError
from extreg.merging.driver import Outcome


def say_outcome(outcome: Outcome, path: str) -> None:
    """Say what a merge of the file at `path` did, and what it left to do."""
    for text in outcome.notes:
        note(f"{path}: {text}")
    for contradiction in outcome.contradictions:
        say_error(ExtregError(f"{path}: {contradiction.where}: {contradiction.message}", contradiction.hint))
    if outcome.failure is not None:
        hint = f"mend {path}, whose conflict is marked line by line, then: git add {operand(path)}"
        problems = "; ".join(outcome.failure.message.split("\n"))
        say_error(ExtregError(f"{path} cannot be merged by meaning: {problems}", hint))


def operand(path: str) -> str:
    """Return a path as a shell and git take it for one, whatever it begins with."""
    return f"-- {shlex.quote(path)}" if path.startswith("-") else shlex.quote(path)
