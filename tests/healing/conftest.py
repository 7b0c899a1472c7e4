import importlib
import sys

import pytest

from extreg import healing, importhook

MODULES = ("hshop", "hlib")


@pytest.fixture
def project(tmp_path, monkeypatch):
    """Return a function that writes modules; what was imported of them is gone afterwards."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(**sources):
        for name, source in sources.items():
            path = tmp_path.joinpath(*name.split("__"), *([] if "__" in name else ["__init__"])).with_suffix(".py")
            path.parent.mkdir(parents=True, exist_ok=True)
            for folder in path.relative_to(tmp_path).parents:
                if str(folder) != ".":
                    (tmp_path / folder / "__init__.py").touch()
            path.write_text(source)
        importlib.invalidate_caches()
        return tmp_path

    yield write
    for name in [name for name in sys.modules if name.partition(".")[0] in MODULES]:
        del sys.modules[name]


@pytest.fixture
def heal():
    """Return a function that starts the healing of rows; all of it is stopped, and everything as it was, afterwards."""
    finders = list(sys.meta_path)
    owners = []

    def start(**rows):
        owner = object()
        owners.append(owner)
        healing.start(owner, [healing.table_of((former, now) for former, now in rows["rows"].items())])
        return owner

    yield start
    for owner in owners:
        healing.stop(owner)
    assert healing.standing == {}
    assert [finder for finder in sys.meta_path if finder is not importhook.FINDER] == [
        finder for finder in finders if finder is not importhook.FINDER
    ]
    assert [module for module in sys.modules.values() if type(module).__name__ == "StandIn"] == []
