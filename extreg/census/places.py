"""What places are called: in a census, where no credentials may stand, and in ``[tool.extreg] places``."""

import os
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from extreg.errors import UnreadableError
from extreg.project.locate import read_pyproject
from extreg.startup.pyproject import strings_in, table_in
from extreg.stores.credentials import shown

# How a URL begins; a single letter is a drive of Windows.
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]+:")


def is_url(place: str) -> bool:
    """Tell whether `place` is a URL; a file of that name comes first."""
    return _URL.match(place) is not None and not os.path.lexists(place)


def canonical(place: str) -> str:
    """Return what a census calls `place`: a path from the root on, with no symlinks; a URL without credentials."""
    if not is_url(place):
        return os.path.realpath(place)
    return shown(place)


def distinct(places: Iterable[str]) -> list[str]:
    """Return `places` without those that others of them hold, which would count twice; what is not there stays."""
    names = {place: canonical(place) for place in dict.fromkeys(places)}
    found: dict[str, str] = {}
    for place, name in names.items():
        there = is_url(place) or os.path.lexists(place)
        if not there or not any(other != name and covers(other, name) for other in names.values()):
            found.setdefault(name, place)
    return list(found.values())


def covers(taken: str, wanted: str) -> bool:
    """Tell whether who has read what a census calls `taken` has read `wanted`: it is the same, or in that folder."""
    if taken == wanted:
        return True
    if _URL.match(taken) or _URL.match(wanted):
        return False
    return wanted.startswith(taken.rstrip(os.sep) + os.sep)


def configured_places(folder: Path) -> list[str]:
    """Return the places of the nearest pyproject.toml upward from `folder`; its paths count from where that is.

    Raises `UnreadableError` where there are none.
    """
    pyproject, data = read_pyproject(folder)
    found = strings_in(table_in(data, pyproject, "tool", "extreg"), "places", f"{pyproject}: tool.extreg")
    if not found:
        raise UnreadableError(
            "nothing says where pickles live: there is no [tool.extreg] places in a pyproject.toml here or above",
            'name the places; or write down where all are: [tool.extreg] places = ["data", "redis://cache.example/0"]',
        )
    return [place if is_url(place) else os.path.relpath(pyproject.parent / place) for place in found]
