"""The list of releases, and what is made of each library: pairs.toml, read."""

import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

FILE = Path(__file__).with_name("pairs.toml")


@dataclass(frozen=True, slots=True, kw_only=True)
class Library:
    """One library of the list."""

    name: str
    releases: tuple[str, ...]
    """Neighbouring releases, oldest first: each two that stand side by side are a pair."""
    packages: tuple[str, ...]
    """The packages it installs; whatever they define is the library's own."""
    needs: tuple[str, ...]
    """What it imports, pinned: the same for all of its releases, so that nothing else changes."""
    walk: tuple[str, ...]
    skip: tuple[str, ...]
    setup: str
    objects: tuple[str, ...]
    sdist: bool
    """Whether old releases have no wheel for this machine, so that pip makes one."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two neighbouring releases of a library."""

    library: Library
    old: str
    new: str

    def __str__(self) -> str:
        return f"{self.library.name} {self.old} -> {self.new}"


def libraries(only: Collection[str] = (), file: Path = FILE) -> list[Library]:
    """Return the libraries of the list, or those of them that are named."""
    tables = tomllib.loads(file.read_text(encoding="utf-8"))
    unknown = set(only) - tables.keys()
    if unknown:
        raise SystemExit(f"not in {file.name}: {', '.join(sorted(unknown))}")
    return [_library(name, table) for name, table in tables.items() if not only or name in only]


def pairs(library: Library, only: Collection[str] = ()) -> Iterator[Pair]:
    """Yield the neighbours, or those that are named as ``LIBRARY OLD``."""
    for old, new in zip(library.releases, library.releases[1:], strict=False):
        if not only or f"{library.name} {old}" in only:
            yield Pair(library, old, new)


def _library(name: str, table: Mapping[str, Any]) -> Library:
    known = {"releases", "packages", "needs", "walk", "skip", "setup", "objects", "sdist"}
    if table.keys() - known:
        raise SystemExit(f"pairs.toml: {name}: unknown keys {sorted(table.keys() - known)}")
    packages = tuple(table.get("packages", [name.replace("-", "_")]))
    return Library(
        name=name,
        releases=tuple(table["releases"]),
        packages=packages,
        needs=tuple(table.get("needs", ())),
        walk=tuple(table.get("walk", packages)),
        skip=tuple(table.get("skip", ())),
        setup=table.get("setup", ""),
        objects=tuple(table.get("objects", ())),
        sdist=table.get("sdist", False),
    )
