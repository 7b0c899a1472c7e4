"""What a Python source file may do that its statements do not show, by its text: sooner yes than no."""

import re

_RENAMING = re.compile(r"\.__(?:module|qualname|name)__\s*=[^=]|[\"']__(?:module|qualname)__[\"']")


def bound_later(name: str, source: str) -> bool:
    """Whether `source` may bind the global `name` elsewhere than in a statement at the top of the module."""
    if name not in source:
        return False
    word = re.escape(name)
    return re.search(rf"\bglobal\b[^\n]*\b{word}\b|\b{word}\s*:=", source) is not None


def renames(source: str) -> bool:
    """Whether `source` gives objects another `__module__` or `__qualname__`, wherever in the file."""
    return _RENAMING.search(source) is not None
