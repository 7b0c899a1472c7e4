"""The files of a package, found as the import system finds the package, and without importing it."""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def package_file(package: str, name: str, search: "Sequence[str] | None" = None) -> str:
    """Return the path of the file `name` inside a `package`, which is not imported.

    It is looked for in the folders `search`, in the way of ``sys.path`` and by nothing but the path finder, which runs
    no code: other finders import what they like, such as what stands in a strange project's folder.  Without `search`
    it is found as this process would find it, by all of its finders.  Raises LookupError, with a message and a hint as
    its arguments, when there is no such package or no file in it.
    """
    folders = package_folders(package, search)
    for folder in folders:
        path = os.path.abspath(os.path.join(folder, name))
        if os.path.isfile(path) or _is_archived(path):
            return path
    raise LookupError(
        f"package {package!r} has no {name} (looked in {', '.join(folders) or 'no folder: it is a single module'})",
        f"extreg init writes one; its wheel must carry it as package data: {package.replace('.', '/')}/{name}",
    )


def package_folders(package: str, search: "Sequence[str] | None" = None) -> "list[str]":
    """Return the folders of a `package`, which is looked for as by `package_file`; raise LookupError."""
    folders = _package_folders(package) if search is None else _folders_on(search, package)
    if folders is None:
        where = "" if search is None else " on the import path"
        raise LookupError(
            f"there is no package {package!r}{where} to take a registry from",
            f"pip install {package}, or mend the name; a path has a separator or ends in .toml: ./{package}",
        )
    return folders


def _is_archived(path: str) -> bool:
    if os.path.isdir(os.path.dirname(path)):
        return False
    from extreg.archives import holds

    return holds(path)


def _package_folders(name: str) -> "list[str] | None":
    """Return the folders of a package as the import system finds them, importing neither it nor its parents."""
    folders: list[str] | None = None
    full = ""
    for part in name.split("."):
        full = f"{full}.{part}" if full else part
        loaded = _folders_of_loaded(full)
        if loaded is not None:
            folders = loaded
            continue
        # Below the first part by its last name only: the path of a nested namespace package, asked for by its full
        # name, looks its parent up in sys.modules (_NamespacePath in Lib/importlib/_bootstrap_external.py).
        asked = part if folders is not None else full
        specs = (finder.find_spec(asked, folders) for finder in sys.meta_path if hasattr(finder, "find_spec"))
        spec = next((found for found in specs if found is not None), None)
        if spec is None:
            return None
        folders = list(spec.submodule_search_locations or ())
    return folders


def _folders_on(search: "Sequence[str]", name: str) -> "list[str] | None":
    """Return the folders of a package that stands in one of the folders `search`, or is imported here already."""
    from importlib.machinery import PathFinder

    folders = list(search)
    full = ""
    for part in name.split("."):
        full = f"{full}.{part}" if full else part
        spec = PathFinder.find_spec(part, folders)
        found = spec.submodule_search_locations or () if spec is not None else _folders_of_loaded(full)
        if found is None:
            return None
        folders = list(found)
    return folders


def _folders_of_loaded(name: str) -> "list[str] | None":
    loaded = sys.modules.get(name)
    folders = getattr(loaded, "__path__", None) if loaded is not None else None
    return list(folders) if folders is not None else None


def is_recorded(file: str) -> bool:
    """Whether an installer put `file` there, into a folder of any name (``pip install --target``).

    Then it left a RECORD that names it: https://packaging.python.org/en/latest/specifications/recording-installed-packages/
    """
    folder, inside = os.path.split(file)
    if not os.path.isfile(file):
        return False
    while True:
        for name in os.listdir(folder):
            if name.endswith(".dist-info") and f"\n{inside},".encode() in b"\n" + _record(folder, name):
                return True
        if not os.path.isfile(os.path.join(folder, "__init__.py")):
            return False
        folder, package = os.path.split(folder)
        inside = f"{package}/{inside}"


def _record(folder: str, info: str) -> bytes:
    try:
        with open(os.path.join(folder, info, "RECORD"), "rb") as file:
            return file.read().replace(b"\r", b"")
    except (FileNotFoundError, NotADirectoryError):
        return b""


def nothing_found(
    name: str, variable: str, starts: "list[str]", guide: "str | None", package: "str | None"
) -> "tuple[str, str]":
    """Return the message and the hint for a caller at `guide` that named nothing and found no file `name`."""
    named = f"name it: extreg.install(PATH) or {variable}=PATH"
    if package is None:
        return (
            f"no {name} found upward from {' or '.join(starts) or 'a folder that is gone'}",
            f"write one with `extreg init`, or {named}",
        )
    where = f"the installed package {package}" if package else f"{guide}, which is installed and no package"
    return f"no {name} in {where}", f"its wheel must carry the file as package data; or {named}"
