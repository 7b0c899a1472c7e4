"""What ``lint --fix`` does: the edits that are safe, worked out on text and written under the file's lock."""

from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from extreg.disk.atomic import explained, write
from extreg.disk.locking import locked
from extreg.errors import ExtregError
from extreg.linter.context import Context
from extreg.linter.finding import Finding
from extreg.registry import life
from extreg.registry.dangerous import danger
from extreg.registry.difference import Change, rows
from extreg.registry.document import Document, Row, read_document
from extreg.registry.model import Registry
from extreg.registry.toml.edit import edit
from extreg.registry.toml.sort import sort_rows

FIXABLE = frozenset({"unsorted", "reexported-target", "deleted-code", "deleted-retired"})


def fixed(context: Context, findings: Iterable[Finding]) -> str:
    """Return the text of the registry file with what `findings` say mended as far as that is safe.

    Re-exported targets are moved to the true ones where an import confirmed that (`extreg lint --import`), codes of the
    base that are gone come back as load-only, or retired if they were, and rows are sorted.  Every edit is proved; a
    file with faults, or unmerged in git, stays as it is.
    """
    document = context.document
    findings = tuple(findings)
    rules = {found.rule for found in findings if found.path == document.path}
    # Of an unmerged file extreg resolve merges the sides, as long as it is one of them.
    if document.registry is None or context.unmerged or not rules & FIXABLE:
        return document.text
    registry = document.registry
    for row, target in _moves(registry, context, findings):
        if context.imported is not None:
            registry = life.move(registry, row.code, target)
    if rules & {"deleted-code", "deleted-retired"} and context.base is not None:
        registry = _put_back(registry, context.base.document)
    text = edit(document, registry)
    after = Document.read(text, path=document.path)
    return sort_rows(after) if "unsorted" in rules else text


def write_fixed(path: Path, before: str, after: str) -> None:
    """Write `after` where `before` still is; raise `ExtregError` when somebody changed the file meanwhile."""
    path = path.resolve()  # the file behind a symlink is replaced, never the link
    with locked(path), explained(path):
        if read_document(path).text != before:
            raise ExtregError(f"{path} has changed meanwhile; nothing was written", "extreg lint --fix, once more")
        write(path, after.encode(), was=before.encode())


def unconfirmed(context: Context, findings: Iterable[Finding]) -> str | None:
    """Say how many re-exported targets are left where they are because nothing was imported; None where none is.

    What the sources say is enough to report, and to look at by hand.  A code that is moved to a dead name, though, may
    be dumped by name from then on without a word.
    """
    document = context.document
    if document.registry is None or context.imported is not None or context.unmerged:
        return None
    count = len(list(_moves(document.registry, context, findings)))
    if not count:
        return None
    what = "1 target is left as it is" if count == 1 else f"{count} targets are left as they are"
    return (
        f"{document.path}: {what} by --fix, which imports nothing: only an import tells for sure what an object calls "
        f"itself; extreg lint --import --fix moves what it confirms"
    )


def _moves(registry: Registry, context: Context, findings: Iterable[Finding]) -> Iterator[tuple[Row, str]]:
    """Yield the rows with a re-exported target whose finding stands, and the true target, which may be moved to.

    Where the true target has a live code, which of the two to keep is the user's choice; where it is dangerous,
    `extreg move` refuses it too.
    """
    lines = {found.line for found in findings if found.rule == "reexported-target"}
    for row in context.document.rows:
        if row.line not in lines or row.table == "retired":
            continue
        known = context.answers if context.imported is None else context.imported
        answer = (known or {}).get(row.target)
        if answer is None or answer.kind != "reexported" or danger(answer.target) is not None:
            continue
        with suppress(ExtregError):
            registry = life.move(registry, row.code, answer.target)
            yield row, answer.target


def _put_back(registry: Registry, base: Document) -> Registry:
    """Bring back every code of the base that is gone, with its record of moves.

    What was published may be in pickles anywhere, so that it has to load; nobody has to dump it.
    """
    tables = base.tables
    loaded = {code: target for code, target in {**tables.load_only, **tables.codes}.items() if not registry.state(code)}
    retired = {code: target for code, target in tables.retired.items() if not registry.state(code)}
    moves = {code: former for code, former in tables.moved.items() if code in loaded or code in retired}
    return replace(
        registry,
        load_only={**registry.load_only, **loaded},
        retired={**registry.retired, **retired},
        moved={**registry.moved, **moves},
    )


def mended(before: Document, after: Document) -> list[str]:
    """Say what `after` has that `before` had not, a line each, with the line of the file that it stands on now."""
    old, new = rows(before.require()), rows(after.require())
    said = []
    for code, row in new.items():
        was = old.get(code)
        if was == row:
            continue
        table = {"live": "codes"}.get(row.state, row.state)
        what = f"back in [{table}]: {row.target}" if was is None else str(Change(code=code, old=was, new=row))
        said.append(f"{after.path}:{after.line(table, code)}: code {code}: {what}")
    for table, codes in after.tables.code_tables.items():
        order = [code for code in before.tables.code_tables[table] if code in codes]
        if order != [code for code in codes if code in order]:
            said.append(f"{after.path}:{after.line(table)}: [{table}]: rows sorted by code")
    return said
