"""Telling git about the merge driver: one line in .gitattributes, five in the repository's configuration."""

import os
import re
import shlex
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

from extreg.disk.atomic import explained, write
from extreg.disk.locking import locked
from extreg.errors import ExtregError, UnreadableError
from extreg.project.git import run_git
from extreg.startup import NAME

DRIVER = "extreg"
ANCESTORS = (
    "extreg-ancestors"  # a second driver, for merges of merge bases that git makes on the way (gitattributes(5))
)

# What git's shell does when extreg failed.  Above 128 git itself stops (ll-merge.c).  Otherwise extreg has left its
# markers; if there are none it never ran, because the environment that it was installed in is gone, and git would take
# ours for the merged file, without markers.  Then the lines are merged as git does it without a driver, into a file of
# their own first: git merge-file empties what it writes in place, and a full disk would leave it so.
_LINE_BY_LINE = (
    '{ s=$?; test $s -gt 128 && exit $s; grep -q "^<<<<<<<" %A && exit 1; '
    "echo 'extreg: the merge driver could not run; merging by lines; mend it with: extreg git-setup' >&2; "
    "git merge-file -p --marker-size=%L -L ours -L base -L theirs %A %O %B > %A.lines; s=$?; "
    "test $s -lt 128 && mv -f %A.lines %A || { rm -f %A.lines; exit 129; }; test $s -eq 0; }"
)
_THE_ANCESTOR = "{ s=$?; test $s -gt 128 && exit $s; cp -f %O %A.copy && mv -f %A.copy %A || exit 129; }"


class Step(NamedTuple):
    """One part of the set-up: ``name`` and the ``value`` it needs; ``done`` says that it had it already."""

    name: str
    value: str
    done: bool


def setup(registry: Path, *, command: str | None = None, check: bool = False) -> list[Step]:
    """Set git up to merge the file at `registry` with extreg, or only look with `check`; return every step.

    `command` is how git's shell calls extreg (default: this very installation, by its absolute path).  Doing it twice
    is doing it once.  Raises `UnreadableError` outside of a git repository, `ExtregError` when git refuses.
    """
    folder = registry.absolute().parent
    if not folder.is_dir():
        raise UnreadableError(f"there is no folder {folder}", "extreg init writes a new registry")
    found = run_git(["rev-parse", "--show-toplevel", "--show-prefix"], folder=folder)
    if found.returncode != 0:
        raise UnreadableError(f"{folder} is in no git work tree", "git init, or run inside the repository")
    top, prefix = found.stdout.decode().split("\n")[:2]
    steps = [_attribute(Path(top), prefix, registry.name, folder)]
    steps += [_setting(name, value, folder) for name, value in _settings(command or own_command()).items()]
    if not check:
        for step in reversed(steps):  # the file last: when it is written, all is done
            if not step.done:
                _do(step, Path(top), folder)
    return steps


def own_command() -> str:
    """Return how a shell calls this installation of extreg, wherever it stands.

    The script rather than ``python -m extreg``: that would put the repository, where git runs drivers, on the import
    path, and a file such as json.py in it would be run.
    """
    script = shutil.which("extreg", path=str(Path(sys.executable).parent)) or shutil.which("extreg")
    if script is not None:
        return shlex.quote(Path(script).absolute().as_posix())
    return f"{shlex.quote(Path(sys.executable).as_posix())} -I -m extreg"


def _settings(command: str) -> dict[str, str]:
    return {
        f"merge.{DRIVER}.name": "pickle extension codes by meaning",
        f"merge.{DRIVER}.driver": f"{command} merge-driver --marker-size %L -- %O %A %B %P || {_LINE_BY_LINE}",
        f"merge.{DRIVER}.recursive": ANCESTORS,
        f"merge.{ANCESTORS}.name": "common ancestors of pickle extension codes",
        f"merge.{ANCESTORS}.driver": f"{command} merge-driver --ancestors -- %O %A %B %P || {_THE_ANCESTOR}",
    }


def _attribute(top: Path, prefix: str, name: str, folder: Path) -> Step:
    checked = run_git(["check-attr", "-z", "merge", "--", name], folder=folder)
    done = checked.stdout.split(b"\0")[2:3] == [DRIVER.encode()]
    pattern = name if name == NAME else re.sub(r"([\\*?\[])", r"\\\1", f"/{prefix}{name}")
    if any(character.isspace() for character in pattern):
        quoted = re.sub(r'(["\\])', r"\\\1", pattern)  # a string as in C, around the pattern
        pattern = f'"{quoted}"'
    return Step(str(top / ".gitattributes"), f"{pattern} merge={DRIVER}", done)


def _setting(name: str, value: str, folder: Path) -> Step:
    found = run_git(["config", "--get", name], folder=folder)
    return Step(name, value, found.returncode == 0 and found.stdout.decode(errors="replace").rstrip("\n") == value)


def _do(step: Step, top: Path, folder: Path) -> None:
    attributes = top / ".gitattributes"
    if step.name == str(attributes):
        _append(attributes, step.value)
        return
    done = run_git(["config", "--local", step.name, step.value], folder=folder)
    if done.returncode != 0:
        raise ExtregError(f"git config {step.name}: {done.stderr.decode(errors='replace').strip()}")


def _append(path: Path, line: str) -> None:
    with locked(path), explained(path):
        text = path.read_bytes() if path.exists() else None
        before = text or b""
        end = b"\r\n" if b"\r\n" in before else b"\n"
        if before and not before.endswith(b"\n"):
            before += end
        write(path, before + line.encode() + end, was=text)


def driver_trouble(registry: Path) -> str | None:
    """Say what keeps this clone from merging the file at `registry` by meaning, which its .gitattributes ask for.

    None where all is well, nothing asks for it, or there is no git to ask.  Two processes.
    """
    folder = registry.absolute().parent
    try:
        asked = run_git(["check-attr", "-z", "merge", "--", registry.name], folder=folder)
        if asked.stdout.split(b"\0")[2:3] != [DRIVER.encode()]:
            return None
        found = run_git(["config", "--get", f"merge.{DRIVER}.driver"], folder=folder)
    except UnreadableError:
        return None
    if found.returncode != 0:
        return "this clone's git has no merge driver for it, which .gitattributes ask for"
    command = found.stdout.decode(errors="replace").strip()
    try:
        program = shlex.split(command)[0]
    except (ValueError, IndexError):
        return f"this clone's merge driver is no command: {command}"
    missing = _missing(program)
    return f"this clone's merge driver cannot run: there is no {missing}" if missing is not None else None


def _missing(program: str) -> str | None:
    """Return what is not there for `program` to run: itself, or the interpreter that its first line names."""
    found = shutil.which(program)
    if found is None:
        return program
    try:
        with Path(found).open("rb") as file:
            first = file.readline(1024)
    except OSError:  # to be run, but not to be read
        return None
    words = first[2:].split() if first.startswith(b"#!") and sys.platform != "win32" else []
    interpreter = os.fsdecode(words[0]) if words else ""
    return interpreter if interpreter and shutil.which(interpreter) is None else None
