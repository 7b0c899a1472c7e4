"""Targets: ``module:qualname``, the entry-point spelling of what pickle calls a global."""

from itertools import repeat
from operator import contains

TYPE_CHECKING = False
if TYPE_CHECKING:
    import re

# What a target may not have: white space; control characters; what is invisible or changes the direction of writing,
# so that a line of the file would be read as another; halves of surrogate pairs, which no file can hold.  No identifier
# has any of these.  Deliberately wider than identifiers all the same: pickle itself accepts any string, and `<locals>`
# is for a lint rule to explain.
_HIDDEN = (
    r"\x00-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff"
    r"\U000e0000-\U000e007f"
)
_PART = rf"[^\s:.{_HIDDEN}]+"
_DOTTED = rf"{_PART}(?:\.{_PART})*"
_NOT_PLAIN = bytes((*range(33), 127))


def is_target(text: str) -> bool:
    """Whether `text` is ``module:qualname``: one colon, and dotted parts none of which is empty."""
    return split_all([text]) is not None


def is_module(text: str) -> bool:
    """Whether `text` can be the module of a target."""
    return is_target(f"{text}:_")


def split(target: str) -> tuple[str, str]:
    """Return ``(module, qualname)``; raise ValueError with a suggestion when `target` is not a target."""
    if not is_target(target):
        raise ValueError(explain(target))
    module, qualname = target.split(":")
    return module, qualname


def split_all(targets: "list[str]") -> "list[tuple[str, str]] | None":
    """Return ``(module, qualname)`` of each target in order; None if any is not a target.

    Ordinary targets are told by string methods over all of them at once, for a start without a cache: that takes a
    tenth of a pattern's time and needs no `re`.  What those do not vouch for goes to the pattern.
    """
    if not _are_ordinary(targets) and not all(map(pattern().fullmatch, targets)):
        return None
    parts = ":".join(targets).split(":")  # each target has exactly one colon, so modules and names alternate
    return list(zip(parts[::2], parts[1::2], strict=True)) if targets else []


def pattern() -> "re.Pattern[str]":
    """Return the pattern of a target, compiled when it is first wanted."""
    import re

    return re.compile(rf"{_DOTTED}:{_DOTTED}")


def _are_ordinary(targets: "list[str]") -> bool:
    """Whether no target has white space, unprintable characters or an empty part, and each has one colon."""
    text = "\n".join(["", *targets, ""])
    return (
        text.count(":") == len(targets)
        and all(map(contains, targets, repeat(":")))
        and ".." not in text.replace("\n", ".").replace(":", ".")
        and _is_plain("".join(targets))
    )


def _is_plain(text: str) -> bool:
    """Whether there is neither white space nor an unprintable character in `text`."""
    if not text.isascii():
        return text.isprintable() and " " not in text
    data = text.encode()
    return len(data.translate(None, _NOT_PLAIN)) == len(data)


def join(module: str, qualname: str) -> str:
    """Return the target for a pickle global."""
    return f"{module}:{qualname}"


def explain(target: str) -> str:
    """Say what keeps `target` from being one, and what was probably meant."""
    found = f"expected 'module:qualname', found {target!r}"
    if any(character.isspace() for character in target):
        return f"{found}; a target has no white space"
    if not target.isprintable():
        return f"{found}; a target has no invisible characters"
    if ":" not in target and "." in target:
        module, _, name = target.rpartition(".")
        if is_target(f"{module}:{name}"):
            return f"{found}; did you mean '{module}:{name}'?"
    if target.count(":") > 1:
        return f"{found}; a target has exactly one colon"
    return found
