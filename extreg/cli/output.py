"""How the command line talks: results on stdout, notes and errors on stderr, colour only on a terminal.

Nothing else in the command line prints.  What comes from a file may be anything, and a terminal obeys some of it, so
that everything is escaped on its way out; what has colours in it, or is a format with rules of its own, was before.
"""

import json
import os
import sys
from collections.abc import Callable, Mapping
from typing import TextIO

from extreg.errors import ExtregError
from extreg.printable import printable

JSON_VERSION = 1
# What colours a text, given the name of the colour.
Colour = Callable[[str, str], str]
_COLOURS = {"bold": "1", "red": "31", "green": "32", "yellow": "33", "cyan": "36", "dim": "2"}


def coloured(text: str, colour: str, stream: TextIO) -> str:
    """Return `text` in `colour` where `stream` is a terminal.

    With ``$NO_COLOR`` (https://no-color.org) it never is, with ``$FORCE_COLOR`` (https://force-color.org) it always is.
    """
    if os.environ.get("NO_COLOR"):
        return text
    shown = stream.isatty() and os.environ.get("TERM") != "dumb"
    if not shown and not os.environ.get("FORCE_COLOR"):
        return text
    return f"\033[{_COLOURS[colour]}m{text}\033[0m"


def say(*lines: str, keep: str = "") -> None:
    """Print a result, line by line, with the characters in `keep` as they are."""
    for line in lines:
        print(printable(line, keep=keep))


def short(path: str) -> str:
    """Return a path as it is seen from the working directory, where it is below that."""
    try:
        own = os.path.relpath(path)
    except (OSError, ValueError):  # the working directory is gone; another drive
        return path
    return path if own.startswith(os.pardir) else own


def say_as_it_is(text: str) -> None:
    """Print a result of which every part that is not ours was made printable before."""
    print(text)


def say_json(value: Mapping[str, object]) -> None:
    """Print a result as JSON, which is ASCII, with the version of its shape."""
    print(json.dumps(versioned(value), indent=2))


def versioned(value: Mapping[str, object]) -> dict[str, object]:
    """Return a JSON object with the version of its shape first."""
    return {"version": JSON_VERSION, **value}


def say_error(error: ExtregError) -> None:
    """Print one message and its hint."""
    _tell(f"{coloured('extreg:', 'red', sys.stderr)} {error.shown}")
    if error.hint:
        _tell(f"{coloured('hint:', 'cyan', sys.stderr)} {printable(error.hint)}")


def note(text: str, *, label: str = "note", colour: str = "yellow") -> None:
    """Print something worth knowing that is not a result."""
    _tell(f"{coloured(f'{label}:', colour, sys.stderr)} {printable(text)}")


def _tell(line: str) -> None:
    # In a pipe stdout is buffered and stderr is not: in every CI log a note would stand before what it is about.
    sys.stdout.flush()
    print(line, file=sys.stderr)
