import pytest

from extreg.testing import isolated


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
