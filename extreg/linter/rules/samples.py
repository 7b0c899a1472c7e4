"""Rules on the jar: which codes have an old pickle that is loaded as a test."""

from collections.abc import Iterator

from extreg.linter.context import Context
from extreg.linter.finding import Finding


def no_sample(context: Context) -> Iterator[Finding]:
    """No pickle in the jar refers to a live code, neither by number nor by a name of its target.

    This rule is off until it is selected: `extend-select = ["no-sample"]` in `[tool.extreg.lint]`, or
    `extreg lint --extend-select no-sample`.

    Why it matters: a code keeps the name of a class for ever, and says nothing of what is in its pickles. That today's
    code can still read them, only old pickles tell, and `extreg jar check` has none of this class to load.

    How to fix it: `extreg jar add FILE` with a pickle of it, or `extreg jar add --from PATH` with what is stored.
    """
    for code, target in (context.unsampled or {}).items():
        row = context.document.row("codes", code)
        message = f"code {code} ({target}) has no sample in the jar"
        yield context.found("no-sample", row, message, "extreg jar add FILE, with a pickle of it")
