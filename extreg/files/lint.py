"""lint on real files: what the rules need is read here."""

import os
from pathlib import Path

from extreg.errors import UnreadableError
from extreg.files.project import registry_path
from extreg.files.resolve import importable
from extreg.files.source import read_document
from extreg.rules import check
from extreg.rules.finding import Context, Finding
from extreg.startup.find import package_registry
from extreg.text.document import Document


def lint(path: "str | os.PathLike[str] | None" = None) -> tuple[Finding, ...]:
    """Return what is wrong with the registry file at `path` (default: found as the command line does), sorted.

    Raises `UnreadableError` when the file or an included package's cannot be read, and `RegistryError` when it is not
    text at all.
    """
    return check(read_context(registry_path(os.fspath(path) if path is not None else None)))


def read_context(path: Path) -> Context:
    """Read what the rules look at; packages beside the registry file, and in ``src`` there, can be included."""
    document = read_document(path)
    with importable(path.absolute().parent):
        return Context(document=document, included=_included(document))


def _included(document: Document) -> tuple[Document, ...]:
    own = os.path.realpath(document.path)
    included: dict[str, Document] = {}
    waiting = [document]
    while waiting:
        including = waiting.pop(0)
        for package in including.tables.include:
            found = _locate(including, package)
            real = os.path.realpath(found)
            if real not in included and real != own:
                included[real] = read_document(found)
                waiting.append(included[real])
    return tuple(included.values())


def _locate(document: Document, package: str) -> str:
    try:
        return package_registry(package)
    except LookupError as missing:
        line = document.line("include")
        raise UnreadableError(f"{document.path}:{line}: include: {missing.args[0]}", missing.args[1]) from None
