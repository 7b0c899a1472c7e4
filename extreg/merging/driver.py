"""Merges of registry files: git's merge driver, and files in which git left conflict markers."""

import os
import secrets
import shlex
import tempfile
from dataclasses import dataclass
from pathlib import Path

from extreg.disk.atomic import explained, write
from extreg.disk.locking import locked
from extreg.errors import ExtregError, RegistryError, UnreadableError
from extreg.merging.combine import combine
from extreg.merging.markers import SIZE, Sides, conflict, has_markers, take_apart
from extreg.merging.merge import common, merge, merge_ancestors
from extreg.merging.sides import Contradiction
from extreg.merging.upstream import read_upstream
from extreg.project.git import in_repository, read_staged, run_git, unmerged_stages
from extreg.registry.document import Document
from extreg.registry.model import Registry
from extreg.registry.toml.read_file import decode, read_text
from extreg.registry.toml.render import render

_NAMES = ("ours", "theirs")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What a merge came to, in words: ``notes`` on what was decided, ``contradictions`` that are left in the file.

    ``failure`` says why the file could not be merged by meaning at all and holds a line conflict instead.
    """

    notes: tuple[str, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()
    failure: ExtregError | None = None

    @property
    def clean(self) -> bool:
        """Whether nothing is left to decide."""
        return not self.contradictions and self.failure is None


def drive(base: str, ours: str, theirs: str, path: str, *, size: int = SIZE) -> Outcome:
    """Merge as git asks a driver to: the result replaces the file `ours`; `path` is the file's name in the repository.

    Whatever happens, `ours` never looks merged when it is not: it holds both sides between markers from the first
    moment on, so that even a killed process loses nothing.  Raises OSError when the files cannot be read or written.
    """
    raw = [Path(name).read_bytes() for name in (base, ours, theirs)]
    before, mine, other = (data.decode(errors="surrogateescape") for data in raw)
    _put(ours, _whole_conflict(mine, other, size))
    try:
        sides = [_side(decode(data, path), path, name) for data, name in zip(raw[1:], _NAMES, strict=True)]
        found, outcome = _merged(before, sides[0], sides[1], path, size=size, folder=".")
    except ExtregError as error:
        found, outcome = _line_conflict(before, mine, other, size), Outcome(failure=error)
    _put(ours, found)
    return outcome


def drive_ancestors(base: str, ours: str, theirs: str) -> None:
    """Merge common ancestors for git, which then takes the result in the file `ours` for the base of the true merge.

    Nobody sees it, and it must not conflict: where the sides are no sound registries, it is their ancestor's text.
    """
    raw = [Path(name).read_bytes() for name in (base, ours, theirs)]
    registries = [_sound(data.decode(errors="surrogateescape")) for data in raw]
    before, mine, other = registries
    if before is None or mine is None or other is None:
        _put(ours, raw[0].decode(errors="surrogateescape"))
    else:
        _put(ours, render(merge_ancestors(before, mine, other)))


def resolve(path: Path) -> tuple[int, Outcome]:
    """Merge by meaning the two sides that the conflict markers in the file at `path` show, or that git's index holds.

    Returns how many conflicts there were and what came of them; the file keeps markers only around contradictions.
    Raises `ExtregError` when the markers do not fit together, a side is no sound registry, or the file is unmerged in
    the index and is neither side; the file is then as it was.
    """
    shown = str(path)
    path = Path(os.path.realpath(path))
    with locked(path):
        text = _text(path)
        sides = take_apart(text, shown) if has_markers(text) else _staged_sides(path, text)
        if sides is None:
            Document.read(text, path=shown).require()
            return 0, Outcome()
        ours, theirs = _side(sides.ours, shown, "ours"), _side(sides.theirs, shown, "theirs")
        base = sides.base if sides.base is not None and _sound(sides.base) else _stage(path, 1)
        merged, outcome = _merged(base, ours, theirs, f"./{path.name}", size=SIZE, folder=path.parent)
        if merged != text:
            with explained(path):
                write(path, merged.encode(), was=text.encode())
        return sides.conflicts, outcome


def _staged_sides(path: Path, text: str) -> Sides | None:
    """Return the sides that git's index holds of a file that is unmerged and shows no markers; None if it is merged.

    So a merge ends whose driver could not run: git leaves ours as it was, and theirs is in the index alone.
    """
    stages = unmerged_stages(path)
    if not stages:
        return None
    show = f"git show :3:./{shlex.quote(path.name)}"
    if not {2, 3} <= stages:
        side = "theirs" if 2 in stages else "ours"
        raise ExtregError(
            f"{path} is unmerged in git's index: {side} deleted it", "git add it to keep it, or git rm it"
        )
    ours, theirs = (_stage(path, number) or "" for number in (2, 3))
    if "\r\n" in text:
        ours, theirs = (side.replace("\r\n", "\n").replace("\n", "\r\n") for side in (ours, theirs))
    if text not in (ours, theirs):
        raise ExtregError(
            f"{path} is unmerged in git's index, shows no conflict markers, and is neither ours nor theirs: somebody "
            "edited it",
            f"if both sides are in it, git add it ({show} shows theirs); else "
            f"git checkout --merge -- {shlex.quote(path.name)}, then extreg resolve",
        )
    return Sides(ours, None, theirs, 1)


def _side(text: str, path: str, name: str) -> Document:
    return Document.read(text, path=f"{path} ({name})")


def _merged(
    base: str | None, ours: Document, theirs: Document, path: str, *, size: int, folder: "str | os.PathLike[str]"
) -> tuple[str, Outcome]:
    """Return the merged text and what to say about it; raise `ExtregError` when a side is no sound registry."""
    mine, other = _both(ours, theirs)
    before = _ancestor(base, mine, other)
    found = merge(before, mine, other)
    if found.notes or found.contradictions:  # only then does it matter who is upstream, and git is asked
        found = merge(before, mine, other, read_upstream(path, folder=folder))
    try:
        combined = combine(ours, theirs, base or "", found, lines=_merge_lines, size=size)
    except ExtregError:
        if not found.contradictions:
            raise
        why = "; ".join(f"{contradiction.where}: {contradiction.message}" for contradiction in found.contradictions)
        raise ExtregError(why, found.contradictions[0].hint) from None
    notes = [*found.notes, *(f"a comment of theirs found no place: {line}" for line in combined.lost_comments)]
    return combined.text, Outcome(notes=tuple(notes), contradictions=found.contradictions)


def _both(ours: Document, theirs: Document) -> tuple[Registry, Registry]:
    """Return both registries, or raise one `RegistryError` with the problems of both."""
    if ours.registry is None or theirs.registry is None:
        raise RegistryError((*ours.problems, *theirs.problems))
    return ours.registry, theirs.registry


def _ancestor(text: str | None, ours: Registry, theirs: Registry) -> Registry:
    """Return the registry to merge from.

    A file that both sides created has an empty ancestor; one that git merged from several may hold markers, and then
    what its sides agree on is sure; where there is nothing to go by, it is what ours and theirs agree on.
    """
    if text is None:
        return common(ours, theirs)
    if not text.strip():
        return Registry()
    if has_markers(text):
        try:
            sides = take_apart(text, "")
        except ExtregError:
            return common(ours, theirs)
        mine, other = _sound(sides.ours), _sound(sides.theirs)
        return common(mine, other) if mine is not None and other is not None else common(ours, theirs)
    return _sound(text) or common(ours, theirs)


def _sound(text: str) -> Registry | None:
    return Document.read(text).registry if text.strip() else Registry()


def _stage(path: Path, number: int) -> str | None:
    """Return the text that git's index holds while a conflict is open, or None: 1 of the ancestor, 2 ours, 3 theirs."""
    if not in_repository(path.parent):
        return None
    raw = read_staged(f"./{path.name}", number, folder=path.parent)
    try:
        return decode(raw, str(path)) if raw is not None else None
    except RegistryError:
        return None


def _merge_lines(ours: str, base: str, theirs: str) -> str | None:
    """Merge three texts line by line with ours where they meet, as git does; None where that is not possible."""
    merged = _git_merge_file(["--ours"], ours, base, theirs)
    return merged[1] if merged[0] == 0 else None


def _line_conflict(base: str, ours: str, theirs: str, size: int) -> str:
    """Return git's own conflict of lines; both sides in full where git finds none, so that markers remain."""
    conflicts, text = _git_merge_file(["--diff3", f"--marker-size={size}"], ours, base, theirs)
    return text if 0 < conflicts < 128 else conflict(ours, theirs, size=size)


def _git_merge_file(options: list[str], ours: str, base: str, theirs: str) -> tuple[int, str]:
    with tempfile.TemporaryDirectory(prefix="extreg-") as folder:
        names = []
        for name, text in (("ours", ours), ("base", base), ("theirs", theirs)):
            _put(str(Path(folder, name)), text)
            names.append(name)
        try:
            merged = run_git(["merge-file", "-p", "-q", *options, *names], folder=folder)
        except ExtregError:  # no git to run, as when a file with markers came from elsewhere
            return 255, ""
    return merged.returncode, merged.stdout.decode(errors="surrogateescape")


def _whole_conflict(ours: str, theirs: str, size: int) -> str:
    """Return both sides whole, between markers: quick to make, and sure to lose nothing."""
    mine, other = (text if text.endswith("\n") or not text else text + "\n" for text in (ours, theirs))
    return f"{'<' * size} ours\n{mine}{'=' * size}\n{other}{'>' * size} theirs\n"


def _put(path: str, text: str) -> None:
    """Replace a file of git's in one step: who is killed, or out of space, leaves what was there.

    Git opens the file by its name when the driver has ended (ll_ext_merge in ll-merge.c).
    """
    new = f"{path}.{secrets.token_hex(4)}"
    try:
        Path(new).write_bytes(text.encode(errors="surrogateescape"))
        Path(new).replace(path)
    except BaseException:
        Path(new).unlink(missing_ok=True)
        raise


def _text(path: Path) -> str:
    try:
        return read_text(path)
    except OSError as error:
        raise UnreadableError(f"cannot read {path}: {error.strerror}") from None
