"""What importing tells about targets, asked of a child process that may hang, crash, print or exit as it likes."""

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from time import monotonic
from typing import NamedTuple

from extreg.errors import UnreadableError
from extreg.registry.target import split
from extreg.targets.lookup import Answer

SECONDS_PER_MODULE = 60.0
_TICK = 0.5  # seconds after which somebody who waits is told again what for

Began = Callable[[str], object]

# The working directory is kept off the path, or taken off it first: a user's random.py must not come before the probe's
# imports.  CPython 3.13 imports linecache for ``-c`` before it runs the first line; 3.10 has no option, and no need.
_SAFE_PATH = ("-P",) if sys.version_info >= (3, 11) else ()
_BOOTSTRAP = """
import sys
sys.path[:] = [*filter(None, sys.path), sys.argv.pop()]
from extreg.targets.probe import main
main()
"""


class _Terms(NamedTuple):
    """How the child is asked, beside what."""

    path: list[str]
    dump: bool
    aloud: bool
    seconds: float
    began: Began


def _nobody(_: str) -> None:
    """Nobody waits."""


def import_answers(
    targets: Iterable[str],
    path: list[str],
    *,
    dump: bool = True,
    aloud: bool = False,
    seconds: float = SECONDS_PER_MODULE,
    began: Began = _nobody,
) -> dict[str, Answer]:
    """Return what each of `targets` is once its module was imported, with `path` as ``sys.path``.

    With `dump` each is dumped and loaded under every protocol besides.  What user code prints is dropped, unless
    `aloud` sends it to standard error.  `began` is called with the name of each module when its turn comes, and again
    while that takes time.

    A module that takes longer than `seconds`, or brings the process down, makes its own targets ``unimportable``;
    the others are then asked of a new process.  So is the name under which pickle knows what a target leads to: whoever
    loads such a pickle imports that name's module, and maybe nothing else.
    """
    terms = _Terms(path, dump, aloud, seconds, began)
    answers = _answers(targets, terms)
    own = {answer.target for answer in answers.values() if answer.kind == "reexported"}
    there = {**_answers(own - answers.keys(), terms), **answers}
    for target, answer in answers.items():
        if answer.kind == "reexported" and there[answer.target].kind != "found":
            why = there[answer.target].detail or f"that is really {there[answer.target].target}"
            detail = f"it says of itself that it is {answer.target}, but {why}"
            answers[target] = Answer("unpicklable", detail=detail, hint=there[answer.target].hint)
    return answers


def _answers(targets: Iterable[str], terms: _Terms) -> dict[str, Answer]:
    answers: dict[str, Answer] = {}
    waiting = sorted(set(targets))
    while waiting:
        culprit = _one_child(waiting, terms, answers)
        if culprit is not None:
            module, detail = culprit
            for target in waiting:
                if split(target)[0] == module:
                    answers.setdefault(target, Answer("unimportable", detail=detail))
        left = [target for target in waiting if target not in answers]
        if len(left) == len(waiting):  # it ended before the first module: that is nobody's fault but ours
            raise UnreadableError(f"{sys.executable} does not run, so nothing can be imported in a child process")
        waiting = left
    return answers


def _one_child(targets: list[str], terms: _Terms, answers: dict[str, Answer]) -> tuple[str, str] | None:
    """Collect answers until the child ends; return the module it ended at and how, or None when it finished."""
    child = subprocess.Popen(
        [sys.executable, *_SAFE_PATH, "-c", _BOOTSTRAP, str(Path(__file__).parents[2])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=None if terms.aloud else subprocess.DEVNULL,
        encoding="utf-8",
        env={**os.environ, "PYTHONWARNINGS": "ignore", "PYTHONIOENCODING": "utf-8"},
        start_new_session=sys.platform != "win32",  # so that what it started can be ended with it
    )
    assert child.stdin is not None
    lines: queue.Queue[str | None] = queue.Queue()
    threading.Thread(target=_read, args=(child, lines), daemon=True).start()
    with suppress(BrokenPipeError), child.stdin as request:
        json.dump({"path": terms.path, "targets": targets, "dump": terms.dump}, request)
    module = None
    hung = False
    try:
        while (line := _next(lines, terms, module)) is not None:
            kind, *parts = json.loads(line)  # user code does not know where we listen, so that it is ours
            if kind == "module":
                module = parts[0]
            else:
                target, *answer = parts
                answers[target] = Answer(*answer)
    except queue.Empty:
        hung = True
    finally:
        _end(child)
    if module is None or all(target in answers for target in targets):
        return None
    if hung:
        return module, f"importing {module} hangs for more than {terms.seconds:g} seconds"
    return module, f"importing {module} ends the process ({_ending(child.returncode)})"


def _next(lines: "queue.Queue[str | None]", terms: _Terms, module: str | None) -> str | None:
    """Return the next line, or None behind the last; raise `queue.Empty` when none comes in time."""
    end = monotonic() + terms.seconds
    while True:
        if module is not None:
            terms.began(module)
        left = end - monotonic()
        try:
            return lines.get(timeout=min(max(left, 0), _TICK))
        except queue.Empty:
            if left <= 0:
                raise


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


def _ending(code: int) -> str:
    if code >= 0:
        return f"exit code {code}"
    try:
        return f"signal {signal.Signals(-code).name}"
    except ValueError:
        return f"signal {-code}"
