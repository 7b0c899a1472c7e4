"""Running git, so that nothing but git runs, whatever a strange repository's configuration says.

Git runs programs that a repository's own configuration names, and asks the network for objects that a partial clone
left out.  Reading needs neither, so that both are switched off; docs/ci.md tells users.
"""

import errno
import os
import shlex
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from extreg.errors import UnreadableError

# Of the keys that name a program (git-config(1)), those that a command which only reads might come to, and what would
# reach the network.  The command line comes last and so has the last word.
_SETTINGS = (
    "core.fsmonitor=",  # empty is false, and before git 2.36, where it was a path, it is none
    f"core.hooksPath={os.devnull}",
    "core.pager=cat",
    "core.askPass=",
    "core.sshCommand=false",
    "core.alternateRefsCommand=:",
    "credential.helper=",
    "diff.ignoreSubmodules=all",
    "gc.auto=0",
    "log.diffMerges=separate",
    "log.showSignature=false",
    "maintenance.auto=false",
    "protocol.allow=never",
    "submodule.recurse=false",
)
_PATIENCE = 600
CHECK = "git fsck says what is wrong with the repository"
_FETCH = "git fetch, or git fsck where the clone is damaged"
_VARIABLES = {
    "GIT_ALLOW_PROTOCOL": "none",  # a list of protocols, which the configuration cannot add to
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
    "LC_ALL": "C",  # so that its reason for a failure can be found in what it says
}


def run_git(
    arguments: Sequence[str], *, folder: "str | os.PathLike[str]" = ".", data: bytes | None = None
) -> "subprocess.CompletedProcess[bytes]":
    """Run git in `folder`, with `data` for input, and return what came of it.

    No hook, filter, helper, signature check or other program of the configuration is run, and nothing is fetched.
    Raises `UnreadableError` when there is no git to run.
    """
    settings = [part for setting in _SETTINGS for part in ("-c", setting)]
    try:
        # The program is git and the arguments are ours; no shell is involved.
        return subprocess.run(
            [_program(), "--no-pager", *settings, *arguments],
            cwd=folder,
            input=b"" if data is None else data,
            capture_output=True,
            check=False,
            env={**os.environ, **_VARIABLES},
            timeout=_PATIENCE,
        )
    except subprocess.TimeoutExpired:
        raise UnreadableError(
            f"git {arguments[0]} takes longer than {_PATIENCE} seconds", "is its disk there?"
        ) from None
    except OSError as error:
        hint = "install git and run inside a repository, or compare with a file by its PATH"
        raise UnreadableError(f"cannot run git: {error.strerror}", hint) from None


def in_repository(folder: "str | os.PathLike[str]") -> bool:
    """Whether `folder` is below one that has a ``.git``, or git is told of a repository, readable or not."""
    here = Path(folder).absolute()
    return "GIT_DIR" in os.environ or any((above / ".git").exists() for above in (here, *here.parents))


def is_tracked(path: Path) -> bool:
    """Whether git's index holds the file at `path`; not where there is no git and no repository."""
    if not in_repository(path.absolute().parent):
        return False
    try:
        found = run_git(["ls-files", "--error-unmatch", "--", f"./{path.name}"], folder=path.parent)
    except UnreadableError:
        return False
    return found.returncode == 0


def failure(what: str, done: "subprocess.CompletedProcess[bytes]", hint: str = CHECK) -> UnreadableError:
    """Return the error that says `what` could not be done and why, in git's words, with the command that git offers."""
    said = done.stderr.decode(errors="replace").splitlines()
    reasons = [line.partition(": ")[2] for line in said if line.startswith(("fatal: ", "error: "))]
    reasons = reasons or [line.partition(": ")[2] for line in said if line.startswith("warning: ")]
    if done.returncode < 0:
        reasons.append(f"it was ended by signal {-done.returncode}")
    offered = next((line.strip() for line in said if line.startswith("\tgit ")), "")
    return UnreadableError(f"{what}: git says: {'; '.join(dict.fromkeys(reasons)) or 'nothing'}", offered or hint)


def resolve(ref: str, *, folder: "str | os.PathLike[str]" = ".") -> str | None:
    """Return the hash of the commit that `ref` names, or None where there is no such name.

    Raises `UnreadableError` where there is, but it is no commit or cannot be read.
    """
    if ref.startswith("-"):
        return None
    peeled = run_git(["rev-parse", "--verify", "--quiet", f"{ref}^{{commit}}"], folder=folder)
    if peeled.returncode == 0:
        return peeled.stdout.decode().strip()
    named = run_git(["rev-parse", "--verify", "--quiet", ref], folder=folder)
    if named.returncode == 1 and not named.stderr:
        return None
    name = named.stdout.decode().strip()
    if not name:
        raise failure(f"{ref} cannot be looked up", named)
    kind = run_git(["cat-file", "-t", name], folder=folder)
    if kind.returncode == 0:
        raise UnreadableError(f"{ref} is a {kind.stdout.decode().strip()}, where a commit is expected")
    raise failure(f"{ref} is commit {name[:10]}, which cannot be read", kind, _FETCH)


def read_file(commit: str, path: str, *, folder: "str | os.PathLike[str]" = ".") -> bytes | None:
    """Return the bytes of the file at `path` in `commit`, a hash; None where it is surely not in that commit.

    `path` counts from the top of the repository, or from `folder` where it begins with ``./``.  Raises
    `UnreadableError` when it may be there, but cannot be read.
    """
    name = f"{commit}:{path}"
    tree = [] if path.startswith("./") else ["--full-tree"]
    found = run_git(["cat-file", "blob", name], folder=folder)
    if found.returncode == 0:
        return found.stdout
    if not path:
        return None
    show = f"git -C {shlex.quote(os.fspath(folder))} show {shlex.quote(name)}"
    listed = run_git(["ls-tree", "-z", *tree, commit, "--", path], folder=folder)
    if listed.returncode != 0:
        raise _not_here(f"the folder of {path} in {commit[:10]}", listed, show)
    if not listed.stdout:
        return None
    what = f"{path} in {commit[:10]}"
    kind, blob = listed.stdout.split(b"\t")[0].split()[1:3]
    if kind != b"blob":
        raise UnreadableError(f"{what} is a {'folder' if kind == b'tree' else kind.decode()}, where a file is expected")
    raise _not_here(what, run_git(["cat-file", "blob", blob.decode()], folder=folder), show)


def read_staged(path: str, stage: int, *, folder: "str | os.PathLike[str]" = ".") -> bytes | None:
    """Return the bytes that git's index has at a `stage` of a merge for `path`, or None where it has none.

    Raises `UnreadableError` when it has, but it cannot be read.
    """
    name = f":{stage}:{path}"
    found = run_git(["cat-file", "blob", name], folder=folder)
    if found.returncode == 0:
        return found.stdout
    listed = run_git(["ls-files", "--stage", "-z", "--", path.removeprefix("./")], folder=folder)
    if listed.returncode != 0:
        raise failure(f"stage {stage} of {path} cannot be looked up", listed)
    entries = [entry.split() for entry in listed.stdout.split(b"\0") if entry]
    if str(stage).encode() not in {fields[2] for fields in entries}:
        return None
    raise _not_here(name, found, f"git -C {shlex.quote(os.fspath(folder))} show {shlex.quote(name)}")


def _not_here(what: str, done: "subprocess.CompletedProcess[bytes]", command: str) -> UnreadableError:
    """Return the error for what a commit has, and this clone has not: it is partial, shallow or damaged."""
    return failure(f"{what} is not in this clone, which is partial or damaged", done, f"to fetch it: {command}")


def unmerged_stages(path: Path) -> set[int]:
    """Return which stages git's index holds of the file at `path` (1 ancestor, 2 ours, 3 theirs); none if it is merged.

    None too where there is no git and no repository.
    """
    try:
        found = run_git(["ls-files", "--unmerged", "-z", "--", f"./{path.name}"], folder=path.parent)
    except UnreadableError:
        return set()
    return {int(entry.split()[2]) for entry in found.stdout.split(b"\0") if entry} if found.returncode == 0 else set()


def _program() -> str:
    """Return git's path: Windows would look into the current folder first, and so does a relative entry of PATH."""
    names = ("git.exe", "git.cmd", "git.bat") if sys.platform == "win32" else ("git",)
    for folder in filter(Path.is_absolute, map(Path, os.get_exec_path())):
        for path in (folder / name for name in names):
            # Unlike that of a Path, this says no of a folder that may not be searched.
            if os.path.isfile(path) and os.access(path, os.X_OK):  # noqa: PTH113
                return str(path)
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
