import os

import pytest

from extreg.testing import isolated

# Makes a process blind to every registry outside of one folder, and to what names one.  Nothing else can: the folders
# above the temporary one are the machine's, up to the root.
BLINKERS = """
import os
class Blind:  # a function would become a method of the pathlib of Python 3.10
    def __init__(self, look):
        self.look = look
    def __call__(self, path, *rest, **named):
        name = os.fspath(path) if not isinstance(path, int) else ""
        if os.path.basename(name) in {names!r} and not os.path.abspath(name).startswith({world!r}):
            raise FileNotFoundError(2, "out of this world", path)
        return self.look(path, *rest, **named)
os.stat, os.lstat, os.open = Blind(os.stat), Blind(os.lstat), Blind(os.open)
"""


@pytest.fixture(autouse=True)
def untouched_copyreg(monkeypatch):
    """Each test starts with empty dictionaries and no registry in the environment, and leaves them as they were."""
    monkeypatch.delenv("EXTREG_REGISTRY", raising=False)
    monkeypatch.delenv("EXTREG_ON_CONFLICT", raising=False)
    with isolated(empty=True):
        yield


@pytest.fixture
def write(tmp_path):
    """Write a registry file and return its path."""

    def write(text: str, name: str = "registry.toml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"format = 1\n{text}")
        return path

    return write


@pytest.fixture
def nothing_above(tmp_path, tmp_path_factory, monkeypatch):
    """Let no process that the test starts find a registry.toml or pyproject.toml above `tmp_path`."""
    folder = tmp_path_factory.mktemp("blinkers")
    text = BLINKERS.format(world=os.path.join(tmp_path, ""), names=("registry.toml", "pyproject.toml"))
    (folder / "sitecustomize.py").write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(folder))
