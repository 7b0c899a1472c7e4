"""Whether a target that has no code yet should have one: what lint would say if it had."""

from extreg.registry.model import Registry
from extreg.rules import check
from extreg.rules.finding import Context
from extreg.text.document import Document
from extreg.text.render import render

# In the default range, so that no rule speaks of the code instead of the target.
_CODE = 256


def objection(target: str) -> str | None:
    """Return what a rule says against a code for `target`, or None."""
    outer, _, qualname = target.partition(":")
    # What `extreg add` and pickle itself refuse, whatever the rules say.
    if "<locals>" in qualname or "<lambda>" in qualname:
        return "local-name"
    if outer in {"__main__", "__mp_main__"}:
        return "main-module"
    document = Document.read(render(Registry(codes={_CODE: target})), path="registry.toml")
    found = check(Context(document=document))
    return found[0].rule if found else None
