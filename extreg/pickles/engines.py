"""Pickle's own pickler and unpickler, as far as subclasses can count on them.

CPython's are those in C.  PyPy's count the arguments of a subclass's constructor as their own, and crash on some
pickles (a BUILD of what has no attributes); there it is those in Python.
"""

import sys
from typing import TYPE_CHECKING

__all__ = ["Pickler", "Unpickler", "loads"]

if TYPE_CHECKING or sys.implementation.name == "cpython":
    from pickle import Pickler, Unpickler, loads
else:
    from pickle import _loads as loads
    from pickle import _Pickler as Pickler
    from pickle import _Unpickler as Unpickler
