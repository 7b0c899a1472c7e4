"""What this machine knows of a code that a registry does not hold."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from extreg.errors import UnreadableError
from extreg.project.git import failure, in_repository, read_file, run_git
from extreg.registry.document import Document, Row
from extreg.registry.model import Registry
from extreg.registry.ranges import range_of_code

# PEP 307; codes from 256 on are anybody's.
_OWNERS = ((127, "Python's standard library"), (191, "Zope"), (239, "third parties"), (255, "private use"))
_MOST_COMMITS = 50
_MOST_REFS = 4


class Trace(NamedTuple):
    """A commit that changed the line of a code: in which file, and the row that it left there, if it left one."""

    commit: str
    date: str
    file: str
    row: Row | None

    def __str__(self) -> str:
        where = f"commit {self.commit[:10]} of {self.date}"
        if self.row is None:
            return f"{where} takes its line out of {self.file}"
        return f'{where} has {self.row.code} = "{self.row.target}" in [{self.row.table}] of {self.file}'


def facts_of(code: int, registry: Registry, path: Path) -> list[str]:
    """Return what is known of a `code` that the effective `registry` of the file at `path` does not hold.

    Whose it may be by its range; what git knows of it, on every branch and tag, in files of that name.  What git cannot
    tell is said too.
    """
    name = range_of_code(code, registry.ranges)
    owner = next((owner for last, owner in _OWNERS if code <= last), None)
    facts = [
        f"it lies in the range {name} of this registry"
        if name is not None
        else f"PEP 307 leaves it to {owner}"
        if owner is not None
        else "it lies in no range of this registry, and so is perhaps another's"
    ]
    if not in_repository(path.absolute().parent):
        return [*facts, "there is no git repository around the file that could tell of its past"]
    try:
        found = list(_traces(code, path.absolute().parent, path.name))
        if not found:
            shallow = "; this clone is shallow: git fetch --unshallow" if _is_shallow(path.absolute().parent) else ""
            return [*facts, f"no commit on a branch or tag here has it in a file called {path.name}{shallow}"]
        return [*facts, *map(str, found), _where(found[0].commit, path.absolute().parent)]
    except UnreadableError as error:
        return [*facts, f"of its past there is nothing to be read: {error.message}"]


def _is_shallow(folder: Path) -> bool:
    done = run_git(["rev-parse", "--is-shallow-repository"], folder=folder)
    if done.returncode != 0:
        raise failure("whether this clone is shallow", done)
    return done.stdout.strip() == b"true"


def _traces(code: int, folder: Path, name: str) -> Iterator[Trace]:
    """Yield the commits that changed the line of `code`, the newest first, up to the first one that has the row."""
    pattern = rf"^[[:space:]]*{code}[[:space:]]*="
    options = ("--no-ext-diff", "--no-textconv", "--all", "-G", pattern, f"--max-count={_MOST_COMMITS}")
    shape = ("--format=%x01%H %cs", "--name-only", "-z", "--", f":(top,glob)**/{name}")
    done = run_git(["log", *options, *shape], folder=folder)
    if done.returncode != 0:
        raise failure(f"the history of {name}", done)
    for entry in done.stdout.decode(errors="surrogateescape").split("\x01")[1:]:
        head, *files = (part.strip("\n") for part in entry.split("\0"))
        commit, _, date = head.partition(" ")
        for file in filter(None, files):
            raw = read_file(commit, file, folder=folder)
            row = None if raw is None else _row(code, raw, file)
            yield Trace(commit, date, file, row)
            if row is not None:
                return


def _row(code: int, raw: bytes, file: str) -> Row | None:
    # A version that is not sound is read as far as it can be.
    return next((row for row in Document.read(raw.decode(errors="replace"), path=file).rows if row.code == code), None)


def _where(commit: str, folder: Path) -> str:
    """Say which branches and tags have the `commit`."""
    done = run_git(["for-each-ref", "--contains", commit, "--format=%(refname:short)"], folder=folder)
    if done.returncode != 0:
        raise failure(f"what holds {commit[:10]}", done)
    refs = done.stdout.decode(errors="replace").split()
    more = f" and {len(refs) - _MOST_REFS} more" if len(refs) > _MOST_REFS else ""
    return f"the newest of these is in {', '.join(refs[:_MOST_REFS])}{more}" if refs else "no branch or tag has it now"
