"""lint on real files: what the rules need is read here."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from fnmatch import fnmatch
from functools import cached_property
from pathlib import Path

from extreg.errors import UnreadableError
from extreg.jar.entries import jar_entries, mentioned
from extreg.jar.folder import jar_folder
from extreg.jar.sampled import unsampled
from extreg.linter.between import Comparison, comparer, pairs
from extreg.linter.check import ON_STATE, check, wanted_rules
from extreg.linter.context import Context, Past
from extreg.linter.finding import Finding
from extreg.linter.past import all_versions, at_ref
from extreg.linter.settings import check_names, read_settings
from extreg.programs.gather import read_project
from extreg.programs.wheel import LeftOut, left_out
from extreg.programs.whole import Project
from extreg.project.git import unmerged_stages
from extreg.project.git_setup import driver_trouble
from extreg.project.import_path import import_root, registry_folders
from extreg.project.locate import read_pyproject, registry_path
from extreg.registry.document import Document, read_document
from extreg.startup import package_registry
from extreg.targets.calls import Call
from extreg.targets.child import import_answers
from extreg.targets.installed import installed_files
from extreg.targets.trees import Sources, project_files

_BY_PROGRAMS = ("late-install", "engine-without-codes")
_BY_SOURCE = ("missing-target", "reexported-target", "missing-rename", "former-name-in-use")


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a lint run is asked to look at.

    ``against`` is a git ref or a path; ``imports`` resolves targets by importing them, in a child process; ``sources``
    is False where only the registry itself is to be looked at.
    """

    against: str | None = None
    rolling: bool = False
    history: bool = False
    imports: bool = False
    installed: bool = False
    sources: bool = True
    select: tuple[str, ...] = ()
    ignore: tuple[str, ...] = ()
    extend_select: tuple[str, ...] = ()


def lint(
    path: "str | os.PathLike[str] | None" = None,
    *,
    against: str | None = None,
    rolling: bool = False,
    history: bool = False,
    imports: bool = False,
    installed: bool = False,
    sources: bool = True,
    select: tuple[str, ...] = (),
    ignore: tuple[str, ...] = (),
    extend_select: tuple[str, ...] = (),
) -> tuple[Finding, ...]:
    """Return what is wrong with the registry file at `path` (default: found as the command line does), sorted.

    The arguments are those of ``extreg lint``: `against` is a git ref, or the path of an older copy of the file, that
    the registry is compared with; with `rolling`, codes take one step of their life between the two; `history` compares
    with every version in git; `imports` resolves targets by importing them, in a child process; `installed` looks for
    add_extension calls in all installed distributions; without `sources` only the registry itself is looked at.
    `select` and `ignore` are names of rules, and so is `extend_select`: rules that run besides, for some do not by
    default.

    Raises `UnreadableError` when a file, a git ref, an included package or a setting cannot be read, and
    `RegistryError` when the registry is not text at all.
    """
    wishes = Wishes(
        against=against,
        rolling=rolling,
        history=history,
        imports=imports,
        installed=installed,
        sources=sources,
        select=select,
        ignore=ignore,
        extend_select=extend_select,
    )
    # A string may be a package's name, as on the command line; a path is a path.
    given = path if path is None or isinstance(path, str) else os.fspath(Path(path).absolute())
    return Run(registry_path(given), wishes).findings()


class Run:
    """One run of lint: the context it looks at, read once, and the rules that are wanted."""

    def __init__(self, path: Path, wishes: Wishes) -> None:
        self.path = path
        self.settings = read_settings(path.absolute().parent)
        select = check_names(wishes.select, "--select") or self.settings.select
        ignore = (*check_names(wishes.ignore, "--ignore"), *self.settings.ignore)
        more = (*check_names(wishes.extend_select, "--extend-select"), *self.settings.extend_select)
        self.wanted = wanted_rules(select, ignore, more)
        self.notes: list[str] = list(self.settings.notes)
        in_git = any((folder / ".git").exists() for folder in path.absolute().parents)
        self.unmerged = in_git and bool(unmerged_stages(path.absolute()))
        # A clone of CI's merges nothing, and has no driver.
        trouble = driver_trouble(path) if in_git and not os.environ.get("CI") else None
        if trouble is not None:
            self.notes.append(f"{path}: {trouble}; extreg git-setup sets it up")
        self.context = self._context(wishes)

    def findings(self) -> tuple[Finding, ...]:
        """Return what the wanted rules find."""
        return check(self.context, select=self.wanted)

    def _context(self, wishes: Wishes) -> Context:
        document = read_document(self.path)
        if wishes.rolling and wishes.against is None:
            raise UnreadableError("--rolling needs a base to compare with", "--against REF")
        folders = [self.settings.folder, *self.settings.path, *registry_folders(self.path)]
        sources = Sources(folders)
        looked_at = wishes.sources and document.registry is not None and self._wants(*_BY_SOURCE)
        targets = _targets(document) if looked_at or wishes.imports else []
        answers = sources.answers([*targets, *other_names(document)]) if looked_at else None
        calls = self._calls(sources) if wishes.sources and self._wants("unregistered-call") else None
        wheel = wishes.sources and self._wants("unpackaged-registry")
        programs = self._programs(sources) if wishes.sources and self._wants(*_BY_PROGRAMS) else None
        installed = sources.calls(installed_files()) if wishes.installed else ()
        base = self._base(wishes.against)
        comparison = self._compare(wishes, document, base, sources, folders)
        self.notes += [comparison.note] if comparison is not None and comparison.note else []
        looked_into = (*(call.path for call in (*(calls or ()), *installed)), *(programs.told if programs else ()))
        texts = {path: sources.text(path) for path in looked_into}
        texts |= comparison.texts if comparison is not None else {}
        return Context(
            document=document,
            included=_included(document, sources.path),
            base=base,
            history=all_versions(self.path) if wishes.history else None,
            rolling=wishes.rolling,
            unmerged=self.unmerged,
            answers=answers,
            imported=import_answers(targets, sources.path) if wishes.imports else None,
            calls=calls,
            installed=installed,
            sources=texts,
            programs=programs,
            package=".".join(self._package()),
            unpackaged=self._unpackaged() if wheel else None,
            wheel=wheel,
            states=tuple(comparison.changes) if comparison is not None else None,
            pythons=self.settings.pythons,
            own=sources.own(document.tables.renamed.values()) if looked_at else frozenset(),
            unsampled=self._unsampled(document) if self._wants("no-sample") else None,
        )

    def _programs(self, sources: Sources) -> Project:
        folder = self.settings.folder
        pyproject = read_pyproject(folder)[1]
        return read_project(folder, self._project_files, sources, pyproject, _shown(str(folder)))

    def _package(self) -> tuple[str, ...]:
        folder = self.path.absolute().parent
        return folder.relative_to(import_root(folder)).parts

    def _unpackaged(self) -> LeftOut | None:
        folder, pyproject = read_pyproject(self.path.absolute().parent)
        return left_out(self.path, folder.parent, pyproject)

    def _compare(
        self, wishes: Wishes, document: Document, base: Past | None, sources: Sources, folders: list[Path]
    ) -> Comparison | None:
        """Return what became of the state of classes since the base; None where nobody asks, or can tell."""
        if base is None or wishes.against is None or not wishes.sources or document.registry is None:
            return None
        if not self._wants(*ON_STATE):
            return None
        found = comparer(sources, against=wishes.against, registry=self.path, folders=folders)
        if found is None:
            return None
        # Private names of the project that nobody would give a code, but that old pickles hold.
        kept = sorted(name for name in mentioned(jar_folder(self.path)) if ":" in name)
        reducers = frozenset(base.document.tables.reducers), frozenset(document.tables.reducers)
        comparison = found.compare(pairs(base.document, document, kept), reducers=reducers, rolling=wishes.rolling)
        comparison.changes = [state._replace(path=_shown(state.path)) for state in comparison.changes]
        comparison.texts = {_shown(path): text for path, text in comparison.texts.items()}
        return comparison

    def _calls(self, sources: Sources) -> tuple[Call, ...]:
        found = sources.calls(self._project_files)
        return tuple(call._replace(path=_shown(call.path)) for call in found)

    @cached_property
    def _project_files(self) -> tuple[Path, ...]:
        folder, patterns = self.settings.folder, self.settings.exclude
        files = {file: file.relative_to(folder).as_posix() for file in project_files(folder)}
        excluded = {pattern: {name for name in files.values() if fnmatch(name, pattern)} for pattern in patterns}
        self.notes += [
            f"{folder / 'pyproject.toml'}: tool.extreg.lint.exclude: {pattern!r} matches no Python file"
            for pattern, names in excluded.items()
            if not names
        ]
        left_out = set().union(*excluded.values())
        return tuple(file for file, name in files.items() if name not in left_out)

    def _unsampled(self, document: Document) -> Mapping[int, str] | None:
        if document.registry is None:
            return None
        return unsampled(document.registry, jar_entries(jar_folder(self.path)))

    def _wants(self, *rules: str) -> bool:
        return not self.wanted.isdisjoint(rules)

    def _base(self, against: str | None) -> Past | None:
        if against is None:
            return None
        if Path(against).is_file():
            return Past(against, read_document(against))
        base = at_ref(self.path, against)
        if base is None:
            self.notes.append(f"{self.path} is newer than {against}: there is nothing to compare it with")
        return base


def _targets(document: Document) -> list[str]:
    tables = document.tables
    reducers = [target for pair in tables.reducers.items() for target in pair]
    return sorted({*tables.codes.values(), *tables.load_only.values(), *reducers})


def other_names(document: Document) -> list[str]:
    """Return the former names that a registry tells, and what was renamed to: targets, and modules."""
    tables = document.tables
    former = {name for names in tables.moved.values() for name in names}
    return sorted({*former, *tables.renamed, *tables.renamed.values()})


def _shown(path: str) -> str:
    """Return `path` as short as it can be said from the working directory."""
    try:
        return str(Path(path).relative_to(Path.cwd()))
    except ValueError:
        return path


def _included(document: Document, search: list[str]) -> tuple[Document, ...]:
    own = os.path.realpath(document.path)
    included: dict[str, Document] = {}
    waiting = [document]
    while waiting:
        including = waiting.pop(0)
        for package in including.tables.include:
            found = _locate(including, package, search)
            real = os.path.realpath(found)
            if real not in included and real != own:
                included[real] = read_document(found)
                waiting.append(included[real])
    return tuple(included.values())


def _locate(document: Document, package: str, search: list[str]) -> str:
    try:
        return package_registry(package, search)
    except LookupError as missing:
        line = document.line("include")
        raise UnreadableError(f"{document.path}:{line}: include: {missing.args[0]}", missing.args[1]) from None
