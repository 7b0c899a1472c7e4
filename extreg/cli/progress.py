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
