"""Telling git about the merge driver: one line in .gitattributes, five in the repository's configuration."""

import shlex
import shutil
import sys
from pathlib import Path
from typing import NamedTuple

from extreg.errors import ExtregError, UnreadableError
from extreg.files.git import run_git
from extreg.files.locking import locked
from extreg.files.write import explained, write
from extreg.startup.sources import NAME

DRIVER = "extreg"
ANCESTORS = (
    "extreg-ancestors"  # a second driver, for merges of merge bases that git makes on the way (gitattributes(5))
)


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
        f"merge.{DRIVER}.driver": f"{command} merge-driver --marker-size %L %O %A %B %P",
        f"merge.{DRIVER}.recursive": ANCESTORS,
        f"merge.{ANCESTORS}.name": "common ancestors of pickle extension codes",
        f"merge.{ANCESTORS}.driver": f"{command} merge-driver --ancestors %O %A %B %P",
    }


def _attribute(top: Path, prefix: str, name: str, folder: Path) -> Step:
    checked = run_git(["check-attr", "-z", "merge", "--", name], folder=folder)
    done = checked.stdout.split(b"\0")[2:3] == [DRIVER.encode()]
    pattern = name if name == NAME else f"/{prefix}{name}"
    if any(character.isspace() for character in pattern):
        pattern = f'"{pattern}"'
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
