"""Sorting the rows of a registry file, as text to text: comments go along, everything else stays where it is."""

from extreg.registry.document import Document
from extreg.registry.invariants import CODE_TABLES
from extreg.registry.toml.edit_proof import prove_sorted
from extreg.registry.toml.statements import Statement, comments_above, statements


def sort_rows(document: Document) -> str:
    """Return the text of `document` with the rows of each code table in ascending order.

    A row takes the comment lines directly above it along; blank lines and comments that stand alone keep their places.
    The result is proved to mean the same.  Raises `ExtregError` when it cannot be, or the file has faults.
    """
    document.require()
    text = document.text
    if not text.endswith("\n"):  # else the last row would lend its missing line end to another
        end = "\r\n" if 2 * text.count("\r\n") > text.count("\n") else "\n"
        return sort_rows(Document.read(text + end, path=document.path)).removesuffix(end)
    found = list(statements(text))
    done = []
    for table in CODE_TABLES:
        rows = [one for one in found if one.kind == "pair" and len(one.path) == 2 and one.path[0] == table]
        if len(rows) == len(document.tables.code_tables[table]):
            text = _sorted(text, rows)
            found = list(statements(text))
            done.append(table)
    prove_sorted(document, text, done)
    return text


def _sorted(text: str, rows: list[Statement]) -> str:
    """Put the sorted rows into the places that the rows have now."""
    places = [(comments_above(text, row.start), row.end) for row in rows]
    order = sorted(range(len(rows)), key=lambda number: int(rows[number].path[1]))
    parts: list[str] = []
    position = 0
    for place, number in zip(places, order, strict=True):
        parts += [text[position : place[0]], text[slice(*places[number])]]
        position = place[1]
    return "".join([*parts, text[position:]])
