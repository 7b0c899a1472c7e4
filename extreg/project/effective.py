"""The registry that a program has once it is installed: a file's own rows and those of the packages it includes."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from extreg.project.import_path import registry_folders, search_path
from extreg.project.locate import module_folders
from extreg.registry.document import read_document
from extreg.registry.model import Registry
from extreg.startup.values import registry_of, rows_of


class Effective(NamedTuple):
    """The file's ``own`` registry, ``everything`` that it comes to, and in which ``files`` the other codes stand."""

    own: Registry
    everything: Registry
    files: Mapping[int, str]


def module_path(path: Path) -> list[str]:
    """Return the folders in which the modules that the registry file at `path` speaks of are looked for.

    Those of the project, what ``path`` in ``[tool.extreg.lint]`` adds, and this program's own import path.  Raises
    `UnreadableError` for settings that cannot be read.
    """
    return search_path([*module_folders(path.absolute().parent), *registry_folders(path)])


def read_effective(path: Path) -> Registry:
    """Return the registry in the file at `path` with the rows of all that it includes: see `effective`."""
    return effective(read_document(path).require(), path).everything


def effective(own: Registry, path: Path) -> Effective:
    """Return `own`, which is the registry in the file at `path`, with the rows of all that it includes.

    Where two of them contradict each other, the first stands, the file's own before all; that is for lint to tell.
    Raises `RegistryError` and `UnreadableError`.
    """
    everything, files = own, dict[int, str]()
    _, *included = rows_of(own, module_path(path)) if own.include else (None,)
    for rows in included:
        assert rows is not None
        spent = everything.spent
        everything = with_rows_of(everything, registry_of(rows))
        files.update(dict.fromkeys(everything.spent - spent, rows.path))
    return Effective(own, everything, files)


def with_rows_of(registry: Registry, other: Registry) -> Registry:
    """Return `registry` with those rows of `other` whose codes it has not spent; a second live code is load-only."""
    spent = registry.spent
    live = {code: target for code, target in other.codes.items() if code not in spent and registry.code(target) is None}
    loaded = {**other.load_only, **other.codes}
    return replace(
        registry,
        codes={**registry.codes, **live},
        load_only={
            **registry.load_only,
            **{code: target for code, target in loaded.items() if code not in spent and code not in live},
        },
        retired={
            **registry.retired,
            **{code: target for code, target in other.retired.items() if code not in spent},
        },
    )
