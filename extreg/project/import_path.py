"""Where modules can be imported from, told without importing or running anything.

Only the path finder is ever asked for a module.  Other finders on ``sys.meta_path`` run what they like when they are
asked: setuptools' import the setuptools that they find, those of editable installs may build a project first.  What
these hold in plain sight, the folder of each module that was installed editable, is read from them.
"""

import sys
from collections.abc import Iterable, Iterator
from importlib.machinery import BuiltinImporter, FrozenImporter, PathFinder
from pathlib import Path
from typing import Any

_ASKED = (BuiltinImporter, FrozenImporter, PathFinder)
_TABLES = (dict, set, frozenset, list, tuple)
# These hand every question on to the path finder, so what their tables hold says nothing of where a module is.
# Pytest's has the names of the files and folders on its command line in one (`_pytest/assertion/rewrite.py`).
_PASSING_ON = frozenset({"_pytest.assertion.rewrite"})
# What any finder or loader may have, by the names of `importlib.abc`: no word in them is a module's.
_PROTOCOL = frozenset(
    {"create_module", "exec_module", "find_distributions", "find_module", "find_spec", "get_code", "get_data"}
    | {"get_filename", "get_resource_reader", "get_source", "invalidate_caches", "is_package", "load_module"}
)


def search_path(folders: Iterable[Path]) -> list[str]:
    """Return the folders to look for modules in: `folders` and the ``src`` in each, ``sys.path``, editable installs."""
    own = [str(place) for folder in folders for place in (folder, folder / "src") if place.is_dir()]
    return list(dict.fromkeys([*own, *sys.path, *_editable()]))


def registry_folders(registry: Path) -> list[Path]:
    """Return the folders that a project's modules may be imported from, as far as its registry file tells."""
    folder = registry.absolute().parent
    return [folder, import_root(folder), Path.cwd()]


def import_root(folder: Path) -> Path:
    """Return the folder from which the package is imported that `folder` lies in, as pytest finds it."""
    while (folder / "__init__.py").is_file() and folder != folder.parent:
        folder = folder.parent
    return folder


def is_hooked(name: str) -> bool:
    """Whether a finder that is not asked has the top-level module `name` in one of its tables."""
    return any(name in table for table in _tables())


def is_taken_over(name: str) -> bool:
    """Whether a finder that comes before the path finder spells the top-level module `name`, which it may find itself.

    Setuptools has one that finds its own ``distutils`` before the standard library's.
    """
    before = sys.meta_path[: sys.meta_path.index(PathFinder)] if PathFinder in sys.meta_path else sys.meta_path
    foreign = [finder for finder in before if _answers_itself(finder)]
    members = {member for finder in foreign for member in vars(_kind(finder))} - _PROTOCOL
    spelt = any(member.endswith(f"_{name}") for member in members)
    tables = [table for finder in foreign for table in _held(finder) if name in table]
    # Of an editable install its folder is known, and searched.
    return spelt or any(not (type(table) is dict and type(table[name]) is str) for table in tables)


def _editable() -> Iterator[str]:
    """Yield the folders in which the finders of editable installs have their modules.

    Those of setuptools and of the library `editables` hold a dictionary from a module's name to its folder or file.
    """
    for table in _tables():
        for name, place in table.items() if type(table) is dict else ():
            if type(name) is str and type(place) is str:
                path = Path(place)
                path = path.parent if path.name == "__init__.py" else path
                if path.is_absolute() and path.name in {name, f"{name}.py"}:
                    yield str(path.parent)


def _tables() -> Iterator[Any]:
    """Yield the containers that the other finders, their classes and those classes' modules hold."""
    for finder in sys.meta_path:
        if _answers_itself(finder):
            yield from _held(finder)


def _answers_itself(finder: Any) -> bool:
    """Whether a finder is none of those that we ask, and none that only asks them."""
    return finder not in _ASKED and _kind(finder).__module__ not in _PASSING_ON


def _kind(finder: Any) -> type:
    return finder if isinstance(finder, type) else type(finder)


def _held(finder: Any) -> Iterator[Any]:
    """Yield the containers that a finder, its class and that class's module hold."""
    kind = _kind(finder)
    module = sys.modules.get(kind.__module__)
    for holder in {id(held): held for held in (finder, kind, module) if held is not None}.values():
        # Not by name, which differs; but a dunder such as __builtins__ is nothing of theirs.
        held = getattr(holder, "__dict__", {})
        yield from (held[name] for name in held if name[:2] != "__" and type(held[name]) in _TABLES)
