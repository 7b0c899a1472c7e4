"""Scoped use: pickles under a registry that is handed in, with nothing installed.

`dumps` and `dump` write the codes of a registry; `loads` and `load` read them, and refuse every pickle that refers to
anything the registry does not hold, before any of it is imported or run.  `Pickler` and `Unpickler` are the same as
classes.  copyreg is not changed by any of them, and its cache is never asked.
"""

__all__ = ["Pickler", "Unpickler", "dump", "dumps", "load", "loads"]

from extreg.scoped.dumping import Pickler, dump, dumps
from extreg.scoped.loading import Unpickler, load, loads


def __dir__() -> list[str]:
    return sorted({*__all__, *(name for name in globals() if name.startswith("__"))})
