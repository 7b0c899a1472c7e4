"""The versions of states at two revisions, read from the sources that lie around a registry file then and now."""

from collections.abc import Iterator
from pathlib import Path

from extreg.linter.between import pairs
from extreg.linter.settings import read_settings
from extreg.project.import_path import registry_folders
from extreg.registry.difference import StateVersion
from extreg.registry.document import Document
from extreg.shapes.earlier import CommitFiles, Earlier, Today, roots_below
from extreg.shapes.following import World
from extreg.shapes.rollout import state_versions
from extreg.shapes.shaping import Shaper
from extreg.targets.trees import Sources


class Revisions:
    """The sources around the registry file at `path`, at any revision."""

    def __init__(self, path: Path) -> None:
        self.path = path
        settings = read_settings(path.absolute().parent)
        self.folders = [settings.folder, *settings.path, *registry_folders(path)]
        self.today = Today(Sources(self.folders))

    def changed(self, old: tuple[str, Document], new: tuple[str, Document]) -> Iterator[StateVersion]:
        """Yield the versions that differ between two revisions, each as it was given, with its registry.

        Nothing where one of them is another file than the registry: nobody knows which sources belong to a copy.
        """
        sides = [self._shaper(given, document) for given, document in (old, new)]
        if sides[0] is None or sides[1] is None:
            return
        codes = {target: code for code, target in _loaded(new[1])}
        both = ((codes[pair.now], pair.then, pair.now) for pair in pairs(old[1], new[1]))
        yield from sorted(state_versions(sides[0], sides[1], both))

    def _shaper(self, given: str, document: Document) -> Shaper | None:
        world = self._world(given)
        return Shaper(world, frozenset(document.tables.reducers)) if world is not None else None

    def _world(self, given: str) -> World | None:
        file = Path(given)
        if file.is_file():
            ours = self.path.is_file() and file.samefile(self.path)
            return World(self.today.load, self.today.is_own) if ours else None
        files = CommitFiles(self.path.absolute().parent, given.partition(":")[0])
        earlier = Earlier(files, roots_below(files.top, self.folders), self.today)
        return World(earlier.load, earlier.is_own)


def _loaded(document: Document) -> Iterator[tuple[int, str]]:
    yield from document.tables.codes.items()
    yield from document.tables.load_only.items()
