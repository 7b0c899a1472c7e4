"""The registry file as git has it: at a commit, and in every version that it ever had."""

import shlex
from collections.abc import Iterator, Mapping
from datetime import datetime, timezone
from functools import cached_property
from pathlib import Path
from subprocess import CompletedProcess
from typing import NamedTuple

from extreg.errors import UnreadableError
from extreg.linter.context import Past
from extreg.project.git import failure, read_file, resolve, run_git
from extreg.registry.document import Document

# No program of the configuration's is run to make a difference readable.
_PLAIN = ("--no-ext-diff", "--no-textconv", "--ignore-submodules=all")
_A_FILE = "to compare with a file: --against PATH"
_UNSHALLOW = "git fetch --unshallow; with GitHub's actions/checkout: fetch-depth: 0"


def at_ref(path: Path, ref: str) -> Past | None:
    """Return the registry file at `path` as it was at `ref`, found under the name it had then.

    ``REF:PATH`` names another file.  None means that the file is newer than `ref`.  Raises `UnreadableError` when
    there is no git, no repository, no such commit, or when a shallow clone does not hold what is needed.
    """
    repository = _Repository(path)
    if ":" in ref:
        raw = repository.file(repository.commit(ref.partition(":")[0]), ref.partition(":")[2])
        if raw is None:
            raise UnreadableError(f"--against {ref}: there is no such file in that commit", "git ls-tree -r REF")
        return _past(ref, raw, path)
    commit = repository.commit(ref)
    for name in repository.names():
        raw = repository.file(commit, name)
        if raw is not None:
            return _past(ref, raw, path)
    repository.explain_absence(ref, commit)
    return None


def all_versions(path: Path) -> tuple[Past, ...]:
    """Return every version of the registry file in the history of HEAD, the oldest first, across renames.

    Two processes, however long the history.  Raises `UnreadableError` as `at_ref` does.
    """
    repository = _Repository(path)
    if repository.is_shallow():
        raise UnreadableError("--history: this clone is shallow, so the history of the file is not whole", _UNSHALLOW)
    commits = repository.log()
    if not commits:
        raise UnreadableError(f"--history: {path} has never been committed", f"git add {path}, and commit it")
    found: list[Past] = []
    documents: dict[bytes, Document] = {}
    for commit, raw in repository.blobs(commits):
        if raw not in documents:
            # An old version that is no proper text is nothing anybody can mend now; what can be read of it counts.
            documents[raw] = Document.read(raw.decode(errors="replace"), path=str(path))
            found.append(Past(f"commit {commit[:10]}", documents[raw]))
    return tuple(reversed(found))


class Version(NamedTuple):
    """The registry file after a ``commit`` of that ``time``, the committer's, and the codes that were ``live`` then."""

    commit: str
    time: datetime
    live: Mapping[int, str]


def main_line(path: Path) -> tuple[Version, ...]:
    """Return every version of the registry file on the branch that is checked out, the newest first, across renames.

    What was merged into it counts from its merge on.  Raises `UnreadableError` as `at_ref` does, also where the file
    was never committed.
    """
    repository = _Repository(path, hint="git clone the project that it belongs to")
    if repository.is_shallow():
        raise UnreadableError("this clone is shallow, so the history of the file is not whole", _UNSHALLOW)
    changes = repository.log(main_line=True)
    if not changes:
        raise UnreadableError(f"{path} has never been committed", f"git add {path}, and commit it")
    times = repository.times([change.commit for change in changes])
    return tuple(
        Version(commit, times[commit], Document.read(raw.decode(errors="replace"), path=str(path)).tables.codes)
        for commit, raw in repository.blobs(changes)
    )


def _past(name: str, raw: bytes, path: Path) -> Past:
    document = Document.read(raw.decode(errors="replace"), path=f"{name}:{path.name}")
    if any(problem.rule in ("newer-format", "malformed") for problem in document.problems):
        problem = document.problems[0]
        raise UnreadableError(
            f"--against {name}: the registry there cannot be read: {problem.message}", "compare with another commit"
        )
    return Past(name, document)


class _Change(NamedTuple):
    """What a commit made of the file: its name and the hash of its contents, all zeros for a deletion."""

    commit: str
    name: str
    blob: str


def _changes(log: str) -> Iterator[_Change]:
    """Yield the changes in what ``git log --raw -z --format=%H`` writes (the raw format of git-diff-tree(1))."""
    commit = ""
    fields = iter(log.split("\0"))
    for field in fields:
        field = field.lstrip("\n")
        if not field.startswith(":"):
            commit = field or commit
            continue
        _, _, _, blob, status = field.split(" ")
        name = next(fields)
        yield _Change(commit, next(fields) if status[0] in "RC" else name, blob)


class _Repository:
    """The repository that the registry file is in."""

    def __init__(self, path: Path, hint: str = _A_FILE) -> None:
        self.path = path.resolve()
        self.folder = self.path.parent
        asked = run_git(["rev-parse", "--show-toplevel"], folder=self.folder)
        top = asked.stdout.decode(errors="surrogateescape").rstrip("\n")
        if asked.returncode != 0:
            raise failure(f"{path} is not in a git repository that can be read", asked, hint)
        if not top:
            raise UnreadableError(f"{path} is in no work tree of its repository", hint)
        self.top = self.folder = Path(top)  # paths are relative to where git runs
        try:
            self.relative = self.path.relative_to(self.top.resolve()).as_posix()
        except ValueError:  # core.worktree leads elsewhere
            raise UnreadableError(f"{path} is in no work tree: its repository has {top}", hint) from None

    def commit(self, ref: str) -> str:
        """Return the hash of the commit that `ref` names."""
        try:
            found = resolve(ref, folder=self.folder)
        except UnreadableError as error:
            raise UnreadableError(f"--against {error.message}", error.hint) from None
        if found is None:
            shallow = self.is_shallow()
            why = "; this clone is shallow" if shallow else ""
            hint = _UNSHALLOW if shallow else f"git fetch origin, then git branch --all shows what there is; not {ref}"
            raise UnreadableError(f"--against {ref}: there is no such commit or file here{why}", hint)
        return found

    def is_shallow(self) -> bool:
        """Whether history is cut off."""
        return self._text("rev-parse", "--is-shallow-repository").rstrip("\n") == "true"

    def names(self) -> list[str]:
        """Return the names that the file has had, the present one first."""
        options = ("--cached", *_PLAIN, "--find-renames", "--name-status", "-z")
        fields = self._text("diff-index", *options, "HEAD").split("\0") if self._born else []
        renamed = [
            fields[place + 1]
            for place, field in enumerate(fields[:-2])
            if field.startswith("R") and fields[place + 2] == self.relative
        ]
        earlier = [change.name for start in (self.relative, *renamed) for change in self.log(start)]
        return list(dict.fromkeys([self.relative, *renamed, *earlier]))

    def log(self, name: str | None = None, *, main_line: bool = False) -> list[_Change]:
        """Return every change of the file, the newest first; merges are seen from each side.

        On the ``main_line`` alone what was merged is one change.  Raises `UnreadableError` when history is not whole.
        """
        name = name or self.relative
        options = [*_PLAIN, "--follow", "-m", "--raw", "--no-abbrev", "--format=%H", "-z"]
        options += ["--first-parent"] if main_line else []
        if not self._born:
            return []
        done = run_git(["log", *options, "HEAD", "--", name], folder=self.folder)
        if done.returncode != 0:
            raise self._lacking(f"the whole history of {name}", done, name)
        return list(dict.fromkeys(_changes(done.stdout.decode(errors="surrogateescape"))))

    def times(self, commits: list[str]) -> dict[str, datetime]:
        """Return when each of the commits was made, by the committer's clock."""
        done = run_git(
            ["log", "--no-walk=unsorted", "--stdin", "--format=%H %ct"],
            folder=self.folder,
            data="".join(f"{commit}\n" for commit in commits).encode(),
        )
        if done.returncode != 0:
            raise failure("git log fails", done)
        rows = (line.split() for line in done.stdout.decode().splitlines())
        return {commit: datetime.fromtimestamp(int(seconds), timezone.utc) for commit, seconds in rows}

    def file(self, commit: str, name: str) -> bytes | None:
        """Return the contents of a file in a commit, or None if it is surely not in it."""
        return read_file(commit, name, folder=self.folder)

    def blobs(self, changes: list[_Change]) -> list[tuple[str, bytes]]:
        """Return commit and contents of the file after each of the changes, by one process; deletions are left out."""
        kept = [change for change in changes if change.blob.strip("0")]
        data = "".join(f"{change.blob}\n" for change in kept).encode()
        done = run_git(["cat-file", "--batch"], folder=self.folder, data=data)
        found: list[tuple[str, bytes]] = []
        position = 0
        for change in kept:
            end = done.stdout.find(b"\n", position)
            header = done.stdout[position:end].split(b" ")
            if end < 0 or not header[-1].isdigit():
                raise self._lacking(f"{change.name} in commit {change.commit[:10]}", done, change.name)
            position = end + 1
            size = int(header[-1])
            found.append((change.commit, done.stdout[position : position + size]))
            position += size + 1
        return found

    def _lacking(self, what: str, done: "CompletedProcess[bytes]", name: str) -> UnreadableError:
        """Return the error for what this clone does not hold, with the command that fetches every version of a file."""
        fetch = f"git -C {shlex.quote(str(self.top))} log --patch --follow -- {shlex.quote(name)}"
        return failure(f"{what} is not in this clone, which is partial or damaged", done, f"to fetch it: {fetch}")

    @cached_property
    def _born(self) -> bool:
        """Whether there is a commit yet."""
        return resolve("HEAD", folder=self.folder) is not None

    def explain_absence(self, ref: str, commit: str) -> None:
        """Raise `UnreadableError` unless the file surely is newer than `commit`."""
        if self.is_shallow():
            raise UnreadableError(
                f"--against {ref}: {self.relative} is not in that commit, and this clone is shallow, so it "
                f"cannot be told whether it was renamed",
                _UNSHALLOW,
            )
        listed = self._text("ls-tree", "-r", "-z", "--name-only", "--full-tree", commit).split("\0")
        gone = [name for name in listed if name.rpartition("/")[2] == self.path.name and not (self.top / name).exists()]
        if gone:
            raise UnreadableError(
                f"--against {ref}: {self.relative} is not in that commit, but {gone[0]} is, and it is gone now",
                f"if that is what the file was called: --against {ref}:{gone[0]}",
            )

    def _text(self, *arguments: str) -> str:
        """Return what git writes; raise `UnreadableError` with its reason when it fails."""
        done = run_git(arguments, folder=self.folder)
        if done.returncode != 0:
            raise failure(f"git {arguments[0]} fails", done)
        return done.stdout.decode(errors="surrogateescape")
