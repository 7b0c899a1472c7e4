"""The process of a command: its streams, and what an interrupt does to it at any moment.

Nothing but `_signal` is imported, which is built in: until this has run, an interrupt shows a traceback.
"""

import _signal
import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from types import FrameType
    from typing import NoReturn

_INTERRUPTED = 130
_STREAMS = ("stdin", "stdout", "stderr")


def prepare() -> None:
    """See to it that an interrupt ends the process without a word, and that there are three streams."""
    if _signal.getsignal(_signal.SIGINT) in (_signal.default_int_handler, _signal.SIG_DFL):
        _signal.signal(_signal.SIGINT, _leave)
    for descriptor, name in enumerate(_STREAMS):
        try:
            os.fstat(descriptor)
        except OSError:
            # Else the first file that is opened would be what is printed to.
            os.open(os.devnull, os.O_RDWR)
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "r+"))  # noqa: SIM115, PTH123 - as long as the process
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:  # a name that the terminal cannot show is shown escaped
            reconfigure(errors="backslashreplace")


def interruptible() -> None:
    """From here on an interrupt is a KeyboardInterrupt, for whoever has something to put back in order."""
    if _signal.getsignal(_signal.SIGINT) is _leave:
        _signal.signal(_signal.SIGINT, _signal.default_int_handler)


def finish(code: int) -> "NoReturn":
    """Leave the process with an exit code; an interrupt comes too late for it."""
    if _signal.getsignal(_signal.SIGINT) in (_leave, _signal.default_int_handler):
        _signal.signal(_signal.SIGINT, _signal.SIG_IGN)
    try:
        sys.stderr.flush()
    except OSError:
        # Nobody is told, and Python would try again when it ends and leave with 120.
        sys.stderr = open(os.devnull, "w")  # noqa: SIM115, PTH123 - as long as the process
        os.dup2(sys.stderr.fileno(), 2)
    raise SystemExit(code)


def _leave(_number: int, _frame: "FrameType | None") -> None:
    os._exit(_INTERRUPTED)
