"""What doctor is to look at: the command line, else ``[tool.extreg.doctor]``."""

from pathlib import Path
from typing import NamedTuple

from extreg.errors import UnreadableError
from extreg.project.locate import read_pyproject
from extreg.startup.pyproject import table_in

_KEYS = ("main", "celery", "dask")


class Wishes(NamedTuple):
    """The project's ``folder``, its ``main`` script, and how its ``celery`` app and ``dask`` scheduler are reached."""

    folder: Path
    main: str | None
    celery: str | None
    dask: str | None


def read_wishes(here: Path, main: str | None, celery: str | None, dask: str | None) -> Wishes:
    """Return what is given, and for the rest what the nearest pyproject.toml upward from `here` says.

    Raises `UnreadableError` for settings that are wrong, and for a script that is not there.
    """
    pyproject, data = read_pyproject(here)
    table = table_in(data, pyproject, "tool", "extreg", "doctor")
    for key, value in table.items():
        where = f"{pyproject}: tool.extreg.doctor.{key}"
        if key not in _KEYS:
            raise UnreadableError(f"{where}: unknown key, expected one of {', '.join(_KEYS)}")
        if not isinstance(value, str):
            raise UnreadableError(f"{where}: expected a string, found {value!r}")
    said = table.get("main")
    script = here / main if main is not None else pyproject.parent / said if said else None
    if script is not None and not script.is_file():
        raise UnreadableError(f"there is no script {script}", "--main names the file that starts the program")
    path = str(script.absolute()) if script is not None else None
    return Wishes(pyproject.parent, path, celery or table.get("celery"), dask or table.get("dask"))
