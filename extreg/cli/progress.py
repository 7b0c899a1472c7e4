"""A line that says how far long work is: on a terminal only, and only from the second second on."""

import sys
from collections.abc import Iterable, Iterator
from time import monotonic
from typing import TypeVar

_T = TypeVar("_T")
_QUIET = 1.0
_EVERY = 0.1


def watched(items: Iterable[_T], what: str) -> Iterator[_T]:
    """Yield `items`, and show their number while that goes on."""
    if not sys.stderr.isatty():
        yield from items
        return
    begun = shown = monotonic()
    width = 0
    try:
        for count, item in enumerate(items, 1):
            now = monotonic()
            if now - begun > _QUIET and now - shown > _EVERY:
                line = f"{count} {what}, {now - begun:.0f} s"
                print(f"\r{line:<{width}}", end="", file=sys.stderr, flush=True)
                shown, width = now, len(line)
            yield item
    finally:
        if width:
            print("\r" + " " * width + "\r", end="", file=sys.stderr, flush=True)


def size(count: int) -> str:
    """Return a number of bytes as people write it."""
    amount = float(count)
    for unit in ("bytes", "KB", "MB", "GB"):
        if amount < 1000 or unit == "GB":
            return f"{count} bytes" if unit == "bytes" else f"{amount:.1f} {unit}"
        amount /= 1000
    raise AssertionError("the last unit takes any amount")
