"""Asking a child process that runs other people's code, and may hang, crash, print or exit as it likes."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import Any

# The working directory is kept off the path, or taken off it first: a user's random.py must not come before the
# program's imports.  CPython 3.13 imports linecache for ``-c`` before it runs the first line; 3.10 has no option, and
# no need.
_SAFE_PATH = ("-P",) if sys.version_info >= (3, 11) else ()
_TICK = 0.5  # seconds after which somebody who waits is told again what for
_BOOTSTRAP = """
import sys
sys.path[:] = [*filter(None, sys.path), sys.argv.pop()]
from {} import main
main()
"""


class Interview:
    """A child process that runs `program`, a module of ours with a ``main``, and answers what it is `asked`, in JSON.

    What user code in it prints is seen unless it is `quiet`.  `waiting` is called while an answer is waited for, again
    and again.  When `answers` has ended, ``hung`` tells whether that was for want of an answer, and ``returncode`` how
    the process ended otherwise.
    """

    def __init__(self, program: str, asked: Any, *, quiet: bool, waiting: Callable[[], object] = lambda: None) -> None:
        self._program = program
        self._asked = asked
        self._quiet = quiet
        self._waiting = waiting
        self.hung = False
        self.returncode = 0

    def answers(self, seconds: float, *, beginning: float = 0) -> Iterator[list[Any]]:
        """Yield the answers, each an array, until the child ends, or says nothing for so many seconds and is ended.

        The first may take `beginning` seconds where that is more.
        """
        child = subprocess.Popen(
            [sys.executable, *_SAFE_PATH, "-c", _BOOTSTRAP.format(self._program), str(Path(__file__).parents[2])],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL if self._quiet else None,
            encoding="utf-8",
            env={**os.environ, "PYTHONWARNINGS": "ignore", "PYTHONIOENCODING": "utf-8", "EXTREG_AUTOLOAD": "0"},
            start_new_session=sys.platform != "win32",  # so that what it started can be ended with it
        )
        assert child.stdin is not None
        lines: queue.Queue[str | None] = queue.Queue()
        threading.Thread(target=_read, args=(child, lines), daemon=True).start()
        with suppress(BrokenPipeError), child.stdin as request:
            json.dump(self._asked, request)
        try:
            patience = max(seconds, beginning)
            while (line := self._next(lines, patience)) is not None:
                patience = seconds
                yield json.loads(line)  # user code does not know where we listen, so that it is ours
        except queue.Empty:
            self.hung = True
        finally:
            _end(child)
            self.returncode = child.returncode

    def _next(self, lines: "queue.Queue[str | None]", seconds: float) -> str | None:
        """Return the next line, or None behind the last; raise `queue.Empty` when none comes in time."""
        end = monotonic() + seconds
        while True:
            self._waiting()
            left = end - monotonic()
            try:
                return lines.get(timeout=min(max(left, 0), _TICK))
            except queue.Empty:
                if left <= 0:
                    raise

    def ending(self, seconds: float) -> str:
        """Say how it ended before its time."""
        return f"hangs for more than {seconds:g} seconds" if self.hung else f"ends the process ({self._how()})"

    def _how(self) -> str:
        if self.returncode >= 0:
            return f"exit code {self.returncode}"
        try:
            return f"signal {signal.Signals(-self.returncode).name}"
        except ValueError:
            return f"signal {-self.returncode}"


def _read(child: "subprocess.Popen[str]", lines: "queue.Queue[str | None]") -> None:
    assert child.stdout is not None
    with child.stdout:
        for line in child.stdout:
            lines.put(line)
    lines.put(None)


def _end(child: "subprocess.Popen[str]") -> None:
    """End the child, and whatever it started."""
    if sys.platform == "win32":
        child.kill()
    else:
        with suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, signal.SIGKILL)
    child.wait()
