"""Reducers, isolated picklers and versioned state: pickle's extension points with undo, privacy and a memory.

Importable without a registry, and on its own: ``import extreg`` does not load it.  Each name is loaded when it is
first used (PEP 562), so that an installer with reducers to bind does not pay for pickle.
"""

__all__ = [
    "Binding",
    "Pickler",
    "ReducerRow",
    "Registration",
    "bind",
    "dumps",
    "register",
    "versioned",
]

from extreg.lazy import lazy as _lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from extreg.reduce.binding import Binding, ReducerRow, bind
    from extreg.reduce.pickler import Pickler, dumps
    from extreg.reduce.table import Registration, register
    from extreg.reduce.versions_of_state import versioned

_LAZY = {
    "Binding": "extreg.reduce.binding",
    "Pickler": "extreg.reduce.pickler",
    "ReducerRow": "extreg.reduce.binding",
    "Registration": "extreg.reduce.table",
    "bind": "extreg.reduce.binding",
    "dumps": "extreg.reduce.pickler",
    "register": "extreg.reduce.table",
    "versioned": "extreg.reduce.versions_of_state",
}

__getattr__, __dir__ = _lazy(globals(), _LAZY)
