"""What a lint rule may look at."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from extreg.linter.finding import Finding
from extreg.programs.wheel import LeftOut
from extreg.programs.whole import Project
from extreg.registry.document import CodeTable, Document, OtherName, Row
from extreg.shapes.change import Change
from extreg.targets.calls import Call
from extreg.targets.lookup import Answer

LOADED: tuple[CodeTable, ...] = ("codes", "load-only")
# Every version of Python that pickle keys were looked at for, oldest first.
KNOWN_PYTHONS = ((3, 10), (3, 11), (3, 12), (3, 13), (3, 14), (3, 15))


class Past(NamedTuple):
    """The registry file as it was once; ``name`` is what messages call that: a git ref, a commit, a path."""

    name: str
    document: Document


class StateChange(NamedTuple):
    """What became of the state of a class, or of what a function takes.

    ``who`` names it in messages and ``then`` the revision that it is compared with; ``back`` says that old readers meet
    new pickles; ``path`` and ``line`` are where its definition stands.
    """

    change: Change
    who: str
    then: str
    back: bool
    path: str
    line: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Everything a rule may look at: the registry file, those of the packages it includes, and what the world knows.

    What nobody looked up is None, and the rules that need it find nothing:

    ``base`` is the registry that promises were made in, ``history`` every version of the file, oldest first;
    ``rolling`` asks for the steps of a rolling deployment; ``unmerged`` says that git's index has the file unmerged.
    ``answers`` and ``imported`` say what targets lead to by their sources and by importing them.  ``calls`` are the
    literal `add_extension` calls in the project, ``installed`` those in installed distributions, and ``sources`` the
    texts of the files that they are in, and of those with findings of their own.  ``programs`` is what the project's
    sources do about codes in processes, ``package`` the one that the registry file lies in, ``unpackaged`` why its
    wheel would lack the file, if ``wheel`` says that this was looked at.  ``states`` is what
    became of the classes since ``base``.  ``pythons`` are the versions that the project
    supports, ``own`` the top-level packages in its folders, of those that ``[renamed]`` speaks of.
    ``unsampled`` are the live codes that no pickle in the jar refers to, with their targets.
    """

    document: Document
    included: tuple[Document, ...] = ()
    base: Past | None = None
    history: tuple[Past, ...] | None = None
    rolling: bool = False
    unmerged: bool = False
    answers: Mapping[str, Answer] | None = None
    imported: Mapping[str, Answer] | None = None
    calls: tuple[Call, ...] | None = None
    installed: tuple[Call, ...] = ()
    sources: Mapping[str, str] = field(default_factory=dict)
    programs: Project | None = None
    package: str = ""
    unpackaged: LeftOut | None = None
    wheel: bool = False
    states: tuple[StateChange, ...] | None = None
    pythons: tuple[tuple[int, int], ...] = KNOWN_PYTHONS
    own: frozenset[str] = frozenset()
    unsampled: Mapping[int, str] | None = None

    @property
    def documents(self) -> tuple[Document, ...]:
        """The registry file first, then the included ones."""
        return (self.document, *self.included)

    def problems(self, *rules: str) -> Iterator[Finding]:
        """Yield the problems of all documents that reading them assigned to one of `rules`."""
        for document in self.documents:
            for problem in document.problems:
                if problem.rule in rules:
                    message = f"{problem.where}: {problem.message}" if problem.where else problem.message
                    yield Finding(
                        rule=rules[0], path=document.path, line=problem.line, message=message, hint=problem.hint
                    )

    def rows_like(self, pattern: "re.Pattern[str]", *tables: CodeTable) -> Iterator[Row]:
        """Yield the rows of `tables` (default: those that are loaded) whose target `pattern` finds something in.

        The usual case, that there is none, costs one search of all targets together.
        """
        if pattern.search(self.document.loaded_text) is None:
            return
        for table in tables or LOADED:
            for code, target in self.document.tables.code_tables[table].items():
                if pattern.search(target) is not None:
                    yield self.document.row(table, code)

    def rows_named(self, targets: Collection[str]) -> Iterator[Row]:
        """Yield the rows that are loaded and whose target is one of `targets`."""
        if not targets:
            return
        for table in LOADED:
            for code, target in self.document.tables.code_tables[table].items():
                if target in targets:
                    yield self.document.row(table, code)

    def rows_in(self, modules: Collection[str]) -> Iterator[Row]:
        """Yield the rows that are loaded and whose target is in one of `modules`."""
        if not modules:
            return
        for table in LOADED:
            for code, target in self.document.tables.code_tables[table].items():
                if target.partition(":")[0] in modules:
                    yield self.document.row(table, code)

    def found(self, rule: str, row: Row, message: str, hint: str) -> Finding:
        """Return a finding about a row of the registry file."""
        return Finding(rule=rule, path=self.document.path, line=row.line, message=message, hint=hint)

    def found_name(self, rule: str, name: OtherName, message: str) -> Finding:
        """Return a finding about a name in ``[aliases]`` or ``[renamed]`` of the registry file."""
        hint = f"take it out of [{name.table}]"
        return Finding(rule=rule, path=self.document.path, line=name.line, message=f"{name} {message}", hint=hint)
