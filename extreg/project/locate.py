"""Which registry the command line works on."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from extreg.errors import UnreadableError
from extreg.project.import_path import search_path
from extreg.startup import NAME, PYPROJECT, VARIABLE, is_path, named, setting, upward
from extreg.startup.packages import package_folders
from extreg.startup.pyproject import parse_pyproject, strings_in, table_in


def registry_path(given: str | None) -> Path:
    """Return the path of the registry file to work on.

    What `given` names, a path or a package; else what ``$EXTREG_REGISTRY`` names; else the nearest that is meant upward
    from the working directory, by ``[tool.extreg] registry`` in a pyproject.toml or as a registry.toml: the same as
    `extreg.install` takes.  Raises `UnreadableError`, also for a file above the working directory that others than the
    user, root and that folder's owner may have put there.
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
    name = given or os.environ.get(VARIABLE)
    if name:
        return near(Path(named(name, search=_search, said="" if given else f"${VARIABLE}")))
    here = os.fspath(Path.cwd())
    found = upward(here, guide=here, own=here, search=_search)
    return near(Path(found)) if found is not None else None


def new_registry_path(given: str | None) -> Path:
    """Return where a new registry file goes: where `registry_path` looks first, else the working directory.

    For the name of a package, that is in its folder.  A registry.toml further up is no obstacle, because a project
    within a project may have its own.
    """
    name = given or os.environ.get(VARIABLE)
    if name:
        return near(Path(_new_file(name, "")))
    for pyproject in _upward(Path.cwd(), PYPROJECT):
        value = setting(os.fspath(pyproject))
        if value is not None:
            return near(Path(_new_file(value, os.fspath(pyproject.parent))))
    return Path(NAME)


def _new_file(name: str, base: str) -> str:
    if is_path(name):
        return named(name, base)
    try:
        folders = package_folders(name, _search())
    except LookupError as missing:
        raise UnreadableError(*missing.args) from None
    if not folders:
        raise UnreadableError(f"{name} is a single module, with no folder for a {NAME}", "name a path: --registry PATH")
    return f"{folders[0]}{os.sep}{NAME}"


def near(path: Path) -> Path:
    """Return `path` as messages show it: from the working directory, where it is below that."""
    return path.relative_to(Path.cwd()) if path.is_relative_to(Path.cwd()) else path


def read_pyproject(folder: Path) -> tuple[Path, dict[str, Any]]:
    """Return the nearest pyproject.toml upward from `folder` and what it says (nothing without one).

    Raises `UnreadableError` when that file cannot be read or is not TOML.
    """
    for pyproject in _upward(folder, PYPROJECT):
        try:
            return pyproject, parse_pyproject(pyproject.read_bytes(), pyproject)
        except OSError as error:
            raise UnreadableError(
                f"cannot read {pyproject}: {error.strerror}", "mend it, or name a registry: --registry PATH"
            ) from None
    return folder / PYPROJECT, {}


def module_folders(folder: Path) -> list[Path]:
    """Return the folders of the project around `folder` that its modules are in.

    That of its pyproject.toml, and those that ``path`` in ``[tool.extreg.lint]`` adds.  Raises `UnreadableError`.
    """
    pyproject, data = read_pyproject(folder)
    where = f"{pyproject}: tool.extreg.lint"
    path = strings_in(table_in(data, pyproject, "tool", "extreg", "lint"), "path", where)
    return [pyproject.parent, *(pyproject.parent / added for added in path)]


def _search() -> list[str]:
    """Return the folders in which a package is looked for whose registry somebody names: the project's own first."""
    here = Path.cwd()
    return search_path([here, *module_folders(here)])


def _upward(folder: Path, name: str) -> Iterator[Path]:
    return (path / name for path in (folder, *folder.parents) if (path / name).is_file())
