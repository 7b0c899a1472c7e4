"""Releases of libraries, each in a folder of its own, installed from wheels and without what they depend on."""

import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from corpus import Library


class UnavailableError(Exception):
    """pip could not install a release; the text is what it said."""


def cache_folder() -> Path:
    """Return where installed releases and their pickles are kept, outside of any repository."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "extreg-state"


def installed(library: Library, release: str, cache: Path) -> Path:
    """Return the folder of a release, installed when it is not there yet."""
    return _install([f"{library.name}=={release}"], cache / library.name / release, sdist=library.sdist)


def needed(library: Library, cache: Path) -> list[Path]:
    """Return the folder with what a library imports, if it imports anything: one for all of its releases."""
    if not library.needs:
        return []
    name = hashlib.sha256("\n".join(library.needs).encode()).hexdigest()[:12]
    return [_install(list(library.needs), cache / library.name / f"needs-{name}", sdist=False)]


def _install(requirements: list[str], folder: Path, *, sdist: bool) -> Path:
    """Install into a folder that appears only when it is complete."""
    if folder.is_dir():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        target = Path(name, "site")
        command = [sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-compile"]
        command += [] if sdist else ["--only-binary", ":all:"]
        command += ["--disable-pip-version-check", "--no-warn-conflicts", "--target", str(target), *requirements]
        done = subprocess.run(command, capture_output=True, encoding="utf-8", check=False)
        if done.returncode:
            lines = [line for line in done.stderr.splitlines() if line.startswith("ERROR")]
            raise UnavailableError(f"{' '.join(requirements)}: {' '.join(lines) or done.stderr[-300:]}")
        shutil.move(target, folder)
    return folder
