"""What a lint rule finds, and what it may look at."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from extreg.text.document import Document


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a rule found.

    ``line`` counts from 1 and is None where the finding is about the whole file; ``hint`` is a command or an edit.
    """

    rule: str
    path: str
    line: int | None
    message: str
    hint: str = ""

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return f"{place}: {self.rule}: {self.message}"

    @property
    def place(self) -> tuple[str, int, str, str]:
        """What findings are sorted by."""
        return self.path, self.line or 0, self.rule, self.message

    def as_json(self) -> dict[str, Any]:
        """Return the finding as JSON has it."""
        return {
            "rule": self.rule,
            "path": self.path,
            "line": self.line,
            "message": self.message,
            "hint": self.hint,
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """Everything a rule may look at: the registry file and those of the packages it includes."""

    document: Document
    included: tuple[Document, ...] = ()

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
