"""Where pickles are kept: files, archives and databases, object stores and caches, and what is in them.

`open_store` opens a place; a `Store` yields its `Cell` values; `unwrap` takes off what lies around the pickles in one.
Nothing here executes a pickle.  Another package adds a kind of place by a function of the place's URL that returns a
`Store`, as an entry point of the group ``extreg.stores`` that is called as the scheme is; only the command line asks
for these.

Each name is loaded when it is first used (PEP 562).
"""

from extreg.lazy import lazy as _lazy

__all__ = [
    "Blob",
    "Cell",
    "Change",
    "Fault",
    "Layer",
    "Passed",
    "PlaceError",
    "ReadOnlyError",
    "StaleCursorError",
    "Store",
    "open_store",
    "unwrap",
]

TYPE_CHECKING = False
if TYPE_CHECKING:
    from extreg.stores.envelopes import unwrap
    from extreg.stores.items import Blob, Fault, Layer, Passed
    from extreg.stores.opening import open_store
    from extreg.stores.store import Cell, Change, PlaceError, ReadOnlyError, StaleCursorError, Store

_LAZY = {
    "Blob": "extreg.stores.items",
    "Cell": "extreg.stores.store",
    "Change": "extreg.stores.store",
    "Fault": "extreg.stores.items",
    "Layer": "extreg.stores.items",
    "Passed": "extreg.stores.items",
    "PlaceError": "extreg.stores.store",
    "ReadOnlyError": "extreg.stores.store",
    "StaleCursorError": "extreg.stores.store",
    "Store": "extreg.stores.store",
    "open_store": "extreg.stores.opening",
    "unwrap": "extreg.stores.envelopes",
}

__getattr__, __dir__ = _lazy(globals(), _LAZY)
