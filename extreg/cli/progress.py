"""A line that says how far long work is: on a terminal only, and only from the second second on."""

import shutil
import sys
from collections.abc import Iterable, Iterator
from time import monotonic
from typing import TypeVar

from extreg.printable import printable

_T = TypeVar("_T")
_QUIET = 1.0
_EVERY = 0.1
_WIDE = 20


class Line:
    """The line, in a ``with`` block that takes it away."""

    def __init__(self) -> None:
        self._begun = self._shown = monotonic()
        self._width = 0

    def __enter__(self) -> "Line":
        return self

    def show(self, text: str) -> None:
        """Show `text` and the seconds that have passed, cut to the terminal's width, unless that was just done."""
        now = monotonic()
        if now - self._begun <= _QUIET or now - self._shown <= _EVERY or not sys.stderr.isatty():
            return
        room = shutil.get_terminal_size().columns - 1
        line = f"{printable(text)}, {now - self._begun:.0f} s"[:room]
        print(f"\r{line:<{self._width}}", end="", file=sys.stderr, flush=True)
        self._shown, self._width = now, len(line)

    def __exit__(self, *_: object) -> None:
        if self._width:
            print("\r" + " " * self._width + "\r", end="", file=sys.stderr, flush=True)


class Bar(Line):
    """The line of a walk over cells, which shows how fast it is, and how long it takes yet where there is a ``total``.

    ``done`` cells were read in a walk before this one.
    """

    def __init__(self, noun: str, total: int | None, done: int = 0) -> None:
        super().__init__()
        self._noun = noun
        self._total = total
        self._done = self._before = done

    def __enter__(self) -> "Bar":
        return self

    def add(self, cells: int) -> None:
        """Show that so many more cells were read."""
        self._done += cells
        passed = monotonic() - self._begun
        rate = (self._done - self._before) / passed if passed else 0.0
        if self._total is None or self._total < self._done:
            self.show(f"{self._done} {self._noun}s, {rate:.0f}/s")
            return
        full = _WIDE * self._done // max(1, self._total)
        left = f", {_lasting((self._total - self._done) / rate)} left" if rate else ""
        bar = f"[{'#' * full}{'.' * (_WIDE - full)}]"
        self.show(f"{bar} {self._done} of about {self._total} {self._noun}s, {rate:.0f}/s{left}")


def _lasting(seconds: float) -> str:
    """Return a time as people say it."""
    if seconds < 120:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"


def watched(items: Iterable[_T], what: str) -> Iterator[_T]:
    """Yield `items`, and show their number while that goes on."""
    with Line() as line:
        for count, item in enumerate(items, 1):
            line.show(f"{count} {what}")
            yield item


def size(count: int) -> str:
    """Return a number of bytes as people write it."""
    amount = float(count)
    for unit in ("bytes", "KB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            return f"{count} bytes" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    raise AssertionError("the last unit takes any amount")
