"""Who asks for a module: an unpickler, or an import.

An unpickler in C imports by ``PyImport_Import``, so that the Python frame under importlib's is at a call of the
unpickler; one in Python is in `pickle._Unpickler.find_class`.  What an ``import`` statement, `importlib` or an
extension module asks for while it is imported looks otherwise.  Not told from an unpickler in C: an extension module
that imports something while one of its functions is called, and ``__import__`` that is called by another name.
"""

import sys
from opcode import opname
from types import CodeType, FrameType
from typing import Final

_BOOTSTRAP: Final = frozenset({"importlib._bootstrap", "_frozen_importlib"})
# What importlib itself runs from a plain request on; anything else of it is a request of another kind.
_PLAIN: Final = frozenset(
    {
        "_find_spec",
        "_find_and_load_unlocked",
        "_find_and_load",
        "_call_with_frames_removed",
        "_resolve_parents",
        "_gcd_import",
        "__import__",
    }
)
# What cannot end in an unpickler; from CPython 3.15 on (PEP 810) the use of a name may import.
_IMPORTING: Final = ("IMPORT_", "LOAD_")


def is_unpickler(frame: FrameType | None) -> bool:
    """Tell whether what asks is an unpickler: `frame` is the one that called us, the finder or the module."""
    while frame is not None and is_plain(frame):
        frame = frame.f_back
    if frame is None:
        return False
    code = frame.f_code
    if code is _find_class():
        return True
    if _module(frame).partition(".")[0] in {"importlib", "_frozen_importlib", "_frozen_importlib_external"}:
        return False
    if "__import__" in code.co_names:
        return False
    return not opname[code.co_code[frame.f_lasti]].startswith(_IMPORTING)


def is_plain(frame: FrameType) -> bool:
    """Tell whether `frame` only hands on a request: it is importlib's or ours."""
    module = _module(frame)
    return (module in _BOOTSTRAP and frame.f_code.co_name in _PLAIN) or module.startswith(
        ("extreg.healing", "extreg.importhook")
    )


def _module(frame: FrameType) -> str:
    return str(frame.f_globals.get("__name__", ""))


def _find_class() -> CodeType | None:
    """Return the code of ``find_class`` of the unpickler in Python, if pickle is imported."""
    unpickler = getattr(sys.modules.get("pickle"), "_Unpickler", None)
    return None if unpickler is None else unpickler.find_class.__code__
