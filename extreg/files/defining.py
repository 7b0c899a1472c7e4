"""Which modules of a package define a name: for a hint, from the sources alone."""

import importlib.util
import re
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from types import ModuleType

from extreg.files.sources import project_files

# Of a larger package a hint is not worth the time.
_MOST_FILES = 2000
_MOST_SHOWN = 3


def defining(package: ModuleType, name: str) -> list[str]:
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
