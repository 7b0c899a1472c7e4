"""How the command line talks: results on stdout, notes and errors on stderr, colour only on a terminal."""

import os
import sys
from typing import TextIO

from extreg.errors import ExtregError

_COLOURS = {"bold": "1", "red": "31", "green": "32", "yellow": "33", "cyan": "36", "dim": "2"}


def coloured(text: str, colour: str, stream: TextIO) -> str:
    """Return `text` in `colour` where `stream` is a terminal and NO_COLOR (https://no-color.org) is not set."""
    if os.environ.get("NO_COLOR") or os.environ.get("TERM") == "dumb" or not stream.isatty():
        return text
    return f"\033[{_COLOURS[colour]}m{text}\033[0m"


def say_error(error: ExtregError) -> None:
    """Print one message and its hint."""
    print(f"{coloured('extreg:', 'red', sys.stderr)} {error.message}", file=sys.stderr)
    if error.hint:
        print(f"{coloured('hint:', 'cyan', sys.stderr)} {error.hint}", file=sys.stderr)


def note(text: str) -> None:
    """Print something worth knowing that is not a result."""
    print(f"{coloured('note:', 'yellow', sys.stderr)} {text}", file=sys.stderr)
