"""Lint rules: plain functions from a context to findings, all of them in one tuple.

A rule's function is named as the rule is, its docstring is its documentation, and its name is never recycled.
"""

from collections.abc import Callable, Iterator

from extreg.rules import file
from extreg.rules.finding import Context, Finding

Rule = Callable[[Context], Iterator[Finding]]

RULES: tuple[Rule, ...] = (
    file.malformed,
    file.conflict_markers,
    file.duplicate_code,
    file.duplicate_target,
    file.overlapping_ranges,
    file.outside_range,
    file.reserved_code,
    file.misplaced_module,
    file.unsorted,
)


def name_of(rule: Rule) -> str:
    """Return the name of a rule: its function's, with hyphens."""
    return rule.__name__.replace("_", "-")


def check(context: Context) -> tuple[Finding, ...]:
    """Return what all rules find, sorted by place."""
    found = {finding for rule in RULES for finding in rule(context)}
    return tuple(sorted(found, key=lambda finding: finding.place))
