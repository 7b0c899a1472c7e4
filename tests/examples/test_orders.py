"""The example of the README runs, with the codes of this repository's own registry."""

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]


def test_orders_are_stored_by_code_and_come_back(tmp_path):
    environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    line = [sys.executable, "-W", "error", str(ROOT / "examples" / "orders.py")]
    done = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    first = done.stdout.split()
    assert first[:3] == ["3", "orders", "in"]
    assert int(first[3]) < 400  # 575 by name
    assert done.stdout.count("Order(number=") == 3


def test_the_registry_of_this_repository_is_clean():
    line = [sys.executable, "-m", "extreg", "lint", "--import"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
