"""What somebody may have meant by a target that leads nowhere, or to something that pickle never looks up by name.

Runs in the child process that imported the module: see `extreg.targets.probe`.
"""

import importlib.util
import re
from collections.abc import Iterator
from difflib import get_close_matches
from itertools import islice
from pathlib import Path
from types import ModuleType

from extreg.registry.dangerous import danger
from extreg.targets.dumped import reconstructor
from extreg.targets.trees import project_files

# Of a larger package a hint is not worth the time.
_MOST_FILES = 2000
_MOST_SHOWN = 3


def instead_of_missing(found: object, holder: str, name: str) -> str:
    """Return what to type where `holder`, written as a target so far, is `found` and has no `name`."""
    if isinstance(found, ModuleType) and (homes := _defining(found, name)):
        return f"did you mean {' or '.join(f'{home}:{name}' for home in homes)}?"
    near = get_close_matches(name, [other for other in dir(found) if not other.startswith("__")], n=1)
    if near and not isinstance(getattr(found, near[0], None), ModuleType):
        return f"did you mean {holder}{'.' if ':' in holder else ':'}{near[0]}?"
    return "check the spelling"


def instead_of_instance(found: object) -> str:
    """Return what to type where `found` is no global: what pickle dumps for it, if that may have a code."""
    if isinstance(found, ModuleType):
        return f"extreg add {found.__name__}:CLASS"
    target = reconstructor(found)
    if target is None or danger(target) is not None or target.startswith("builtins:"):
        return "register classes and functions"
    return f"extreg add {target}"


def _defining(package: ModuleType, name: str) -> list[str]:
    """Return up to three modules within `package` with a class or function `name` at their top level, by their names.

    Nothing is imported.  Empty for a module that is no package.
    """
    definition = re.compile(rf"^(?:class|def|async def) {re.escape(name)}\b", re.MULTILINE)
    homes = (module for module, text in _sources(package) if definition.search(text))
    return list(islice(homes, _MOST_SHOWN))


def _sources(package: ModuleType) -> Iterator[tuple[str, str]]:
    for folder in map(Path, getattr(package, "__path__", ())):
        for file in islice(project_files(folder), _MOST_FILES):
            parts = file.relative_to(folder).with_suffix("").parts
            module = ".".join([package.__name__, *(parts[:-1] if parts[-1] == "__init__" else parts)])
            try:
                yield module, importlib.util.decode_source(file.read_bytes())
            except (OSError, SyntaxError, UnicodeDecodeError):
                continue  # which is no source of any module
