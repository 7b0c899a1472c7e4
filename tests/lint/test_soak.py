"""Long runs: `pytest -m soak`."""

import subprocess
import sys
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
