"""Whether there is a compiled core, `extreg._core`: decided once, where this is first imported.

The core reads pickle bytes as `extreg.pickles.walking` does, in C.  Nothing but time depends on it.  There is none
where ``$EXTREG_PURE`` is 1, where it was not built, on other Pythons than CPython, on free-threaded builds, and where
what is found is another version's.

Nothing that a start runs imports this module.
"""

import os
import sys
import warnings
from importlib import import_module
from types import ModuleType
from typing import Final

_VARIABLE: Final = "EXTREG_PURE"


def _found() -> ModuleType | None:
    if os.environ.get(_VARIABLE) == "1":
        return None
    if sys.implementation.name != "cpython" or "free-threading" in sys.version:
        return None
    try:
        made = import_module("extreg._core")
    except ImportError:
        return None
    wanted, version = sys.modules["extreg"].__version__, getattr(made, "version", "no version")
    if version != wanted:
        text = f"extreg {wanted} does not use the compiled core {made.__file__}, which is of {version}: install again"
        warnings.warn(text, RuntimeWarning, stacklevel=2)
        return None
    return made


core: Final = _found()
# As `extreg --version` and `extreg doctor` have it.
STANDING: Final = "no compiled core" if core is None else "compiled core"
