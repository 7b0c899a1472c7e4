"""The rules on processes, on public projects that use these engines: what they find there was looked at by hand.

Each is a source distribution with a registry put beside it, in which a code is live.  None of them installs, so that
what is found is so; and nothing is found of clients, of apps that no worker is started with, of threads, and of tests.
"""

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from extreg import lint

pytestmark = pytest.mark.soak

RULES = ("late-install", "engine-without-codes", "unpackaged-registry")
REGISTRY = 'format = 1\n\n[codes]\n300 = "collections:OrderedDict"\n'
CELERY = "Celery app"
POOL = "process pool"
FOUND = {
    "apache-superset==6.1.0": [("superset/extensions/__init__.py", 136, CELERY)],  # celery --app=superset.tasks...
    "black==26.10.1": [("src/black/concurrency.py", 123, POOL), ("src/blackd/__init__.py", 123, POOL)],
    "celery-director==0.10.0": [],  # its app is of a class of its own
    "dask-ml==2025.1.0": [],  # clients in docstrings and tests
    "distributed==2026.8.0": [],
    "django-celery-results==2.6.0": [],  # apps in tests
    "featuretools==1.31.0": [],  # a client of a cluster that it is given
    "flower==2.2.0": [],  # makes apps to watch others
    "girder-worker==5.0.21": [("girder_worker/app.py", 239, CELERY)],
    "jobtastic==2.1.1": [],
    "prefect-dask==0.3.7": [],
    "pylint==4.1.4": [],  # its pool has an initializer
    "sphinx==9.0.4": [],  # processes of its own, by fork
    "TPOT==1.1.0": [("tpot/evolvers/base_evolver.py", 458, "Dask cluster")],
    "yapf==0.43.0": [("yapf/__init__.py", 204, POOL)],
}


@pytest.mark.parametrize("requirement", FOUND)
def test_findings_are_those_that_were_judged(requirement: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    download = [sys.executable, "-m", "pip", "download", "-q", "--no-deps", "--no-binary", ":all:", requirement]
    subprocess.run(download, cwd=tmp_path, check=True)
    (archive,) = tmp_path.glob("*.tar.gz")
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path / "tree", filter="data")
    (project,) = (tmp_path / "tree").iterdir()
    (project / "registry.toml").write_text(REGISTRY)
    monkeypatch.chdir(project)
    found = [(finding.path, finding.line, finding.message) for finding in lint(select=RULES)]
    expected = FOUND[requirement]
    assert [(path, line) for path, line, _ in found] == [(path, line) for path, line, _ in expected]
    assert all(what in message for (_, _, message), (_, _, what) in zip(found, expected, strict=True))
