"""Which registry the command line works on."""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from extreg.errors import UnreadableError
from extreg.startup.sources import NAME, VARIABLE, upward
from extreg.startup.strangers import refuse_strangers
from extreg.text.toml_reader import loads


def registry_path(given: str | None) -> Path:
    """Return the path of the registry file to work on.

    The `given` path; else ``$EXTREG_REGISTRY``; else ``[tool.extreg] registry`` in the nearest pyproject.toml (relative
    to that file); else the nearest registry.toml upward from the working directory.  Raises `UnreadableError`, also for
    a file above it that others than the user, root and the working directory's owner may have put there.
    """
    path = registry_path_if_any(given)
    if path is None:
        raise UnreadableError(
            f"no {NAME} here or in any folder above ({Path.cwd()})",
            "extreg init writes a new one; --registry PATH names one elsewhere",
        )
    return path


def registry_path_if_any(given: str | None) -> Path | None:
    """Return what `registry_path` returns, or None where nobody named a registry file and none is found."""
    named = _named(given)
    if named is not None:
        return near(named)
    here = Path.cwd()
    if (here / NAME).is_file():
        return Path(NAME)
    found = upward(os.fspath(here.parent), os.fspath(here))
    return Path(found) if found is not None else None


def new_registry_path(given: str | None) -> Path:
    """Return where a new registry file goes: where `registry_path` looks first, else the working directory.

    A registry.toml further up is no obstacle, because a project within a project may have its own.
    """
    return near(_named(given) or Path(NAME))


def near(path: Path) -> Path:
    """Return `path` as messages show it: from the working directory, where it is below that."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def read_pyproject(folder: Path) -> tuple[Path, dict[str, Any]]:
    """Return the nearest pyproject.toml upward from `folder` and what it says (nothing without one).

    Raises `UnreadableError` when that file cannot be read or is not TOML.
    """
    for pyproject in _upward(folder, "pyproject.toml"):
        try:
            return pyproject, loads(pyproject.read_text(encoding="utf-8"))
        except (ValueError, RecursionError, OSError) as error:  # not UTF-8, not TOML, or beyond tomli's limits
            raise UnreadableError(
                f"cannot read {pyproject}: {error}", "mend it, or name a registry: --registry PATH"
            ) from None
    return folder / "pyproject.toml", {}


def table_in(data: Mapping[str, Any], pyproject: Path, *path: str) -> Mapping[str, Any]:
    """Return the table at `path` in the data of `pyproject`, empty where it is left out; raise `UnreadableError`."""
    for position, key in enumerate(path):
        data = data.get(key, {})
        if not isinstance(data, dict):
            raise UnreadableError(f"{pyproject}: {'.'.join(path[: position + 1])}: expected a table")
    return data


def _named(given: str | None) -> Path | None:
    """Return the path that somebody named: on the command line, in the environment, or in pyproject.toml."""
    named = given or os.environ.get(VARIABLE)
    if not named:
        return _configured(Path.cwd())
    path = Path(named)
    return path / NAME if path.is_dir() else path


def _configured(folder: Path) -> Path | None:
    pyproject, data = read_pyproject(folder)
    value = table_in(data, pyproject, "tool", "extreg").get("registry")
    if value is None:
        return None
    if not isinstance(value, str):
        raise UnreadableError(f"{pyproject}: tool.extreg.registry: expected a string, found {value!r}")
    registry = pyproject.parent / value
    if pyproject.parent != folder:
        refuse_strangers(os.fspath(pyproject), os.fspath(folder), os.fspath(registry))
    return registry


def _upward(folder: Path, name: str) -> Iterator[Path]:
    return (path / name for path in (folder, *folder.parents) if (path / name).is_file())
