"""The rows of a registry and of all that it includes, as list and show show them."""

from typing import NamedTuple

from extreg.project.effective import Effective
from extreg.registry.document import Document, Row, read_document


class Shown(NamedTuple):
    """One row, and the file that it stands in."""

    row: Row
    path: str
    own: bool


def rows_of(document: Document, known: Effective) -> list[Shown]:
    """Return all rows in ascending order: the file's own, and those of what it includes."""
    rows = [Shown(row, document.path, own=True) for row in document.rows]
    for file in dict.fromkeys(known.files.values()):
        theirs = read_document(file).rows
        rows += [Shown(row, file, own=False) for row in theirs if known.files.get(row.code) == file]
    return sorted(rows, key=lambda shown: shown.row.code)
