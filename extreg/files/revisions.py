"""Registry files at a revision, read through git."""

from pathlib import Path

from extreg.errors import UnreadableError
from extreg.files.git import read_blob, run_git
from extreg.files.source import decode, read_document
from extreg.text.document import Document


def read_revision(given: str, registry: Path) -> Document:
    """Return the registry that `given` names: a path, ``REF:path``, or a git REF, which means `registry` at it.

    A file that exists is a path, whatever else the name may mean; ``path`` in ``REF:path`` counts from the top of the
    repository, as in git, or from `registry`'s folder where it starts with ``./``.  Raises `UnreadableError` when there
    is no such thing, `RegistryError` when it is not text.
    """
    if Path(given).is_file():
        return read_document(given)
    folder = registry.absolute().parent
    name = given if ":" in given else f"{given}:./{registry.name}"
    raw = read_blob(name, folder=folder) if folder.is_dir() and not given.startswith("-") else None
    if raw is None:
        raise _unknown(given, name, folder)
    shown = name.replace(":./", ":")
    return Document.read(decode(raw, shown), path=shown)


def _unknown(given: str, name: str, folder: Path) -> UnreadableError:
    reference = name.partition(":")[0]
    if not given.startswith("-") and _is_commit(reference, folder):
        return UnreadableError(
            f"{reference} is a commit, but there is no file {name.partition(':')[2]} in it",
            "the file may have had another name then: give it as REF:path",
        )
    shallow = run_git(["rev-parse", "--is-shallow-repository"], folder=folder).stdout.strip() == b"true"
    hint = "this clone is shallow: git fetch --unshallow" if shallow else "git fetch, if it is a branch of a remote"
    return UnreadableError(f"{given} is neither a file nor a git revision", hint)


def _is_commit(reference: str, folder: Path) -> bool:
    checked = run_git(["rev-parse", "--verify", "--quiet", f"{reference}^{{commit}}"], folder=folder)
    return checked.returncode == 0
