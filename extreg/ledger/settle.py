"""Waiting until no load can still bring back what a change of codes has replaced.

A load that misses the extension cache looks up the code's target, finds the object, and stores it in the cache
(`load_extension` in Modules/_pickle.c, `_Unpickler.get_extension` in Lib/pickle.py).  If another thread changes the
target between the first and the last step and clears the cache, the old object is stored afterwards and served to
everybody.  The C code holds the interpreter lock all the way except while Python code runs: an import, an overridden
``find_class``, a module's ``__getattr__``, or pickle.py itself.  A thread in there has a frame that tells; once none
has, nobody holds an old target any more, and one last eviction is final.

Not seen are audit hooks written in Python for ``pickle.find_class``: their frames look like any other's.
"""

import builtins
import sys
import time
from _thread import get_ident

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import CodeType, FrameType
    from typing import Any

PATIENCE = 5.0  # seconds; an import in another thread that waits for ours would wait for ever
_IMPORTLIB = ("<frozen importlib._bootstrap>", "<frozen importlib._bootstrap_external>")


def settle(modules: "set[str]") -> bool:
    """Wait until no other thread is inside a load that may have looked a code up before now.

    `modules` are those of the replaced targets.  Returns whether that was so within `PATIENCE` seconds; the caller
    evicts the codes then in any case.
    """
    deadline = time.monotonic() + PATIENCE
    pause = 0.0
    inside = _telling_code(modules)
    waiting = _threads_inside(inside)
    while waiting:
        if time.monotonic() > deadline:
            return False
        time.sleep(pause)
        pause = min(0.005, pause + 0.0005)
        # Only those that were inside at the beginning can hold an old target; who came later read the new one.
        waiting &= _threads_inside(inside)
    return True


def _threads_inside(inside: "set[CodeType]") -> "set[int]":
    own = get_ident()
    return {
        thread
        for thread, frame in sys._current_frames().items()
        if thread != own and any(_tells(code, inside) for code in _stack(frame))
    }


def _stack(frame: "FrameType | None") -> "Iterator[CodeType]":
    while frame is not None:
        yield frame.f_code
        frame = frame.f_back


def _tells(code: "CodeType", inside: "set[CodeType]") -> bool:
    return code in inside or code.co_filename in _IMPORTLIB


def _telling_code(modules: "set[str]") -> "set[CodeType]":
    """Return the code objects that a load runs between looking a code up and storing what it found."""
    functions: list[Any] = [builtins.__import__]
    for name in modules:
        module = sys.modules.get(name)
        functions.append(getattr(module, "__dict__", {}).get("__getattr__"))
    pickle: Any = sys.modules.get("pickle")
    if pickle is not None:
        functions.append(pickle._Unpickler.get_extension)
        bases = {pickle.Unpickler, pickle._Unpickler}
        functions += [kind.__dict__.get("find_class") for base in bases for kind in _family(base)]
    codes = (getattr(function, "__code__", None) for function in functions)
    return {code for code in codes if code is not None}


def _family(kind: type) -> "Iterator[type]":
    yield kind
    children: list[type] = type.__subclasses__(kind)
    for child in children:
        yield from _family(child)
