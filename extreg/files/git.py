"""Running git."""

import os
import subprocess
from collections.abc import Sequence

from extreg.errors import UnreadableError


def run_git(
    arguments: Sequence[str], *, folder: "str | os.PathLike[str]" = ".", data: bytes | None = None
) -> "subprocess.CompletedProcess[bytes]":
    """Run git in `folder`, with `data` for input, and return what came of it.

    Raises `UnreadableError` when there is no git to run.
    """
    try:
        # The program is git and the arguments are ours; no shell is involved.
        return subprocess.run(
            ["git", *arguments],
            cwd=folder,
            input=b"" if data is None else data,
            capture_output=True,
            check=False,
        )
    except OSError as error:
        hint = "install git and run inside a repository, or compare with a file by its PATH"
        raise UnreadableError(f"cannot run git: {error.strerror}", hint) from None


def read_blob(name: str, *, folder: "str | os.PathLike[str]" = ".") -> bytes | None:
    """Return the bytes that git has under `name` (``REF:path``, ``:1:path``), or None."""
    found = run_git(["cat-file", "blob", name], folder=folder)
    return found.stdout if found.returncode == 0 else None
