"""Git's conflict markers: taking the sides apart, and writing them around what differs."""

import re
from difflib import SequenceMatcher
from typing import NamedTuple

from extreg.errors import ExtregError

SIZE = 7  # git's default; conflict-marker-size in .gitattributes changes it, and nested merges use longer ones

_OPENING = re.compile(r"^(<{7,})(?=\s|$)", re.MULTILINE)


class Sides(NamedTuple):
    """The texts that a conflicted text was made from; ``base`` is None unless every conflict shows it (diff3)."""

    ours: str
    base: str | None
    theirs: str
    conflicts: int


def has_markers(text: str) -> bool:
    """Whether a conflict begins anywhere in `text`."""
    return _OPENING.search(text) is not None


def take_apart(text: str, path: str) -> Sides:
    """Return the sides of a text with conflict markers, of the merge, diff3 or zdiff3 style.

    Raises `ExtregError` when the markers do not form whole conflicts, as after half an edit by hand.
    """
    opening = _OPENING.search(text)
    size = len(opening[1]) if opening else SIZE
    marks = {character * size: section for section, character in enumerate("<|=>")}
    sections: list[list[str]] = [[], [], []]  # ours, base, theirs
    state: int | None = None  # outside of any conflict
    conflicts = with_base = 0
    for number, line in enumerate(text.splitlines(keepends=True), start=1):
        mark = marks.get(line.split(None, 1)[0]) if line[:1] in "<|=>" and line.strip() else None
        if mark is None:
            for section in (0, 1, 2) if state is None else (state,):
                sections[section].append(line)
            continue
        if not _may_follow(state, mark):
            raise ExtregError(
                f"{path}:{number}: the conflict markers do not fit together: {line.strip()!r}",
                f"git checkout --merge -- {path} puts the conflict back as git left it",
            )
        conflicts += mark == 0
        with_base += mark == 1
        state = None if mark == 3 else mark
    if state is not None:
        raise ExtregError(
            f"{path}: the last conflict has no end ({'>' * size})",
            f"git checkout --merge -- {path} puts the conflict back as git left it",
        )
    ours, base, theirs = ("".join(section) for section in sections)
    return Sides(ours, base if conflicts == with_base else None, theirs, conflicts)


def _may_follow(state: int | None, mark: int) -> bool:
    """Whether `mark` (0 to 3 for ``<``, ``|``, ``=``, ``>``) may stand where the section is `state`."""
    return {0: state is None, 1: state == 0, 2: state in (0, 1), 3: state == 2}[mark]


def conflict(ours: str, theirs: str, *, size: int = SIZE) -> str:
    """Return one text with markers around the lines in which `ours` and `theirs` differ; there is at least one pair."""
    mine, other = ours.splitlines(keepends=True), theirs.splitlines(keepends=True)
    end = "\r\n" if "\r\n" in ours else "\n"
    parts = []
    blocks = SequenceMatcher(None, mine, other, autojunk=False).get_opcodes()
    if all(tag == "equal" for tag, *_ in blocks):
        blocks = [("replace", 0, len(mine), 0, len(other))]
    for tag, first, last, other_first, other_last in blocks:
        if tag == "equal":
            parts += mine[first:last]
            continue
        parts.append("<" * size + " ours" + end)
        parts += _whole(mine[first:last], end)
        parts.append("=" * size + end)
        parts += _whole(other[other_first:other_last], end)
        parts.append(">" * size + " theirs" + end)
    return "".join(parts)


def _whole(lines: list[str], end: str) -> list[str]:
    """Return `lines` with the last one ended: a marker must start on a line of its own."""
    return [line if line.endswith("\n") else line + end for line in lines]
