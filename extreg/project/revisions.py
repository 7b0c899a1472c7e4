"""Registry files at a revision, read through git."""

from pathlib import Path

from extreg.errors import UnreadableError
from extreg.project.git import failure, read_file, resolve, run_git
from extreg.registry.document import Document, read_document
from extreg.registry.toml.read_file import decode


def read_revision(given: str, registry: Path) -> Document:
    """Return the registry that `given` names: a path, ``REF:path``, or a git REF, which means `registry` at it.

    A file that exists is a path, whatever else the name may mean; ``path`` in ``REF:path`` counts from the top of the
    repository, as in git, or from `registry`'s folder where it starts with ``./``.  Raises `UnreadableError` when there
    is no such thing or git cannot read it, `RegistryError` when it is not text.
    """
    if Path(given).is_file():
        return read_document(given)
    folder = registry.absolute().parent
    reference, _, path = (given if ":" in given else f"{given}:./{registry.name}").partition(":")
    if not folder.is_dir():
        raise UnreadableError(f"{given} is no file, and there is no folder {folder}")
    commit = resolve(reference, folder=folder)
    if commit is None:
        raise _unknown(given, folder)
    raw = read_file(commit, path, folder=folder)
    if raw is None:
        raise UnreadableError(
            f"{reference} is a commit, but there is no file {path} in it",
            "the file may have had another name then: give it as REF:path",
        )
    shown = f"{reference}:{path.removeprefix('./')}"
    return Document.read(decode(raw, shown), path=shown)


def _unknown(given: str, folder: Path) -> UnreadableError:
    asked = run_git(["rev-parse", "--is-shallow-repository"], folder=folder)
    if asked.returncode != 0:
        return failure(f"{given} is no file, and git cannot look it up", asked)
    shallow = asked.stdout.strip() == b"true"
    hint = "this clone is shallow: git fetch --unshallow" if shallow else "git fetch, if it is a branch of a remote"
    return UnreadableError(f"{given} is neither a file nor a git revision", hint)
