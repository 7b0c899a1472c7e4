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
_VARIABLES = {
    "GIT_ALLOW_PROTOCOL": "none",  # a list of protocols, which the configuration cannot add to
    "GIT_NO_LAZY_FETCH": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_TERMINAL_PROMPT": "0",
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
        )
    except OSError as error:
        hint = "install git and run inside a repository, or compare with a file by its PATH"
        raise UnreadableError(f"cannot run git: {error.strerror}", hint) from None


def read_blob(name: str, *, folder: "str | os.PathLike[str]" = ".") -> bytes | None:
    """Return the bytes that git has under `name` (``REF:path``, ``:1:path``), or None where there is no such thing.

    Raises `UnreadableError` when there is, or may be, but a partial clone has not fetched it.
    """
    found = run_git(["cat-file", "blob", name], folder=folder)
    if found.returncode == 0:
        return found.stdout
    named = run_git(["rev-parse", "--verify", "--quiet", name], folder=folder).stdout.decode().strip()
    if named and run_git(["cat-file", "-e", named], folder=folder).returncode != 0:
        raise not_fetched(name, f"git -C {shlex.quote(os.fspath(folder))} show {shlex.quote(name)}")
    if not named and b"tree:" in run_git(["config", "--get-regexp", r"\.partialclonefilter$"], folder=folder).stdout:
        raise not_fetched(f"the folder of {name}", f"git -C {shlex.quote(os.fspath(folder))} show {shlex.quote(name)}")
    return None


def unmerged_stages(path: Path) -> set[int]:
    """Return which stages git's index holds of the file at `path` (1 ancestor, 2 ours, 3 theirs); none if it is merged.

    None too where there is no git and no repository.
    """
    try:
        found = run_git(["ls-files", "--unmerged", "-z", "--", f"./{path.name}"], folder=path.parent)
    except UnreadableError:
        return set()
    return {int(entry.split()[2]) for entry in found.stdout.split(b"\0") if entry} if found.returncode == 0 else set()


def not_fetched(what: str, command: str) -> UnreadableError:
    """Return the error for what a partial clone left out, and `command` would fetch."""
    return UnreadableError(f"{what} is not in this clone, which is partial or damaged", f"to fetch it: {command}")


def _program() -> str:
    """Return git's path: Windows would look into the current folder first, and so does a relative entry of PATH."""
    names = ("git.exe", "git.cmd", "git.bat") if sys.platform == "win32" else ("git",)
    for folder in filter(Path.is_absolute, map(Path, os.get_exec_path())):
        for path in (folder / name for name in names):
            if path.is_file() and os.access(path, os.X_OK):
                return str(path)
    raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT))
