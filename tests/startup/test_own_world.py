"""The tests of discovery pass whatever stands in the temporary folder and in the environment of whoever runs them."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

TESTS = Path(__file__).parent.parent
CHOSEN = (
    "startup/test_install.py",
    "startup/test_archives.py::test_an_archive_without_a_registry_says_where_was_looked",
    "startup/test_cache.py::test_compile_writes_what_a_start_would_and_check_tells",
    "startup/test_strangers.py::test_ones_own_is_taken",
    "files/test_malformed.py::test_in_a_process_of_its_own",
)


def test_neither_a_registry_above_nor_the_environment_leads_a_test_astray(tmp_path):
    (tmp_path / "registry.toml").write_text('format = 1\n[codes]\n333 = "somebody:Else"\n')
    (tmp_path / "pyproject.toml").write_text('[tool.extreg]\nregistry = "nowhere.toml"\n')
    hostile = {
        "TMPDIR": str(tmp_path),
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONPYCACHEPREFIX": str(tmp_path / "prefix"),
        "PYTHONSAFEPATH": "1",
        "EXTREG_REGISTRY": str(tmp_path / "nowhere.toml"),
        "EXTREG_ON_CONFLICT": "nonsense",
    }
    line = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-o", "addopts=--import-mode=importlib"]
    done = subprocess.run(
        [*line, *(str(TESTS / chosen) for chosen in CHOSEN)],
        cwd=TESTS.parent,
        env={**os.environ, **hostile},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:]
