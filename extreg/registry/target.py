"""Targets: ``module:qualname``, the entry-point spelling of what pickle calls a global."""

import re

# One colon; dotted parts without white space, colons, control characters or halves of surrogate pairs (which no file
# can hold).  Deliberately wider than identifiers: pickle itself accepts any string, and `<locals>` is for a lint rule
# to explain.
_PART = r"[^\s:.\x00-\x1f\x7f\ud800-\udfff]+"
_DOTTED = rf"{_PART}(?:\.{_PART})*"
PATTERN = re.compile(rf"{_DOTTED}:{_DOTTED}")


def split(target: str) -> tuple[str, str]:
    """Return ``(module, qualname)``; raise ValueError with a suggestion when `target` is not a target."""
    if PATTERN.fullmatch(target) is None:
        raise ValueError(explain(target))
    module, qualname = target.split(":")
    return module, qualname


def join(module: str, qualname: str) -> str:
    """Return the target for a pickle global."""
    return f"{module}:{qualname}"


def explain(target: str) -> str:
    """Say what keeps `target` from being one, and what was probably meant."""
    found = f"expected 'module:qualname', found {target!r}"
    if any(character.isspace() for character in target):
        return f"{found}; a target has no white space"
    if ":" not in target and "." in target:
        module, _, name = target.rpartition(".")
        if PATTERN.fullmatch(f"{module}:{name}"):
            return f"{found}; did you mean '{module}:{name}'?"
    if target.count(":") > 1:
        return f"{found}; a target has exactly one colon"
    return found
