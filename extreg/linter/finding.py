"""What a lint rule finds."""

from dataclasses import dataclass
from typing import Any, Literal

from extreg.printable import printable


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing that a rule found.

    ``rule`` is the name of the lint rule (``extreg rule NAME`` explains it) and ``path`` the file.  ``line`` counts
    from 1 and is None where the finding is about the whole file; ``hint`` is a command or an edit, or empty;
    ``level`` is ``error``, or ``note`` for what only somebody who knows the code can judge, and which fails nothing.
    """

    rule: str
    path: str
    line: int | None
    message: str
    hint: str = ""
    level: Literal["error", "note"] = "error"

    def __str__(self) -> str:
        place = self.path if self.line is None else f"{self.path}:{self.line}"
        return printable(f"{place}: {self.rule}: {self.message}")

    @property
    def place(self) -> tuple[str, int, str, str]:
        """What findings are sorted by."""
        return self.path, self.line or 0, self.rule, self.message

    def as_json(self) -> dict[str, Any]:
        """Return the fields as a dict that the json module can write."""
        return {
            "rule": self.rule,
            "path": self.path,
            "line": self.line,
            "message": self.message,
            "hint": self.hint,
            "level": self.level,
        }
