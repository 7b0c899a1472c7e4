"""The palette example runs as its own text says."""

import os
import subprocess
import sys
from pathlib import Path

EXAMPLES = Path(__file__).parents[2] / "examples"


def test_it_runs_and_every_step_makes_the_pickles_smaller(tmp_path):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "palette"],
        env={**os.environ, "PYTHONPATH": str(EXAMPLES), "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    for name in ("one color", "one user"):
        steps = [int(line.split()[-4]) for line in lines if line.strip().startswith(name)]
        assert len(steps) == 3
        assert steps == sorted(steps, reverse=True)
        assert len(set(steps)) == 3
    assert lines[-4:] == [
        "a private pickler wrote: #ff0000",
        "version 1 was loaded as UserRecord('Ada', 'Lovelace', 'ada@example.org', Color(128, 128, 128))",
        "version 2 was loaded as UserRecord('Grace', 'Hopper', 'grace@example.org', Color(128, 128, 128))",
        "version 3 was loaded as UserRecord('Barbara', 'Liskov', 'barbara@example.org', Color(255, 0, 0))",
    ]
