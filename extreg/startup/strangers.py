"""Files that were found and not named, and may be anybody's: whose they are, and the refusal.

A program that looks upward from where it stands comes through folders of others, such as ``/tmp``.  What it finds
there decides what its pickles mean, so that it is taken only from those whom the program trusts in any case.  Git asks
the same of a repository (safe.directory).
"""

import os

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

_ANYBODY = 0o002
_STICKY = 0o1000
_KIND, _LINK = 0o170000, 0o120000
_MOST_LINKS = 40  # as Linux has it


def refuse_strangers(path: str, guide: "str | None", registry: "str | None" = None) -> None:
    """Raise `UnreadableError` unless the file that was found at `path` can be trusted.

    It, and every symlink on the way to it, must belong to the effective user, to root, or to the owner of the file or
    folder `guide`; and nobody else may be able to write it, or to put another into its place.  `registry` is what to
    name instead: the file itself, unless it is one that says where the registry is.
    """
    reason = _distrust(path, _trusted(guide)) if hasattr(os, "geteuid") else None
    if reason is not None:
        from shlex import quote

        from extreg.errors import UnreadableError

        named = registry or path
        shell = quote(named)
        raise UnreadableError(
            f"found {path} on the way upward, but {reason}",
            f"if you trust it, name the registry: extreg.install({named!r}), EXTREG_REGISTRY={shell}, "
            f"or on the command line --registry {shell}",
        )


def refuse_strange_folders(path: str, guide: str) -> None:
    """Raise `UnreadableError` unless the file at `path`, and each folder that it or a link to it lies in, is ours.

    Ours are those of root, of the effective user and of the owner of the file or folder `guide`.  No folder may be
    writable for others, sticky ones included: this is for a file that is read by every process to come.
    """
    trusted = _trusted(guide)
    reason = _distrust(path, trusted, _strange_folder) if hasattr(os, "geteuid") else None
    if reason is not None:
        from extreg.errors import UnreadableError

        raise UnreadableError(reason, f"chown or chmod it, if you trust what is in it: {path}")


def _strange_folder(folder: str, trusted: "list[int]") -> "str | None":
    status = os.stat(folder)
    if status.st_uid not in trusted:
        return f"the folder {folder} belongs to {_user(status.st_uid)}, not to {' or '.join(map(_user, trusted))}"
    return f"anybody may write into the folder {folder}" if status.st_mode & _ANYBODY else None


def _open_folder(folder: str, trusted: "list[int]") -> "str | None":  # noqa: ARG001 - one signature for both
    if os.stat(folder).st_mode & (_ANYBODY | _STICKY) == _ANYBODY:
        return f"anybody may put a file of that name into {folder}"
    return None


def _trusted(guide: "str | None") -> "list[int]":
    trusted = [os.geteuid(), 0]
    if guide is not None:
        try:  # noqa: SIM105 - contextlib is not imported at start-up
            trusted.insert(1, os.stat(guide).st_uid)
        except OSError:  # code that says it is from a file that is not there
            pass
    return list(dict.fromkeys(trusted))


def _distrust(
    path: str, trusted: "list[int]", of_folder: "Callable[[str, list[int]], str | None]" = _open_folder
) -> "str | None":
    """Return why the file at `path` is not to be trusted, or None; `of_folder` says so of the folders on the way."""
    for _ in range(_MOST_LINKS):
        status, folder = os.lstat(path), os.path.dirname(path)
        if status.st_uid not in trusted:
            return f"{path} belongs to {_user(status.st_uid)}, not to {' or '.join(map(_user, trusted))}"
        reason = of_folder(folder, trusted)
        if reason is not None:
            return reason
        if status.st_mode & _KIND == _LINK:
            path = os.path.normpath(os.path.join(os.path.realpath(folder), os.readlink(path)))
            continue
        if status.st_mode & _ANYBODY:
            return f"anybody may write {path}"
        # Where others may not take a file away, they may still have put a file of ours there under this name.
        around = os.stat(folder).st_mode & _ANYBODY
        return f"anybody may have linked {path} there" if around and status.st_nlink > 1 else None
    return f"more than {_MOST_LINKS} links lead from it to one another"


def _user(number: int) -> str:
    try:
        from pwd import getpwuid

        return f"{getpwuid(number).pw_name} (user {number})"
    except (ImportError, KeyError):
        return f"user {number}"
