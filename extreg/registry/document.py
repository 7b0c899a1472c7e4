"""A registry file as read: its page, and the registry that it describes."""

import os
from functools import cached_property
from typing import Literal, NamedTuple

from extreg.errors import Problem, RegistryError
from extreg.registry.model import Registry
from extreg.registry.toml.page import Page
from extreg.registry.toml.read_file import read_source
from extreg.registry.toml.schema import Tables

CodeTable = Literal["codes", "load-only", "retired"]


class Row(NamedTuple):
    """One line of a code table."""

    table: CodeTable
    code: int
    target: str
    line: int | None


class OtherName(NamedTuple):
    """An alias of a live or load-only code, or what ``[renamed]`` leads to, which may be a module."""

    table: Literal["aliases", "renamed"]
    key: str
    name: str
    line: int | None

    def __str__(self) -> str:
        what = f"alias of code {self.key}" if self.table == "aliases" else f"new name of {self.key}"
        return f"the {what}, {self.name},"


class Document(Page):
    """The page of a registry file with its ``registry``, which is None when there are any problems.

    ``rows`` hold what is sound then too, for the linter.
    """

    def __init__(self, text: str, path: str, tables: Tables, problems: tuple[Problem, ...]) -> None:
        super().__init__(text, path, tables, problems)
        self.registry = None if problems else Registry.of(tables)

    def require(self) -> Registry:
        """Return the registry, or raise `RegistryError` with every problem."""
        if self.registry is None:
            raise RegistryError(self.problems)
        return self.registry

    def row(self, table: CodeTable, code: int) -> Row:
        """Return the row of `code` in `table`; raise KeyError where there is none."""
        return Row(table, code, self.tables.code_tables[table][code], self.line(table, code))

    @cached_property
    def loaded_text(self) -> str:
        """The targets of all codes that are loaded, one per line: one search tells whether any looks suspicious."""
        return "\n".join([*self.tables.codes.values(), *self.tables.load_only.values()])

    @cached_property
    def loaded_targets(self) -> frozenset[str]:
        """The targets of all codes that are loaded."""
        return frozenset(self.tables.codes.values()).union(self.tables.load_only.values())

    @cached_property
    def loaded_modules(self) -> frozenset[str]:
        """The modules of all codes that are loaded."""
        # A target has one colon and no line end, so that every other part is a module.
        return frozenset(self.loaded_text.replace(":", "\n").split("\n")[::2])

    @cached_property
    def other_names(self) -> tuple[OtherName, ...]:
        """The names of today, besides those of codes, that names in pickles may be read as."""
        tables = self.tables
        aliases = [
            OtherName("aliases", str(code), name, self.line("aliases", code))
            for code, names in tables.aliases.items()
            if code not in tables.retired
            for name in names
        ]
        renamed = [OtherName("renamed", old, new, self.line("renamed", old)) for old, new in tables.renamed.items()]
        return (*aliases, *renamed)

    @cached_property
    def rows(self) -> tuple[Row, ...]:
        """The rows of the three code tables, in the order of the file within each table."""
        return tuple(
            Row(table, code, target, self.line(table, code))  # type: ignore[arg-type]
            for table, rows in self.tables.code_tables.items()
            for code, target in rows.items()
        )


def read_document(path: "str | os.PathLike[str]", *, shown: "str | None" = None) -> Document:
    """Return the document in the file at `path`, which messages call `shown`, faults and all.

    Raises `UnreadableError` when there is no such file and `RegistryError` when it is not text.
    """
    return Document.read(read_source(path, shown=shown), path=shown or os.fspath(path))
