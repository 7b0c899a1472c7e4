"""Who reads whose versioned states: what two revisions of a class say to `extreg.reduce.versioned`."""

from collections.abc import Iterable, Iterator

from extreg.registry.difference import StateVersion
from extreg.shapes.shape import Shape, Version
from extreg.shapes.shaping import Shaper


def state_versions(old: Shaper, new: Shaper, pairs: Iterable[tuple[int, str, str]]) -> Iterator[StateVersion]:
    """Yield what changed between two revisions in the versions of classes: codes, and their targets then and now.

    What leads to no class, or to one that the sources do not tell, is passed over.
    """
    for code, then, now in pairs:
        before, after = old.shape(then), new.shape(now)
        if not isinstance(before, Shape) or not isinstance(after, Shape) or before.unknown or after.unknown:
            continue
        ours, theirs = after.version, before.version
        if _said(ours) == _said(theirs) and _said(ours) != _COMPUTED:
            continue
        yield StateVersion(code, now, _said(theirs), _said(ours), _unread(theirs, ours), _unread(ours, theirs))


_COMPUTED = "a version that is computed"


def _said(version: Version | None) -> str:
    if version is None:
        return "no version"
    if version.number is None or version.writes is None or version.unversioned is None:
        return _COMPUTED
    if not version.back:
        return f"version {version.number}"
    return f"version {version.number} (writing {version.writes}{', undecorated' if version.plain else ''})"


def _unread(wrote: Version | None, reads: Version | None) -> bool | None:
    """Whether a class with the version `reads` refuses what one with `wrote` writes; None where nobody can tell."""
    plain = wrote is None or wrote.plain
    if reads is None:
        return None if wrote is not None and wrote.writes is None else not plain
    found = reads.unversioned if wrote is None or wrote.plain else wrote.writes
    if found is None or reads.number is None:
        return None
    if found >= reads.number:
        return found > reads.number
    return None if reads.steps is None else found not in reads.steps
