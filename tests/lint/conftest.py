"""A project with a registry in a git repository, and extreg as its users run it."""

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from types import MappingProxyType

import pytest

REGISTRY = 'format = 1\n\n[codes]\n300 = "shop.models:Order"\n301 = "shop.models:Basket"\n'
MODELS = "class Order:\n    pass\n\n\nclass Basket:\n    pass\n"

Run = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A clean project: package, registry, pyproject.toml."""
    folder = tmp_path / "project"
    (folder / "shop").mkdir(parents=True)
    (folder / "shop" / "__init__.py").write_text("from .models import Order\n")
    (folder / "shop" / "models.py").write_text(MODELS)
    (folder / "registry.toml").write_text(REGISTRY)
    (folder / "pyproject.toml").write_text('[project]\nname = "shop"\nrequires-python = ">=3.10"\n')
    return folder


@pytest.fixture
def extreg(project: Path) -> Run:
    """Run the command line in the project as a process of its own."""
    inherited = {key: value for key, value in os.environ.items() if not key.startswith(("EXTREG", "PYTHONPATH"))}

    def run(
        *arguments: str, cwd: Path = project, environment: Mapping[str, str] = MappingProxyType({})
    ) -> "subprocess.CompletedProcess[str]":
        command = [sys.executable, "-m", "extreg", *arguments]
        return subprocess.run(command, cwd=cwd, env={**inherited, **environment}, capture_output=True, text=True)

    return run


@pytest.fixture
def git(project: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., str]:
    """Run git in the project, which is a repository with one commit."""
    for key in ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE"):
        monkeypatch.delenv(key, raising=False)
    for key in ("AUTHOR", "COMMITTER"):
        monkeypatch.setenv(f"GIT_{key}_NAME", "A Tester")
        monkeypatch.setenv(f"GIT_{key}_EMAIL", "tester@example.org")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", os.devnull)
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")

    def run(*arguments: str, cwd: Path = project) -> str:
        done = subprocess.run(["git", *arguments], cwd=cwd, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        return done.stdout.strip()

    run("init", "--quiet", "--initial-branch=main")
    run("add", ".")
    run("commit", "--quiet", "-m", "first")
    return run
