"""What a file has beside its contents and must not lose when another takes its place: owner, mode, ACL, attributes."""

import os
import sys
from contextlib import suppress
from errno import EACCES, EINVAL, ENOTSUP, EPERM
from pathlib import Path

# acl(5) and xattr(7): what POSIX access control lists are to the system calls on Linux.
ACL = "system.posix_acl_access"
# Labels that a security module gives to new files by rules of its own, and lets few programs choose.
_LABELS = {"security.selinux", "security.SMACK64"}
# Signatures of contents that will be others, made by the kernel.
_SIGNATURES = {"security.ima", "security.evm"}


def keep_attributes(path: Path, descriptor: int) -> None:
    """Give an open file, which nobody else may read yet, what the one at `path` has beside its contents.

    The owner is kept where that is permitted, the group and what it may do always.  Access control lists and extended
    attributes are kept where Python knows them, which is on Linux.  Raises OSError, which says what it is, when
    something cannot be kept.
    """
    if sys.platform == "win32":
        return
    status = path.stat()
    _keep_owner(status, descriptor)
    _keep_extended(path, descriptor)
    mode = status.st_mode & 0o7777
    if os.fstat(descriptor).st_uid != status.st_uid:
        mode &= ~0o6000  # what runs as its owner must not come to run as another
    os.fchmod(descriptor, mode)


def _keep_owner(status: os.stat_result, descriptor: int) -> None:
    mine = os.fstat(descriptor)
    if (status.st_uid, status.st_gid) == (mine.st_uid, mine.st_gid):
        return
    with suppress(PermissionError):  # only root may give a file away; the group at least may be ours
        os.fchown(descriptor, -1, status.st_gid)
        os.fchown(descriptor, status.st_uid, -1)
    same_rights = status.st_mode >> 3 & 7 == status.st_mode & 7
    if os.fstat(descriptor).st_gid != status.st_gid and not same_rights:
        # Else another group would have its rights, and it would have none.
        raise OSError(EPERM, f"its group ({status.st_gid}), which is not yours, cannot be kept")


def _keep_extended(path: Path, descriptor: int) -> None:
    if sys.platform != "linux" or not hasattr(os, "listxattr"):
        return
    theirs, mine = _extended(path), _extended(descriptor)
    if ACL in mine and ACL not in theirs:  # from the folder's default list
        os.removexattr(descriptor, ACL)
    for name, value in theirs.items():
        if mine.get(name) == value or name in _SIGNATURES:
            continue
        try:
            os.setxattr(descriptor, name, value)
        except OSError as error:
            if name in _LABELS and error.errno in {EACCES, EPERM, EINVAL, ENOTSUP}:
                continue
            what = "access control list" if name == ACL else f"extended attribute {name}"
            raise OSError(error.errno, f"its {what} cannot be kept ({error.strerror})") from None


def _extended(file: "Path | int") -> dict[str, bytes]:
    if sys.platform != "linux":
        return {}
    try:
        names = os.listxattr(file)
    except OSError as error:
        if error.errno == ENOTSUP:
            return {}
        raise
    return {name: os.getxattr(file, name) for name in names}
