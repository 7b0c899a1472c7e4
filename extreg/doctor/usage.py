"""Which kinds of processes a project's sources speak of."""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

_PROCESSES = re.compile(rb"\bmultiprocessing\b|\bProcessPoolExecutor\b")
_METHODS = re.compile(rb"""(?:set_start_method|get_context)\(\s*["'](spawn|forkserver|fork)["']""")
_LOKY = re.compile(rb"^\s*(?:from|import)\s+(?:loky|joblib)\b", re.MULTILINE)
_INTERPRETERS = re.compile(rb"\bInterpreterPoolExecutor\b")
_INITIALIZER = re.compile(rb"\bextreg\.workers\b.*\binitializer\b|\bworkers\.initializer\b", re.DOTALL)
_SKIPPED = frozenset({"node_modules", "site-packages", "__pycache__", "build", "dist"})
_MOST, _LARGEST = 5_000, 1_000_000  # files, and bytes of one


class Usage(NamedTuple):
    """What sources speak of: processes, by which start ``methods`` (none: nobody says), and pools of other kinds.

    ``initializer`` tells that they give ours to their pools.
    """

    processes: bool
    methods: frozenset[str]
    loky: bool
    interpreters: bool
    initializer: bool


def usage_of(folder: Path, main: str | None) -> Usage:
    """Return what the Python files below `folder`, and the script `main`, speak of."""
    texts = [*_texts(folder)]
    if main is not None and not Path(main).is_relative_to(folder):
        texts.append(Path(main).read_bytes())
    return Usage(
        processes=any(map(_PROCESSES.search, texts)),
        methods=frozenset(method.decode() for text in texts for method in _METHODS.findall(text)),
        loky=any(map(_LOKY.search, texts)),
        interpreters=any(map(_INTERPRETERS.search, texts)),
        initializer=any(map(_INITIALIZER.search, texts)),
    )


def _texts(folder: Path) -> Iterator[bytes]:
    count = 0
    for root, folders, names in os.walk(folder):
        folders[:] = sorted(
            name
            for name in folders
            if not name.startswith(".") and name not in _SKIPPED and not Path(root, name, "pyvenv.cfg").exists()
        )
        for name in names:
            path = Path(root, name)
            if path.suffix == ".py" and count < _MOST and path.is_file() and path.stat().st_size <= _LARGEST:
                count += 1
                yield path.read_bytes()
