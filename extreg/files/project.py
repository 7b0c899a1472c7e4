"""Which registry the command line works on."""

import os
from collections.abc import Iterator
from pathlib import Path

import tomli

from extreg.errors import UnreadableError
from extreg.startup.find import NAME, VARIABLE, upward


def registry_path(given: str | None) -> Path:
    """Return the path of the registry file to work on.

    The `given` path; else ``$EXTREG_REGISTRY``; else ``[tool.extreg] registry`` in the nearest pyproject.toml (relative
    to that file); else the nearest registry.toml upward from the working directory.  Raises `UnreadableError`.
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
        return named
    found = upward(str(Path.cwd()))
    return Path(found) if found is not None else None


def new_registry_path(given: str | None) -> Path:
    """Return where a new registry file goes: where `registry_path` looks first, else the working directory.

    A registry.toml further up is no obstacle, because a project within a project may have its own.
    """
    return _named(given) or Path.cwd() / NAME


def project_settings(folder: Path) -> tuple[Path, dict[str, object]]:
    """Return the nearest pyproject.toml upward from `folder` and its ``[tool.extreg]`` table (empty without one).

    Raises `UnreadableError` when that file is not TOML or the table is not a table.
    """
    for pyproject in _upward(folder, "pyproject.toml"):
        try:
            data = tomli.loads(pyproject.read_text(encoding="utf-8"))
        except (ValueError, RecursionError, OSError) as error:  # not UTF-8, not TOML, or beyond tomli's limits
            raise UnreadableError(
                f"cannot read {pyproject}: {error}", "mend it, or name a registry: --registry PATH"
            ) from None
        tool = data.get("tool", {})
        settings = tool.get("extreg", {}) if isinstance(tool, dict) else None
        if not isinstance(settings, dict):
            raise UnreadableError(f"{pyproject}: tool.extreg: expected a table")
        return pyproject, settings
    return folder / "pyproject.toml", {}


def _named(given: str | None) -> Path | None:
    """Return the path that somebody named: on the command line, in the environment, or in pyproject.toml."""
    named = given or os.environ.get(VARIABLE)
    if not named:
        return _configured(Path.cwd())
    path = Path(named)
    return path / NAME if path.is_dir() else path


def _configured(folder: Path) -> Path | None:
    pyproject, settings = project_settings(folder)
    value = settings.get("registry")
    if value is None:
        return None
    if not isinstance(value, str):
        raise UnreadableError(f"{pyproject}: tool.extreg.registry: expected a string, found {value!r}")
    return pyproject.parent / value


def _upward(folder: Path, name: str) -> Iterator[Path]:
    return (path / name for path in (folder, *folder.parents) if (path / name).is_file())
