"""Who is upstream: the branches whose codes a merge must not change.

The rule is written down for users in docs/merging.md.
"""

import os

from extreg.errors import ExtregError
from extreg.merging.sides import Upstream
from extreg.project.git import failure, in_repository, read_file, resolve, run_git
from extreg.registry.document import Document
from extreg.registry.model import Registry
from extreg.registry.toml.read_file import decode

SETTING = "extreg.upstream"
_WHO = "it cannot be told who is upstream"
_REMOTES = ("upstream", "origin")  # in a fork, "upstream" is by custom the project itself
_BRANCHES = ("main", "master")


def read_upstream(path: str, *, folder: "str | os.PathLike[str]" = ".") -> Upstream:
    """Return what git knows about the publication of the registry at `path`, as git names it in `folder`.

    Asks no remote.  A branch that is not there, or whose file is no sound registry, counts for nothing.  Raises
    `UnreadableError` where git cannot say: a code that is published must not be taken for one that is not.
    """
    if not in_repository(folder):
        return Upstream()
    named = _config(SETTING, folder)
    heads = _heads(folder)
    local = _local_default(heads, folder)
    remote = _remote_default(heads)
    published = named or [remote or local]
    pushed = [] if named else [local if remote else "", _tracked(folder)]
    return Upstream(published=_read(published, path, folder), pushed=_read(pushed, path, folder))


def _config(name: str, folder: "str | os.PathLike[str]") -> list[str]:
    found = run_git(["config", "--get-all", name], folder=folder)
    if found.returncode not in (0, 1):  # 1: it is not set
        raise failure(_WHO, found)
    return found.stdout.decode(errors="replace").split()


def _heads(folder: "str | os.PathLike[str]") -> dict[str, str]:
    """Return the refs that may be a default branch, each with the ref that it stands for."""
    patterns = [f"refs/remotes/*/{name}" for name in ("HEAD", *_BRANCHES)]
    listed = run_git(["for-each-ref", "--format=%(refname) %(symref)", "refs/heads", *patterns], folder=folder)
    # A ref that it cannot read it leaves out, with no more than a warning.
    if listed.returncode != 0 or b"broken ref" in listed.stderr:
        raise failure(_WHO, listed)
    pairs = (line.partition(" ") for line in listed.stdout.decode(errors="replace").splitlines())
    return {name: symbolic or name for name, _, symbolic in pairs}


def _remote_default(heads: dict[str, str]) -> str:
    """Return the default branch of the remote that counts, or nothing."""
    remotes = {name.split("/")[2] for name in heads if name.startswith("refs/remotes/")}
    order = [*(name for name in _REMOTES if name in remotes), *sorted(remotes)]
    names = (f"refs/remotes/{remote}/{branch}" for remote in order for branch in ("HEAD", *_BRANCHES))
    return next((heads[name] for name in names if name in heads), "")


def _tracked(folder: "str | os.PathLike[str]") -> str:
    """Return the commit that the present branch tracks, or nothing."""
    found = run_git(["rev-parse", "--verify", "--quiet", "@{upstream}^{commit}"], folder=folder)
    return found.stdout.decode().strip()


def _local_default(heads: dict[str, str], folder: "str | os.PathLike[str]") -> str:
    branches = [f"refs/heads/{name}" for name in (*_config("init.defaultBranch", folder), *_BRANCHES)]
    return next((name for name in branches if name in heads), "")


def _read(references: list[str], path: str, folder: "str | os.PathLike[str]") -> tuple[Registry, ...]:
    found = []
    for reference in references:
        commit = resolve(reference, folder=folder) if reference else None
        raw = read_file(commit, path, folder=folder) if commit else None
        registry = _registry(raw, path) if raw is not None else None
        if registry is not None:
            found.append(registry)
    return tuple(found)


def _registry(raw: bytes, path: str) -> Registry | None:
    try:
        return Document.read(decode(raw, path), path=path).registry
    except ExtregError:
        return None
