"""How the cells of a place are told to people."""

from typing import NamedTuple


class Naming(NamedTuple):
    """How the cells of a ``place`` are called: by paths where it is one of ``files``, which may have several."""

    place: str
    files: bool

    def split(self, key: str) -> tuple[str, str]:
        """Return the file, or other cell, that `key` belongs to, and its member in that file."""
        if not self.files:
            return f"{self.place}::{key}", ""
        path, _, member = key.partition("::")
        return path, member
