"""Helpers for the tests of code that is pickled.

The pytest plugin is `extreg.integrations.pytest`.  Nothing is imported here until it is used (PEP 562).
"""

__all__ = ["Sizes", "copy_roundtrip", "isolated", "pickle_size", "roundtrip", "sizes"]

from extreg.lazy import lazy as _lazy

TYPE_CHECKING = False
if TYPE_CHECKING:
    from extreg.testing.isolation import isolated
    from extreg.testing.measures import Sizes, pickle_size, sizes
    from extreg.testing.trips import copy_roundtrip, roundtrip

_LAZY = {
    "Sizes": "extreg.testing.measures",
    "copy_roundtrip": "extreg.testing.trips",
    "isolated": "extreg.testing.isolation",
    "pickle_size": "extreg.testing.measures",
    "roundtrip": "extreg.testing.trips",
    "sizes": "extreg.testing.measures",
}

__getattr__, __dir__ = _lazy(globals(), _LAZY)
