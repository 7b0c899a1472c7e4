"""The registry of a package, found as the import system finds the package, and without importing it."""

import os
import sys

from extreg.startup.sources import NAME


def package_registry(name: str) -> str:
    """Return the path of the registry.toml inside the package `name`, which is not imported.

    Raises LookupError, with a message and a hint as its arguments, when there is no such package or no file in it.
    """
    folders = _package_folders(name)
    if folders is None:
        raise LookupError(
            f"there is no package {name!r} to take a {NAME} from", f"pip install {name}, or mend the name"
        )
    for folder in folders:
        path = os.path.join(folder, NAME)
        if os.path.isfile(path):
            return os.path.abspath(path)
    raise LookupError(
        f"package {name!r} has no {NAME} (looked in {', '.join(folders) or 'no folder: it is a single module'})",
        f"its wheel must carry the file as package data: {name.replace('.', '/')}/{NAME}",
    )


def _package_folders(name: str) -> "list[str] | None":
    """Return the folders of a package as the import system finds them, importing neither it nor its parents."""
    folders: list[str] | None = None
    full = ""
    for part in name.split("."):
        full = f"{full}.{part}" if full else part
        loaded = sys.modules.get(full)
        if loaded is not None and getattr(loaded, "__path__", None) is not None:
            folders = list(loaded.__path__)
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
