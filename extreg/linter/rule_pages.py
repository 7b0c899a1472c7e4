"""The documentation of the rules: one page from their docstrings."""

import inspect
from collections.abc import Iterable

from extreg.linter.check import BY_NAME, Rule
from extreg.linter.rules import file, history, ignores, names, other_names, processes, samples, state, targets

# Where the documentation is for who has nothing but a finding: each rule has an anchor of its name in docs/rules.md.
PAGE = "https://pypi.org/project/extreg/"

_SECTIONS = (
    ("The file and its includes", file),
    ("What targets are called", names),
    ("What targets lead to", targets),
    ("Former and other names", other_names),
    ("What was promised before", history),
    ("Other processes", processes),
    ("What pickles hold besides", state),
    ("The jar", samples),
    ("Comments", ignores),
)
_HEAD = """\
# Lint rules

`extreg lint` checks a registry; this page is what `extreg rule NAME` prints, for all rules. A finding is ignored by a
comment at the end of its line, `# extreg: ignore[rule] reason`; a rule is left out by `--ignore` or by `ignore` in
`[tool.extreg.lint]`, and one that says that it is off is switched on by `--extend-select` or by `extend-select` there.
`malformed` and `conflict-markers` cannot be ignored.

This page is generated: `extreg rule --format markdown > docs/rules.md`.
"""


def documentation(rule: Rule) -> str:
    """Return the docstring of a rule, its indentation taken off."""
    return inspect.cleandoc(rule.__doc__ or "")


def summary(rule: Rule) -> str:
    """Return the first sentence of a rule's documentation, on one line."""
    return " ".join(documentation(rule).partition("\n\n")[0].split())


def page() -> str:
    """Return the page of all rules in Markdown."""
    parts = [_HEAD]
    for title, module in _SECTIONS:
        rules = {name: rule for name, rule in BY_NAME.items() if rule.__module__ == module.__name__}
        parts += [f"## {title}\n", *_rules(rules.items())]
    return "\n".join(parts)


def _rules(rules: Iterable[tuple[str, Rule]]) -> list[str]:
    texts = []
    for name, rule in rules:
        text = documentation(rule)
        for label in ("Why it matters:", "How to fix it:"):
            text = text.replace(f"\n\n{label}", f"\n\n**{label}**")
        texts.append(f"### {name}\n\n{text}\n")
    return texts
