"""Comments that ignore a finding: ``# extreg: ignore[rule] reason`` at the end of a line."""

import re
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from extreg.linter.context import Context
from extreg.linter.finding import Finding
from extreg.registry.toml.statements import statements

NEVER_IGNORED = frozenset({"malformed", "conflict-markers", "unused-ignore"})

_MARK = "extreg: ignore"
_COMMENT = re.compile(r"#\s*extreg:\s*ignore(?:\[([^\]\n]*)\])?")


class Ignore(NamedTuple):
    """One comment, and the rules that it names (none where it names none)."""

    path: str
    line: int
    rules: tuple[str, ...]


class Outcome(NamedTuple):
    """What came of the other rules: findings that comments ``suppressed``; which of all ``names`` ``ran``."""

    suppressed: frozenset[Finding]
    ran: frozenset[str]
    names: frozenset[str]


def ignores(context: Context) -> tuple[Ignore, ...]:
    """Return the comments in the registry file, and in the sources whose calls were looked at."""
    document = context.document
    found: list[Ignore] = []
    if _MARK in document.text:
        found += _in_toml(document.text, document.path)
    for path, source in context.sources.items():
        if _MARK in source:
            found += _in_lines(enumerate(source.split("\n"), 1), path)
    return tuple(found)


def split_ignored(
    findings: Iterable[Finding], comments: Iterable[Ignore]
) -> tuple[frozenset[Finding], frozenset[Finding]]:
    """Return the findings that stay and those that a comment on their line ignores."""
    by_line: dict[tuple[str, int | None], set[str]] = {}
    for comment in comments:
        by_line.setdefault((comment.path, comment.line), set()).update(comment.rules)
    every = frozenset(findings)
    ignored = frozenset(
        found
        for found in every
        if found.rule in by_line.get((found.path, found.line), ()) and found.rule not in NEVER_IGNORED
    )
    return every - ignored, ignored


def unused_ignore(context: Context, outcome: Outcome | None = None) -> Iterator[Finding]:
    """A comment ignores a rule that finds nothing on its line, or no rule at all.

    Rules that were not asked for, or had nothing to look at (no `--against`, say), are given the benefit of the doubt.

    Why it matters: such a comment says that something is wrong which is not, and will hide the day when it is.

    How to fix it: delete the comment, or mend the name of the rule.
    """
    if outcome is None:
        return
    hits = {(found.path, found.line, found.rule) for found in outcome.suppressed}
    for comment in ignores(context):
        for rule in comment.rules or ("",):
            if (comment.path, comment.line, rule) not in hits:
                message = _why(outcome, rule)
                if message:
                    yield Finding(
                        rule="unused-ignore",
                        path=comment.path,
                        line=comment.line,
                        message=message,
                        hint="delete the comment; extreg rule lists all rules",
                    )


def _why(outcome: Outcome, rule: str) -> str:
    if not rule:
        return "the comment names no rule: write # extreg: ignore[RULE] REASON"
    if rule in NEVER_IGNORED:
        return f"{rule} cannot be ignored"
    if rule in outcome.ran:
        return f"{rule} finds nothing here"
    return "" if rule in outcome.names else f"there is no rule {rule!r}"


def _in_toml(text: str, path: str) -> Iterator[Ignore]:
    """Yield the comments that really are comments, not parts of a string."""
    for statement in statements(text):
        yield from _in_lines([(statement.line, text[statement.value[1] : statement.end].partition("\n")[0])], path)


def _in_lines(lines: Iterable[tuple[int, str]], path: str) -> Iterator[Ignore]:
    for number, line in lines:
        found = _COMMENT.search(line)
        if found is not None:
            names = tuple(name for part in (found[1] or "").split(",") if (name := part.strip()))
            yield Ignore(path, number, names)
