"""Environments of their own: made without pip in a moment, they see extreg and what the tests have by a ``.pth``."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from importlib.metadata import distribution
from pathlib import Path

import pytest
import tomli

import extreg

ROWS = 'format = 1\n\n[codes]\n300 = "shop:Order"\n\n[load-only]\n301 = "shop:Basket"\n'
SHOP = """\
class Order:
    def __init__(self, number=0):
        self.number = number

    def __eq__(self, other):
        return type(other) is Order and other.number == self.number


class Basket:
    pass
"""
CODES = "import copyreg; print(sorted(copyreg._inverted_registry))"


@dataclass(frozen=True)
class Environment:
    """A virtual environment, and a project beside it."""

    python: str
    site: Path
    project: Path

    @property
    def registry(self) -> Path:
        return self.project / "registry.toml"

    def run(self, *line, check=True, env=None, **options):
        """Run this environment's Python in the project's folder."""
        done = subprocess.run(
            [self.python, *map(str, line)],
            **{"cwd": self.project, "capture_output": True, "encoding": "utf-8", "timeout": 120, **options},
            env={**os.environ, **(env or {})},
            check=False,
        )
        assert not check or done.returncode == 0, done
        return done

    def extreg(self, *line, check=True, **options):
        return self.run("-m", "extreg", *line, check=check, **options)

    def codes(self, *flags, **options):
        """Return the codes that a program has which never installs them."""
        return json.loads(self.run(*flags, "-c", CODES, **options).stdout.splitlines()[-1])

    def status(self):
        done = self.extreg("autoload", "status", "--format", "json", check=False)
        (found,) = json.loads(done.stdout)["environments"]
        assert done.returncode == (0 if found["state"] == "on" else 1)
        return found

    def files(self):
        return sorted(path.name for path in self.site.rglob("zzz_extreg*"))


def make(folder: Path, *, sees_extreg: bool = True) -> Environment:
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    python = str(folder / "venv" / ("Scripts" if sys.platform == "win32" else "bin") / "python")
    asked = [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"]
    site = Path(subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip())
    if sees_extreg:
        folders = dict.fromkeys(Path(module.__file__).parents[1] for module in (extreg, tomli, pytest))
        folders[Path(distribution("extreg").locate_file(""))] = None
        # Named as editable installs and worse are: what comes first in the alphabet is read first.
        (site / "zz_editable.pth").write_text("\n".join(map(str, folders)) + "\n")
    project = folder / "project"
    project.mkdir()
    (project / "pyproject.toml").touch()  # no other is above it then
    (project / "registry.toml").write_text(ROWS)
    (project / "shop.py").write_text(SHOP)
    return Environment(python, site, project)


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    return make(tmp_path)


@pytest.fixture
def enabled(environment: Environment) -> Environment:
    environment.extreg("autoload", "enable")
    return environment
