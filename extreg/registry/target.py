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


def split_all(targets: "list[str]") -> "list[tuple[str, str]] | None":
    """Return ``(module, qualname)`` of each target in order; None if any is not a target.

    Ordinary targets are told by string methods over all of them at once, which take a tenth of the pattern's time;
    whatever those do not vouch for goes to the pattern.
    """
    pairs = [(module, qualname) for module, _, qualname in [target.partition(":") for target in targets]]
    if _are_ordinary(targets) and all(qualname for _, qualname in pairs):
        return pairs
    return pairs if all(map(PATTERN.fullmatch, targets)) else None


def _are_ordinary(targets: "list[str]") -> bool:
    """Whether no target has white space, unprintable characters or an empty part, and colons are as many as targets."""
    text = "\n".join(["", *targets, ""])
    return (
        "".join(targets).isprintable()
        and " " not in text
        and text.count(":") == len(targets)
        and not any(mark in text for mark in ("..", ".:", ":.", "\n.", ".\n", "\n:", ":\n"))
    )


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
