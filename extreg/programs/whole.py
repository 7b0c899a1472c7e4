"""All files of a project together: when an install runs, what starts before it, and what it never reaches."""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePath
from typing import Literal, NamedTuple

from extreg.programs.conduct import File, Place
from extreg.programs.starts import Engine

Fate = Literal["top", "late", "unknown"]

# Files that a project has beside its programs.  What they start is their own affair.
_ASIDE = re.compile(r"(?:test|docs?$|examples?$|benchmarks?$|t$|conftest\.py$|setup\.py$)")
_NO_PROGRAM = ("process", "manager process")
# A Celery app that mentions one of these imports modules that it does not name.
_LOOKS_AROUND = re.compile(r"autodiscover_tasks|config_from_|DJANGO_SETTINGS_MODULE|find_related_module")
_PROGRAMS = frozenset({"manage.py", "wsgi.py", "asgi.py", "__main__.py"})


class Late(NamedTuple):
    """An install that runs in the program alone, at `path` and `line`, and what starts children without it.

    ``function`` is the one that it stands in, ``other`` the file of the engine where that is another; ``by_default``
    says that nobody says how its processes start.
    """

    path: str
    line: int
    function: str
    other: str
    engine: Engine
    by_default: bool


class Bare(NamedTuple):
    """An engine at `path` whose processes nothing in the sources gives codes to."""

    path: str
    engine: Engine


@dataclass(frozen=True, slots=True)
class _Run:
    """When something runs, and in which files the programs are that run it."""

    fate: Fate
    roots: frozenset[str] = frozenset()


class Project:
    """The files of a project, by their paths in it.

    `texts` are the sources, by which is told what a file mentions; `entry_points` the functions that its scripts call,
    as ``module.function``; `helped` says that a file which is no source hands `extreg.auto` or the like to processes.
    `folder` is where the paths are, for messages.
    """

    def __init__(
        self,
        files: Mapping[str, File],
        texts: Mapping[str, str],
        entry_points: Iterable[str] = (),
        *,
        helped: bool = False,
        folder: str = "",
    ) -> None:
        self.folder = folder
        self.files = dict(files)
        self.texts = texts
        self.entry_points = frozenset(entry_points)
        self.helped = helped or any(file.helped for file in self.files.values())
        self._methods = frozenset[str]().union(*(file.methods for file in self.files.values()))
        self._by_module = {file.module: path for path, file in self.files.items() if file.module}
        self._workers = frozenset[str]().union(*(file.workers for file in self.files.values()))
        self._apps = frozenset(f"{file.module}.{name}" for file in self.files.values() for name in file.apps)
        self._runs = {
            (path, install): self._run(path, install.place, ())
            for path, file in self.files.items()
            for install in file.installs
        }

    def shown(self, path: str) -> str:
        """Return a path as messages have it."""
        return str(PurePath(self.folder) / path)

    @property
    def told(self) -> list[str]:
        """The files that a finding may be about, as messages have them."""
        return [self.shown(path) for path, file in self.files.items() if file.installs or file.engines]

    def late(self, *, forkserver: bool) -> Iterator[Late]:
        """Yield the installs that come too late for children; `forkserver`: so they start where nobody says how."""
        if any(run.fate == "unknown" for run in self._runs.values()) or self.helped:
            return
        for (path, install), run in self._runs.items():
            if run.fate != "late":
                continue
            for root in sorted(run.roots):
                if any(self._installs_at_top(file) for file in self._reached(root, top_only=True)):
                    continue
                started = self._started(self._reached(root), forkserver=forkserver)
                if started is not None:
                    other, engine = started
                    by_default = engine.start == "default" and not self._methods
                    other = "" if other == path else other
                    yield Late(path, install.line, install.place.name, other, engine, by_default)
                    break

    def bare(self, *, forkserver: bool, packaged: bool) -> Iterator[Bare]:
        """Yield the engines whose processes nothing gives codes to.

        Where the registry is `packaged` in a library, its users' programs install, and what a pool gets is theirs.
        """
        if any(run.fate == "unknown" for run in self._runs.values()) or self.helped:
            return
        for path, file in self.files.items():
            for engine in file.engines:
                if engine.start == "worker":
                    bare = "celery" not in self._workers and not self._reaches_worker(path)
                elif engine.start == "remote":
                    bare = "dask" not in self._workers
                else:
                    bare = not self._runs and not packaged and engine.what not in _NO_PROGRAM
                    bare = bare and self._is_started(engine, forkserver=forkserver)
                if bare:
                    yield Bare(path, engine)

    def _run(self, path: str, place: Place, active: tuple[str, ...]) -> _Run:
        """Return when what stands at `place` of a file runs."""
        if place.kind == "top":
            # `python -m package` does not run this file again in its children (multiprocessing.spawn,
            # _fixup_main_from_name), and nobody else imports it.
            return _Run("late", frozenset({path})) if PurePath(path).name == "__main__.py" else _Run("top")
        if place.kind == "guard":
            return _Run("late", frozenset({path}))
        if place.kind == "unknown":
            return _Run("unknown")
        return self._function(path, f"{self.files[path].module}.{place.name}", active)

    def _function(self, path: str, dotted: str, active: tuple[str, ...]) -> _Run:
        if dotted in active:
            return _Run("late")  # it calls itself: who called it first counts
        runs = [_Run("late", frozenset({path}))] if dotted in self.entry_points else []
        for other, file in self.files.items():
            for mention in file.mentions:
                if mention.dotted == dotted or (self._leads_to(mention.dotted, dotted)):
                    run = self._run(other, mention.place, (*active, dotted)) if mention.called else _Run("unknown")
                    runs.append(run)
        fates = {run.fate for run in runs}
        fate: Fate = "unknown" if not runs or "unknown" in fates else "top" if "top" in fates else "late"
        return _Run(fate, frozenset().union(*(run.roots for run in runs)))

    def _leads_to(self, mentioned: str, dotted: str) -> bool:
        """Whether a name may be another one's for a function: it ends alike, and its module passes names on."""
        module, _, name = mentioned.rpartition(".")
        if name != dotted.rpartition(".")[2] or module == dotted.rpartition(".")[0]:
            return False
        path = self._by_module.get(module)
        return path is not None and any(imported == dotted for imported, _ in self.files[path].imports)

    def _installs_at_top(self, path: str) -> bool:
        return any(self._runs[path, install].fate == "top" for install in self.files[path].installs)

    def _started(self, paths: Iterable[str], *, forkserver: bool) -> tuple[str, Engine] | None:
        """Return the first engine in `paths` whose children run the program's file and no more."""
        return next(
            (
                (path, engine)
                for path in sorted(paths)
                for engine in self.files[path].engines
                if self._is_started(engine, forkserver=forkserver)
            ),
            None,
        )

    def _is_started(self, engine: Engine, *, forkserver: bool) -> bool:
        if engine.start != "default":
            return engine.start in ("spawn", "forkserver")
        return self._methods <= {"spawn", "forkserver"} if self._methods else forkserver

    def _reached(self, path: str, *, top_only: bool = False) -> set[str]:
        """Return the files that a file imports, and those in turn, itself too."""
        found, waiting = {path}, [path]
        while waiting:
            here = waiting.pop()
            for module, place in self.files[here].imports:
                if top_only and place.kind != "top":
                    continue
                more = set(self._files_of(module, here)) - found
                found |= more
                waiting += more
        return found

    def _files_of(self, module: str, importer: str) -> Iterator[str]:
        """Yield the file of a module, and those of the packages that it is in."""
        parts = module.split(".")
        for length in range(1, len(parts) + 1):
            name = ".".join(parts[:length])
            beside = str(PurePath(importer).parent / f"{name}.py")
            path = self._by_module.get(name, beside)
            if path in self.files:
                yield path

    def _reaches_worker(self, path: str) -> bool:
        """Whether a worker of the Celery app in a file may install: of its own module, or of one that hands it on."""
        module = self.files[path].module
        reached = self._reached(path)
        for other, file in self.files.items():
            handed_on = any(name.rpartition(".")[0] == module and name in self._apps for name, _ in file.imports)
            if handed_on or any(mention.dotted in self._apps for mention in file.mentions):
                reached |= self._reached(other)
        if any(_LOOKS_AROUND.search(self.texts.get(file, "")) for file in reached):
            reached = {file for file in self.files if PurePath(file).name not in _PROGRAMS}
        named = {module for file in reached for module in self.files[file].strings if module in self._by_module}
        for module in named:
            reached |= self._reached(self._by_module[module])
        return any(self._installs_at_top(file) for file in reached)


def is_aside(path: str) -> bool:
    """Whether a file of a project is none of its programs and of what they import, but a test or an example."""
    return any(map(_ASIDE.match, PurePath(path).parts))
