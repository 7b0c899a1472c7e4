"""Long runs: `pytest -m soak`."""

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

pytestmark = pytest.mark.soak
BENCHMARKS = Path(__file__).parent.parent.parent / "benchmarks"


def test_ten_thousand_codes_lint_in_less_than_three_times_what_tomli_needs() -> None:
    done = subprocess.run([sys.executable, BENCHMARKS / "lint_speed.py", "40"], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_false_alarm_on_large_packages() -> None:
    """Needs networkx, pydantic, django, sqlalchemy and sympy, and several minutes."""
    packages = ("networkx", "pydantic", "django", "sqlalchemy", "sympy")
    for package in packages:
        pytest.importorskip(package)
    done = subprocess.run([sys.executable, BENCHMARKS / "lint_accuracy.py", *packages], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def test_lint_says_nothing_that_an_import_refutes_of_public_packages() -> None:
    """Needs the packages that are installed and a minute for each large one.

    pip install numpy scikit-image sqlalchemy django attrs pydantic networkx protobuf google-cloud-storage sphinx \
        zope.interface matplotlib pandas && pytest -m soak tests/lint/test_soak.py -k refutes
    """
    packages = [
        *("attr", "django", "google.cloud.storage", "google.protobuf", "matplotlib", "networkx", "numpy", "pandas"),
        *("pydantic", "skimage", "sphinx", "sqlalchemy", "zope.interface"),
    ]
    there = [package for package in packages if find_spec(package.partition(".")[0]) and find_spec(package)]
    if not there:
        pytest.skip("none of the packages is installed")
    done = subprocess.run([sys.executable, BENCHMARKS / "lint_refuted.py", *there], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
