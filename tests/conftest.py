"""Fixtures that several folders of tests share."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

try:
    from hypothesis import settings
except ImportError:  # the tests that need it say so
    settings = None
else:
    # The same examples in every run, however slow the machine: who broke something should be the one who sees it.
    settings.register_profile("extreg", deadline=None, derandomize=True, database=None)
    settings.load_profile("extreg")

# Projects that tests look at, some of which have tests of their own.
collect_ignore = ["cases"]

Run = Callable[..., "subprocess.CompletedProcess[str]"]

# What would lead the command line, its colours or its output elsewhere than a test means it to go, and what a
# developer's machine may set and a user's does not.
HIDDEN = (
    "EXTREG_REGISTRY",
    "EXTREG_ON_CONFLICT",
    "NO_COLOR",
    "FORCE_COLOR",
    "COLUMNS",
    "PYTHONBREAKPOINT",
    "PYTHONDEVMODE",
    "PYTHONDONTWRITEBYTECODE",
    "PYTHONIOENCODING",
    "PYTHONOPTIMIZE",
    "PYTHONUNBUFFERED",
    "PYTHONUTF8",
    "PYTHONWARNINGS",
    "PYTHONHASHSEED",
    "PYTHONPATH",
    "PYTHONPYCACHEPREFIX",
    "PYTHONSAFEPATH",
)


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the variables of whoever runs the tests out of them."""
    for name in HIDDEN:
        monkeypatch.delenv(name, raising=False)


@pytest.fixture(scope="session", autouse=True)
def _no_pyproject_above(tmp_path_factory: pytest.TempPathFactory) -> None:
    """End every search upward for a pyproject.toml below what stands in the temporary folder or in the root.

    One that says nothing is as none.  A registry.toml up there nothing can hide: see `nothing_above`.
    """
    (tmp_path_factory.getbasetemp() / "pyproject.toml").touch()


@pytest.fixture
def run_extreg(tmp_path: Path) -> Run:
    """Run the command line in a process of its own, in `tmp_path`, and return the completed process."""

    def run(*arguments: str, cwd: Path = tmp_path, env: dict[str, str] | None = None, **options: object) -> object:
        return subprocess.run(
            [sys.executable, "-m", "extreg", *map(str, arguments)],
            cwd=cwd,
            env={**os.environ, **(env or {})},
            capture_output=True,
            encoding="utf-8",
            timeout=60,
            check=False,
            **options,
        )

    return run  # type: ignore[return-value]


@pytest.fixture
def registry_file(tmp_path: Path) -> Path:
    """An empty registry.toml in `tmp_path`."""
    path = tmp_path / "registry.toml"
    path.write_bytes(b"format = 1\n\n[codes]\n")
    return path
