"""Changing a registry file: atomic, durable, and one writer at a time."""

import os
from collections.abc import Callable
from pathlib import Path

from extreg.disk.atomic import explained, write
from extreg.disk.locking import locked
from extreg.errors import ExtregError, WrittenError
from extreg.registry.document import Document, read_document
from extreg.registry.model import Registry
from extreg.registry.toml.edit import edit


def update(path: Path, change: Callable[[Registry], Registry]) -> tuple[Document, Document]:
    """Apply `change` to the registry in the file at `path`; return the document before and after.

    The lock covers the reading too, so that concurrent updates lose nothing.  The file is written only when it
    changes.  Raises `RegistryError` for a bad file, `ExtregError` for what `change` refuses and for a file that cannot
    be read or written; the file is then as it was.  Raises `WrittenError` when it is not.
    """
    shown = str(path)
    path = Path(os.path.realpath(path))  # the file behind a symlink is replaced, never the link
    with locked(path), explained(path):
        before = read_document(path, shown=shown)
        after = edit(before, change(before.require()))
        if after != before.text:
            old = set(before.text.splitlines())
            new = tuple(line for line in after.splitlines() if line not in old)
            try:
                write(path, after.encode(), was=before.text.encode())
            except WrittenError as error:
                raise WrittenError(error.path, error.failed, new) from None
        return before, Document.read(after, path=shown)


def create(path: Path, text: str) -> None:
    """Write a new file at `path`; raise `ExtregError` when there is one already."""
    with locked(path), explained(path):
        if path.exists():
            raise ExtregError(f"{path} exists already", "extreg add TARGET adds to it; extreg list shows it")
        write(path, text.encode(), was=None)
