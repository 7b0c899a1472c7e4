"""What a Python source file may do that its statements do not show, by its text: sooner yes than no."""

import re
from typing import NamedTuple

from extreg.text.python_known import OWN_NAME

# The namespace written to or handed on, wherever in the file; merely reading it binds nothing.
_ANYWHERE = re.compile(
    r"(?<!in )\bglobals\(\)(?!\s*(?:\[[^\]\n]*\](?!\s*=[^=])|\.(?:get|keys|values|items|copy)\b|\.__contains__))"
    r"|\bsys\.modules\[__name__\]|\bmodules\[__name__\]"
)
_MODULES = re.compile(
    r"\bmodules\[[^\]\n]*\]\s*=[^=]|\bmodules\.(?:update|setdefault|__setitem__)\b|\b(?:meta_path|path_hooks|__path__)\b"
)
_ATTRIBUTE = re.compile(r"\b(?!self\.|cls\.)(\w+)\.(\w+)[ \t]*=(?!=)")
_SETATTR = re.compile(r"\bsetattr\([^,\n]*,[ \t]*[\"'](\w+)[\"']")
_RENAMING = re.compile(r"\.__(?:module|qualname|name)__\s*=[^=]|[\"']__(?:module|qualname)__[\"']")


def hands_out_namespace(source: str) -> bool:
    """Whether `source` writes to the module's namespace as a mapping, or hands it on."""
    return _ANYWHERE.search(source) is not None


def bound_later(name: str, source: str) -> bool:
    """Whether `source` may bind the global `name` elsewhere than in a statement at the top of the module."""
    word = re.escape(name)
    return re.search(rf"\bglobal\b[^\n]*\b{word}\b|\b{word}\s*:=", source) is not None


def makes_modules(source: str) -> bool:
    """Whether `source` puts modules where no file is: into `sys.modules`, a package's path, or by an import hook."""
    return _MODULES.search(source) is not None


class Elsewhere(NamedTuple):
    """What a file does to the objects and modules of others: names it gives objects, and attributes it assigns."""

    renamed: frozenset[str]
    given: frozenset[str]


def done_elsewhere(source: str) -> Elsewhere:
    """Return the names whose `__module__` or `__qualname__` the file assigns, and the attributes that it assigns."""
    pairs = _ATTRIBUTE.findall(source)
    renamed = frozenset(holder for holder, name in pairs if name in OWN_NAME)
    return Elsewhere(renamed, frozenset(name for _, name in pairs) | frozenset(_SETATTR.findall(source)))


def renames(source: str) -> bool:
    """Whether `source` gives objects another `__module__` or `__qualname__`, wherever in the file."""
    return _RENAMING.search(source) is not None
