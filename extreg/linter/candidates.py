"""Whether a target that has no code yet should have one: what lint would say if it had."""

from collections.abc import Collection, Iterable

from extreg.linter.check import check
from extreg.linter.context import KNOWN_PYTHONS, Context
from extreg.linter.finding import Finding
from extreg.registry.document import Document
from extreg.registry.model import Registry
from extreg.registry.toml.render import render

# In the default range, so that no rule speaks of the code instead of the target.
_CODE = 256
_RULES = (
    "local-name",
    "main-module",
    "dangerous-target",
    "dead-target",
    "python2-name",
    "nested-name",
    "drifting-target",
)
# With these a code could never do what it is for.
HOPELESS = frozenset(_RULES[:4])


def objections(
    targets: Iterable[str],
    *,
    pythons: tuple[tuple[int, int], ...] = KNOWN_PYTHONS,
    ignore: Collection[str] = (),
) -> dict[str, Finding]:
    """Return what a rule says against a code for each of `targets` that one has something against, the gravest first.

    `ignore` are rules that are left out, `pythons` the versions that the project supports.  Takes time linear in the
    number of targets.
    """
    registry = Registry(codes=dict(enumerate(dict.fromkeys(targets), _CODE)))
    document = Document.read(render(registry), path="registry.toml")
    rows = {row.line: row for row in document.rows}
    found: dict[str, Finding] = {}
    wanted = [name for name in _RULES if name not in ignore]
    said = check(Context(document=document, pythons=pythons), select=wanted) if wanted else ()
    for finding in sorted(said, key=lambda one: _RULES.index(one.rule)):
        row = rows[finding.line]
        shown = finding.message.replace(f"code {row.code} ({row.target})", row.target)
        found.setdefault(row.target, Finding(rule=finding.rule, path="", line=None, message=shown, hint=finding.hint))
    return found


def objection(target: str) -> str | None:
    """Return the name of a rule that has something against a code for `target`, or None."""
    found = objections([target]).get(target)
    return found.rule if found is not None else None
