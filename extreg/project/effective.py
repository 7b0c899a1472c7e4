"""The registry that a program has once it is installed: a file's own rows and those of the packages it includes."""

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

from extreg.ledger import Rows
from extreg.project.import_path import registry_folders, search_path
from extreg.project.locate import module_folders
from extreg.registry.document import read_document
from extreg.registry.model import Registry
from extreg.registry.renames import circles
from extreg.startup import load_entries, read_through
from extreg.startup.shown import registry_of
from extreg.startup.values import rows_of


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


def layers_of(path: "str | os.PathLike[str]") -> tuple[Rows, ...]:
    """Return the rows of the registry file at `path` and of all that it includes, as `extreg.startup.read` does.

    Included packages are looked for as by every command, by reading alone: see `module_path`.  Raises `RegistryError`
    and `UnreadableError`.
    """
    name = os.fspath(path)
    return read_through(name, load_entries(name), module_path(Path(name)))[0]


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
    """Return `registry` with those rows of `other` whose codes it has not spent; a second live code is load-only.

    Former and other names come along.  Of aliases that lead to two codes then the first stands, of a name that is a
    code's target none; a rename that would close a circle does not come along.
    """
    spent = registry.spent
    live = {code: target for code, target in other.codes.items() if code not in spent and registry.code(target) is None}
    loaded = {code: target for code, target in {**other.load_only, **other.codes}.items() if code not in spent}
    codes = {**registry.codes, **live}
    load_only = {**registry.load_only, **{code: target for code, target in loaded.items() if code not in live}}
    return replace(
        registry,
        codes=codes,
        load_only=load_only,
        retired={**registry.retired, **{code: name for code, name in other.retired.items() if code not in spent}},
        moved={**{code: names for code, names in other.moved.items() if code not in spent}, **registry.moved},
        aliases=_aliases(registry, other, {*codes.values(), *load_only.values()}),
        renamed=_renamed(registry, other),
    )


def _aliases(registry: Registry, other: Registry, targets: set[str]) -> dict[int, tuple[str, ...]]:
    found: dict[int, tuple[str, ...]] = {}
    taken = set(targets)
    theirs = {code: names for code, names in other.aliases.items() if code not in registry.spent}
    for code, names in (*registry.aliases.items(), *theirs.items()):
        free = tuple(name for name in names if name not in taken)
        if code not in registry.retired and code not in other.retired:
            taken.update(free)
        if free:
            found[code] = free
    return found


def _renamed(registry: Registry, other: Registry) -> dict[str, str]:
    found = dict(registry.renamed)
    for old, new in other.renamed.items():
        if old not in found and not circles({**found, old: new}):
            found[old] = new
    return found
