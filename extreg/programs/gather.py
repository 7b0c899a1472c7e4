"""The files of a project read for `extreg.programs.whole`: sources, and what starts them."""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from extreg.programs.conduct import read_file
from extreg.programs.whole import Project, is_aside
from extreg.targets.fetches import parse
from extreg.targets.trees import Sources

_STARTS = re.compile(r"\b(?:from|import)\b[^\n]*\b(?:celery|distributed|multiprocessing|concurrent)\b")
_OURS = re.compile(r"\bextreg\b")
_HELPS = re.compile(rb"extreg[ .](?:auto|autoload|run)\b|extreg\.workers\b")
_LARGEST = 200_000  # bytes of a file that starts programs
_SUFFIXES = frozenset(
    {
        ".cfg",
        ".conf",
        ".env",
        ".ini",
        ".json",
        ".service",
        ".sh",
        ".toml",
        ".yaml",
        ".yml",
        ".dockerfile",
        ".bat",
        ".ps1",
    }
)
_NAMED = ("dockerfile", "containerfile", "procfile", "makefile", "justfile", "tox.ini")
_SKIPPED = frozenset({"node_modules", "site-packages", "__pycache__"})


def read_project(
    folder: Path, files: Iterable[Path], sources: Sources, pyproject: Mapping[str, Any], shown: str = ""
) -> Project:
    """Return what the Python `files` below `folder` do about codes in processes; nothing of them is run.

    `pyproject` is what the project's pyproject.toml says, `shown` what messages call the folder.
    """
    paths = {file.relative_to(folder).as_posix(): file for file in files}
    texts = {path: sources.text(str(file)) for path, file in paths.items() if not is_aside(path)}
    starting = {path for path, text in texts.items() if _STARTS.search(text)}
    if not starting:
        return Project({}, {}, folder=shown)
    # What imports what matters where something installs, and nowhere else.
    wanted = texts if any(map(_OURS.search, texts.values())) else starting
    found = {}
    for path in wanted:
        tree = parse(texts[path])
        if tree is not None:
            module = sources.module_name(str(paths[path])) or ""
            found[path] = read_file(tree, module, is_package=path.endswith("__init__.py"))
    return Project(found, texts, _entry_points(pyproject), helped=_is_helped(folder), folder=shown)


def _entry_points(pyproject: Mapping[str, Any]) -> Iterator[str]:
    """Yield the functions that scripts of the project call."""
    project = pyproject.get("project")
    tool = pyproject.get("tool")
    poetry = tool.get("poetry") if isinstance(tool, dict) else None
    for table in (project, poetry):
        for kind in ("scripts", "gui-scripts"):
            scripts = table.get(kind) if isinstance(table, dict) else None
            for value in scripts.values() if isinstance(scripts, dict) else ():
                if isinstance(value, str):
                    yield value.partition("[")[0].strip().replace(":", ".")


def _is_helped(folder: Path) -> bool:
    """Whether a file that starts programs mentions what gives them codes."""
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name not in _SKIPPED)
        for name in names:
            if not (name.lower().startswith(_NAMED) or Path(name).suffix.lower() in _SUFFIXES or name == ".env"):
                continue
            path = Path(root, name)
            try:
                if path.stat().st_size <= _LARGEST and _HELPS.search(path.read_bytes()):
                    return True
            except OSError:
                continue
    return False
