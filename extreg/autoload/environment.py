"""Which environment this Python is, and in which of its folders a start looks for ``.pth`` and ``.start`` files."""

import os
import site
import sys
import sysconfig
from pathlib import Path
from typing import NamedTuple

import extreg
from extreg.errors import ExtregError

_IN_A_VENV = (
    "python -m venv .venv && .venv/bin/python -m pip install extreg, with your project, and there: "
    ".venv/bin/extreg autoload enable"
)


class Environment(NamedTuple):
    """The ``folder`` that takes files for each start, and what the environment is, in words.

    ``reach`` says whom they concern where no virtual environment bounds that.
    """

    folder: Path
    what: str
    reach: str = ""


def this_environment() -> Environment:
    """Return the environment that this Python is and extreg is installed in."""
    user = _user_site()
    if sys.prefix != sys.base_prefix:
        return Environment(_site_folder(), f"the virtual environment {sys.prefix}")
    if user is not None and Path(extreg.__file__).is_relative_to(user):
        reach = f"whatever you run with {sys.executable} outside of virtual environments, but for -I and -s"
        return Environment(user, f"your user site of {sys.executable}", reach)
    return Environment(
        _site_folder(),
        f"the Python in {sys.prefix}, which is no virtual environment",
        f"whatever {sys.executable} runs",
    )


def refuse_unwritable(environment: Environment) -> None:
    """Raise `ExtregError` where nothing can or should be written into the `environment`, with what to type instead."""
    marker = Path(sysconfig.get_path("stdlib")) / "EXTERNALLY-MANAGED"
    if sys.prefix == sys.base_prefix and marker.exists():  # PEP 668, which speaks of the user site too
        raise ExtregError(
            f"{environment.what}: its distributor manages it ({marker}), and programs that are none of yours run on it",
            f"in an environment of your own: {_IN_A_VENV}; for one command: extreg run -- COMMAND",
        )
    folder = environment.folder
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        there = "may not be written by you" if folder.is_dir() else "is not there"
        raise ExtregError(
            f"{environment.what}: {folder} {there}",
            f"as whoever installs into it; else in an environment of your own: {_IN_A_VENV}; for one command: "
            "extreg run -- COMMAND",
        )


def start_folders() -> list[Path]:
    """Return every folder in which a start of this Python looks."""
    user = _user_site()
    return list(dict.fromkeys([*([user] if user is not None else []), *map(Path, site.getsitepackages())]))


def _site_folder() -> Path:
    purelib = Path(sysconfig.get_path("purelib"))
    known = [Path(folder) for folder in site.getsitepackages()]
    return purelib if purelib in known or not known else known[0]


def _user_site() -> Path | None:
    return Path(site.getusersitepackages()) if site.ENABLE_USER_SITE else None
