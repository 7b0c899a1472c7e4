"""A child that is told what to do by one file, answers by lines of JSON, and survives what it runs."""

import json
import os
import signal
import socket
import sys
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

SECONDS = 5  # for one step: making one object, loading one, one use of it


class TooLong(BaseException):
    """A step took more than `SECONDS`. Not an Exception: what is run must not swallow it."""


def job() -> tuple[dict[str, Any], Callable[[dict[str, Any]], None]]:
    """Return what to do, and the function that answers. What else writes to standard output goes to standard error."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8", buffering=1)
    os.dup2(2, 1)
    warnings.simplefilter("ignore")
    sys.setrecursionlimit(3000)
    _no_network()
    signal.signal(signal.SIGALRM, _alarm)
    task = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))

    def answer(record: dict[str, Any]) -> None:
        answers.write(json.dumps(record) + "\n")

    return task, answer


@contextmanager
def limited() -> Iterator[None]:
    """Give the block `SECONDS`."""
    signal.alarm(SECONDS)
    try:
        yield
    finally:
        signal.alarm(0)


def said(error: BaseException) -> str:
    """Return an exception as one line, without addresses."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}"[:300]


def _alarm(*_: object) -> None:
    raise TooLong(f"more than {SECONDS} s")


def _no_network() -> None:
    """Objects are made of whatever class there is: none of them may reach anybody."""

    def refuse(*_: object, **__: object) -> None:
        raise OSError("no network here")

    socket.socket.connect = socket.socket.bind = refuse  # type: ignore[assignment, method-assign]
    socket.getaddrinfo = refuse  # type: ignore[assignment]
