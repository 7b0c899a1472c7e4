"""The files that make a start of Python install a registry: what is in them, and writing and removing them.

There are three.  Up to CPython 3.17 a line of the ``.pth`` is run; where there is a ``.start`` of its name, which 3.15
knows (PEP 829), that alone counts, and from 3.18 on nothing else.  It can only name a function without arguments, and a
module that is missing would be a traceback at every start; so both call a small module beside them, which goes without
extreg where that is gone.  Its name sorts behind the ``.pth`` files of editable installs, before which there may be no
extreg.  In virtual environments up to 3.14, ``site`` runs every ``.pth`` twice.
"""

import ast
import sys
from pathlib import Path
from typing import NamedTuple

from extreg import __version__
from extreg.autoload import SWITCH, as_here
from extreg.disk.atomic import explained, write

MODULE = "zzz_extreg_autoload"
SUFFIXES = (".py", ".pth", ".start")  # in the order in which they are written
_TEXTS = {
    ".py": '''\
"""Installs the codes of a registry whenever this Python starts: written by `extreg autoload enable`.

`extreg autoload status` says how that goes, and `extreg autoload disable` takes it away.
"""

import os
import sys

EXTREG = {version!r}
REGISTRY = {registry!r}
GATED = {gated!r}  # only where {switch}=1
_started = False


def start():
    """Install the registry, once, unless it is switched off."""
    global _started
    switch = None if sys.flags.ignore_environment else os.environ.get({switch!r})
    if _started or switch == "0" or (GATED and switch != "1"):
        return
    _started = True
    try:
        from extreg.autoload import start
    except ImportError:  # extreg is no longer here, and nobody else is to suffer for that
        return
    start(REGISTRY, os.path.dirname(__file__))
''',
    ".pth": """\
# Written by `extreg autoload enable`; see {module}.py.
import sys; exec("try: from {module} import start\\nexcept ImportError: pass\\nelse: start()")
""",
    ".start": """\
# Written by `extreg autoload enable`; see {module}.py.
{module}:start
""",
}


class Settings(NamedTuple):
    """What is enabled: the ``registry``'s absolute path, whether it is ``gated``, by which ``version`` of extreg."""

    registry: str
    gated: bool
    version: str = __version__


def write_files(folder: Path, settings: Settings) -> None:
    """Write the three files into `folder`; raises `ExtregError` where that fails."""
    for suffix, path in paths(folder).items():
        data = _text(suffix, settings).encode()
        was = path.read_bytes() if path.exists() else None
        if was != data:
            with explained(path):
                write(path, data, was=was)


def remove_files(folder: Path) -> list[Path]:
    """Remove those of the files that are in `folder`, the ones that start something first; return which."""
    found = present(folder)
    for path in reversed(found):
        with explained(path):
            path.unlink()
    remove_bytecode(folder)
    return found


def remove_bytecode(folder: Path) -> None:
    """Remove what Pythons have compiled of the files that are, or were, in `folder`."""
    for path in (folder / "__pycache__").glob(f"{MODULE}.*.pyc"):
        path.unlink(missing_ok=True)


def present(folder: Path) -> list[Path]:
    """Return those of the files that are in `folder`."""
    return [path for path in paths(folder).values() if path.is_file()]


def paths(folder: Path) -> dict[str, Path]:
    """Return where the files are, or would be, in `folder`."""
    return {suffix: folder / f"{MODULE}{suffix}" for suffix in SUFFIXES}


def settings_in(folder: Path) -> Settings | None:
    """Return what the files in `folder` were written for; None where there is none that says it."""
    try:
        tree = ast.parse((folder / f"{MODULE}.py").read_text(encoding="utf-8"))
        values = {
            node.targets[0].id: ast.literal_eval(node.value)
            for node in tree.body
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name)
        }
        return Settings(as_here(str(values["REGISTRY"])), bool(values["GATED"]), str(values["EXTREG"]))
    except (OSError, ValueError, SyntaxError, KeyError):
        return None


def altered(folder: Path, settings: Settings) -> list[Path]:
    """Return those of the files that are not as this extreg writes them for the `settings`."""
    expected = {path: _text(suffix, settings).encode() for suffix, path in paths(folder).items()}
    return [path for path in present(folder) if path.read_bytes() != expected[path]]


def heeded() -> tuple[str, ...]:
    """Return the suffixes of the files that this Python heeds."""
    return (
        (".start",) if sys.version_info >= (3, 18) else (".pth", ".start") if sys.version_info >= (3, 15) else (".pth",)
    )


def _text(suffix: str, settings: Settings) -> str:
    filled = {"version": settings.version, "registry": settings.registry, "gated": settings.gated}
    return _TEXTS[suffix].format(module=MODULE, switch=SWITCH, **filled)
