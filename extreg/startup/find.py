"""Which registry.toml is meant: the file beside the caller, the one the operator names, or a package's own."""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

NAME = "registry.toml"
VARIABLE = "EXTREG_REGISTRY"


def find(source: "str | os.PathLike[str] | None", caller: "Mapping[str, object]") -> str:
    """Return the absolute path of the registry file that `source` means.

    A path-like, or a string with a path separator or the ending ``.toml``, is a path (of the file, or of its folder);
    any other string is the name of a package, which is searched for without being imported.  Without a source:
    ``$EXTREG_REGISTRY``, else the nearest registry.toml upward from the file of the `caller` (its globals), else
    upward from the working directory.  Raises `ExtregError` when there is none.
    """
    if source is None:
        source = os.environ.get(VARIABLE) or None
    if source is None:
        return _nearest(caller)
    name = os.fspath(source)
    if name is not source or _is_path(name):
        return os.path.abspath(os.path.join(name, NAME) if os.path.isdir(name) else name)
    try:
        return package_registry(name)
    except LookupError as missing:
        from extreg.errors import UnreadableError

        raise UnreadableError(*missing.args) from None


def upward(folder: str) -> "str | None":
    """Return the path of the nearest registry.toml in `folder` or above it, or None."""
    folder = os.path.abspath(folder)
    while True:
        path = os.path.join(folder, NAME)
        if os.path.isfile(path):
            return path
        above = os.path.dirname(folder)
        if above == folder:
            return None
        folder = above


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


def _nearest(caller: "Mapping[str, object]") -> str:
    file = caller.get("__file__")
    starts = [os.path.dirname(os.path.abspath(file))] if isinstance(file, str) else []
    starts.append(os.getcwd())
    for start in starts:
        path = upward(start)
        if path is not None:
            return path
    from extreg.errors import UnreadableError

    raise UnreadableError(
        f"no {NAME} found upward from {' or '.join(starts)}",
        f"write one with `extreg init`, or name it: extreg.install(PATH) or {VARIABLE}=PATH",
    )


def _is_path(name: str) -> bool:
    separators = (os.sep, os.altsep or os.sep)
    return name.endswith(".toml") or any(mark in name for mark in separators)


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
