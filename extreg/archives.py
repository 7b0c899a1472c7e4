"""Files in zip archives, by the paths that the import system gives them: ``/srv/app.pyz/shop/registry.toml``.

A zipapp, a zip on ``sys.path`` or an egg carries its registry as it carries its modules.
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterator


def read(path: "str | os.PathLike[str]") -> bytes:
    """Return the bytes of the file at `path`, which may be in a zip archive; raise OSError."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except OSError:
        path = os.path.abspath(path)
        archive = _archive(path)
        if archive is None:
            raise
    from zipimport import ZipImportError, zipimporter

    try:
        return zipimporter(archive).get_data(path)
    except ZipImportError as error:  # a file in the place of a folder, and no archive either
        raise NotADirectoryError(20, str(error), path) from None


def holds(path: str) -> bool:
    """Whether there is a file at `path` in an archive."""
    try:
        return _archive(path) is not None and read(path) is not None
    except OSError:
        return False


def nearest(
    file: str, archive: str, name: str, here: "list[str] | None", upward: "Callable[[str, str], str | None]"
) -> str:
    """Return the path of the file `name` that code in `file`, within `archive`, finds when it says no more.

    The nearest upward in the archive; else `upward` from the archive; else, for what stands in no package, such as the
    archive's ``__main__``, the only one that is in it; else upward from the folder `here`.  With None for `here`, the
    archive is installed and looks in itself only.  Raises LookupError.
    """
    path = next(filter(None, _candidates(file, archive, name, here, upward)), None)
    if path is None:
        around = "" if here is None else f", nor upward from {' or '.join([os.path.dirname(archive), *here])}"
        raise LookupError(f"no {name} in {archive}{around}")
    return path


def _candidates(
    file: str, archive: str, name: str, here: "list[str] | None", upward: "Callable[[str, str], str | None]"
) -> "Iterator[str | None]":
    folder = os.path.dirname(file)
    while folder.startswith(archive):
        path = os.path.join(folder, name)
        yield path if holds(path) else None
        folder = os.path.dirname(folder)
    if here is not None:
        yield upward(folder, archive)
    if os.path.dirname(file) == archive:
        yield _only_one(archive, name)
    yield from (upward(start, archive) for start in here or ())


def _only_one(archive: str, name: str) -> "str | None":
    from zipfile import ZipFile

    with ZipFile(archive) as opened:
        names = [member for member in opened.namelist() if member.rpartition("/")[2] == name]
    if len(names) > 1:
        raise LookupError(f"{archive} carries more than one {name}: {', '.join(sorted(names))}")
    return os.path.join(archive, *names[0].split("/")) if names else None


def _archive(path: str) -> "str | None":
    """Return the file that `path` leads through as if it were a folder, or None."""
    folder, above = path, os.path.dirname(path)
    while folder != above:
        folder, above = above, os.path.dirname(above)
        if os.path.isfile(folder):
            return folder
        if os.path.isdir(folder):
            return None
    return None
