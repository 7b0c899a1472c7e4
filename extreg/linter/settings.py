"""What pyproject.toml says about linting: ``[tool.extreg.lint]`` and ``project.requires-python``."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from extreg.errors import UnreadableError
from extreg.linter.check import BY_NAME
from extreg.linter.context import KNOWN_PYTHONS
from extreg.linter.versions import allowed
from extreg.project.locate import read_pyproject
from extreg.startup.pyproject import strings_in, table_in

_KEYS = ("select", "extend-select", "ignore", "exclude", "path", "python")
_ABOVE = ("registry", "places", "jar", "doctor", "lint")


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings of one project.

    ``folder`` is that of its pyproject.toml (or of the registry file, without one), ``select``, ``extend_select`` and
    ``ignore`` are rules, ``exclude`` are glob patterns of Python files in which calls do not count, ``path`` are
    folders whose modules can be imported beside the project's own, ``pythons`` the supported versions.  ``notes`` say
    what in them does nothing.
    """

    folder: Path
    select: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    exclude: tuple[str, ...] = ()
    path: tuple[Path, ...] = ()
    pythons: tuple[tuple[int, int], ...] = KNOWN_PYTHONS
    notes: tuple[str, ...] = ()


def read_settings(folder: Path) -> Settings:
    """Return the settings in the nearest pyproject.toml upward from `folder`; raise `UnreadableError` for bad ones."""
    pyproject, data = read_pyproject(folder)
    return _from_toml(pyproject, data) if data else Settings(folder=folder)


def check_names(names: tuple[str, ...], where: str) -> tuple[str, ...]:
    """Return `names` if all of them are rules; raise `UnreadableError` otherwise."""
    from difflib import get_close_matches

    for name in names:
        if name not in BY_NAME:
            near = get_close_matches(name, BY_NAME, n=1)
            hint = f"did you mean {near[0]}?" if near else "extreg rule lists all rules"
            raise UnreadableError(f"{where}: there is no rule {name!r}", hint)
    return names


def _check_keys(table: Mapping[str, Any], known: tuple[str, ...], where: str) -> None:
    from difflib import get_close_matches

    for key in table:
        if key not in known:
            near = get_close_matches(key, known, n=1)
            hint = f"did you mean {near[0]}?" if near else ""
            raise UnreadableError(f"{where}.{key}: unknown key, expected one of {', '.join(known)}", hint)


def _from_toml(pyproject: Path, data: Mapping[str, Any]) -> Settings:
    _check_keys(table_in(data, pyproject, "tool", "extreg"), _ABOVE, f"{pyproject}: tool.extreg")
    lint = table_in(data, pyproject, "tool", "extreg", "lint")
    where = f"{pyproject}: tool.extreg.lint"
    _check_keys(lint, _KEYS, where)
    chosen = {key: strings_in(lint, key, where) for key in _KEYS}
    project = data.get("project", {})
    requires = project.get("requires-python", "") if isinstance(project, dict) else ""
    if chosen["python"]:
        pythons = tuple(sorted(_version(text, f"{where}.python") for text in chosen["python"]))
    else:
        pythons = allowed(requires if isinstance(requires, str) else "", KNOWN_PYTHONS)
    return Settings(
        folder=pyproject.parent,
        select=check_names(chosen["select"], f"{where}.select"),
        extend_select=check_names(chosen["extend-select"], f"{where}.extend-select"),
        ignore=check_names(chosen["ignore"], f"{where}.ignore"),
        exclude=chosen["exclude"],
        path=tuple(pyproject.parent / folder for folder in chosen["path"]),
        pythons=pythons or KNOWN_PYTHONS,
        notes=tuple(
            f"{where}.path: there is no folder {str(pyproject.parent / folder)!r}, so that nothing is found there"
            for folder in chosen["path"]
            if not (pyproject.parent / folder).is_dir()
        ),
    )


def _version(text: str, where: str) -> tuple[int, int]:
    major, _, minor = text.partition(".")
    if not (major.isdecimal() and minor.isdecimal()):
        raise UnreadableError(f"{where}: expected a version such as '3.12', found {text!r}")
    version = int(major), int(minor)
    if version not in KNOWN_PYTHONS:
        first, last = (".".join(map(str, known)) for known in (KNOWN_PYTHONS[0], KNOWN_PYTHONS[-1]))
        raise UnreadableError(f"{where}: expected versions from {first} to {last}, found {text!r}")
    return version
