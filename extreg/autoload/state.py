"""Whether codes are loaded at every start of this environment: switching it on and off, and what is wrong with it."""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from extreg import __version__
from extreg.autoload import SWITCH
from extreg.autoload.environment import Environment, refuse_unwritable, start_folders, this_environment
from extreg.autoload.site_files import (
    MODULE,
    Settings,
    altered,
    heeded,
    paths,
    present,
    remove_bytecode,
    remove_files,
    settings_in,
    write_files,
)
from extreg.autoload.trial import Start, try_start
from extreg.errors import ExtregError, UnreadableError
from extreg.project.effective import layers_of
from extreg.startup.strangers import refuse_strange_folders


class Trouble(NamedTuple):
    """Something wrong, and what to type or do about it."""

    message: str
    cure: str


class State(NamedTuple):
    """What a folder of the environment makes of each start.

    ``kind`` is ``on``, ``off`` or ``stale``; ``settings`` are what was enabled, ``start`` what a start of this Python
    had, where either is known; ``troubles`` say why it is stale.
    """

    environment: Environment
    kind: str
    settings: Settings | None = None
    start: Start | None = None
    troubles: tuple[Trouble, ...] = ()


_SAID = "extreg: autoload: "
_AGAIN = "extreg autoload enable"


def enable(registry: Path, *, gated: bool) -> State:
    """Let every start of this environment install the file `registry`, and try that; where it fails, undo it.

    With `gated`, only where ``EXTREG_AUTOLOAD=1`` is set.  Raises `RegistryError` and `UnreadableError` for the file,
    also one that may be a stranger's, and `ExtregError` where the environment cannot or should not be written, or a
    start fails.
    """
    environment = this_environment()
    refuse_unwritable(environment)
    path = os.path.abspath(registry)  # noqa: PTH100 - without resolving links, which may be meant to change
    _refuse_what_cannot_be_read(path)
    layers_of(path)
    refuse_strange_folders(path, str(environment.folder))
    folder = environment.folder
    before = {file: file.read_bytes() for file in present(folder)}
    try:
        write_files(folder, Settings(path, gated))
        start = _proved(path, try_start(folder))
    except BaseException:
        _put_back(folder, before)
        raise
    return State(environment, "on", Settings(path, gated), start)


def _proved(registry: str, start: Start) -> Start:
    """Return `start`; raise `ExtregError` unless it installed the `registry`."""
    if registry not in start.installed:
        raise ExtregError(f"a start with it has no codes; nothing was changed: {_why(start)}", _cure_of(start))
    return start


def disable() -> list[Path]:
    """Remove from this environment, and from the user site, what `enable` wrote; return the files removed."""
    found = [path for folder in _folders() for path in present(folder)]
    for folder in {path.parent: None for path in found}:
        if not os.access(folder, os.W_OK | os.X_OK):
            raise ExtregError(
                f"{folder} may not be written by you, and makes every start install a registry",
                f"as its owner: extreg autoload disable; for one program: {SWITCH}=0",
            )
    return [path for folder in _folders() for path in remove_files(folder)]


def states() -> list[State]:
    """Return how it stands in each folder that has files of ours; one that says ``off`` where there are none."""
    own = this_environment()
    found = [
        _state(own if folder == own.folder else Environment(folder, f"the folder {folder}"))
        for folder in _folders()
        if present(folder)
    ]
    return found or [State(own, "off")]


def _folders() -> list[Path]:
    return list(dict.fromkeys([this_environment().folder, *start_folders()]))


def _state(environment: Environment) -> State:
    folder = environment.folder
    settings = settings_in(folder)
    start = try_start(folder)
    troubles = tuple(_troubles(folder, settings, start))
    return State(environment, "stale" if troubles else "on", settings, start, troubles)


def _troubles(folder: Path, settings: Settings | None, start: Start) -> Iterator[Trouble]:
    missing = [path for path in paths(folder).values() if not path.is_file()]
    if missing:
        idle = "" if {path.suffix for path in missing}.isdisjoint({".py", *heeded()}) else "; so nothing is installed"
        yield Trouble(f"{' and '.join(path.name for path in missing)} is missing in {folder}{idle}", _AGAIN)
    if settings is None:
        if folder / f"{MODULE}.py" not in missing:
            yield Trouble(f"{folder / MODULE}.py does not say what it installs", _AGAIN)
        return
    again = _again(settings)
    if settings.version != __version__:
        yield Trouble(f"it was written by extreg {settings.version}, and this is {__version__}", again)
    elif altered(folder, settings):
        names = ", ".join(path.name for path in altered(folder, settings))
        yield Trouble(f"{names} is not as extreg writes it", again)
    strange = _strange(paths(folder)[".py"], folder)
    if strange is not None:
        yield strange
    yield from _troubles_of_start(settings, start)


def _troubles_of_start(settings: Settings, start: Start) -> Iterator[Trouble]:
    registry = Path(settings.registry)
    if not registry.is_file():
        yield Trouble(
            f"{registry} is not there",
            "extreg autoload enable --path FILE, where it is now, or extreg autoload disable",
        )
    elif start.ran and start.extreg is None:
        yield Trouble(
            "a start of this Python finds no extreg", "install it into this environment, or extreg autoload disable"
        )
    elif start.extreg is not None and start.extreg[0] != __version__:
        yield Trouble(
            f"a start of this Python finds extreg {start.extreg[0]} in {start.extreg[1]}, and this is {__version__}",
            "install one of them into this environment",
        )
    elif start.ran and settings.registry not in start.installed:
        yield Trouble(_why(start), _cure_of(start))


def _strange(path: Path, folder: Path) -> Trouble | None:
    try:
        refuse_strange_folders(str(path), str(folder))
    except UnreadableError as error:
        return Trouble(error.message, error.hint)
    except OSError:  # which was said to be missing
        pass
    return None


def _again(settings: Settings) -> str:
    return f"{_AGAIN} --path {settings.registry}{' --gated' if settings.gated else ''}"


def _why(start: Start) -> str:
    """Return what a start said that has no codes, as far as one line holds it."""
    ours = [line for line in start.said.splitlines() if line.startswith(_SAID)]
    said = (
        ours[0].removeprefix(_SAID).partition(": going on without codes")[0] if ours else start.said.partition("\n")[0]
    )
    return said or "it says nothing"


def _cure_of(start: Start) -> str:
    if not start.ran:
        return "extreg autoload status says whether this Python looks there; extreg run -- COMMAND does without"
    return "extreg lint says more of a registry that cannot be read; extreg autoload disable goes without"


def _refuse_what_cannot_be_read(path: str) -> None:
    if not Path(path).is_file():
        raise UnreadableError(f"{path} is no file", "name one that every start can read: --path FILE")


def _put_back(folder: Path, before: dict[Path, bytes]) -> None:
    for path in present(folder):
        if path in before:
            path.write_bytes(before[path])
        else:
            path.unlink()
    remove_bytecode(folder)  # of a start that was tried
