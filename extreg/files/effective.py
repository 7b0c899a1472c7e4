"""The registry that a program has once it is installed: a file's own rows and those of the packages it includes."""

from dataclasses import replace
from pathlib import Path

from extreg.files.importing import registry_folders, search_path
from extreg.files.rows import registry_of, rows_of
from extreg.files.source import read_document
from extreg.registry.model import Registry


def read_effective(path: Path) -> Registry:
    """Return the registry in the file at `path` with the rows of all that it includes.

    Where two of them contradict each other, the first stands, the file's own before all; that is for lint to tell.
    Raises `RegistryError` and `UnreadableError`.
    """
    registry = read_document(path).require()
    _, *included = map(registry_of, rows_of(registry, search_path(registry_folders(path))))
    for other in included:
        registry = with_rows_of(registry, other)
    return registry


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
