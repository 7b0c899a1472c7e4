import copyreg

import pytest

import extreg


def snapshot() -> tuple[dict, dict, dict]:
    return (dict(copyreg._extension_registry), dict(copyreg._inverted_registry), dict(copyreg._extension_cache))


@pytest.fixture(autouse=True)
def untouched_copyreg(monkeypatch):
    """Each test starts with empty dictionaries and no registry in the environment, and leaves them so."""
    monkeypatch.delenv("EXTREG_REGISTRY", raising=False)
    monkeypatch.delenv("EXTREG_ON_CONFLICT", raising=False)
    saved = snapshot()
    tables = (copyreg._extension_registry, copyreg._inverted_registry, copyreg._extension_cache)
    for table in tables:
        table.clear()
    yield
    extreg.uninstall()
    for table, content in zip(tables, saved, strict=True):
        table.clear()
        table.update(content)


@pytest.fixture
def write(tmp_path):
    """Write a registry file and return its path."""

    def write(text: str, name: str = "registry.toml"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"format = 1\n{text}")
        return path

    return write
