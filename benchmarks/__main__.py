"""Run every benchmark, one after the other: ``python benchmarks``."""

import subprocess
import sys
from pathlib import Path

SCRIPTS = ("startup.py", "pickles.py", "scoped.py", "lint_speed.py")


def main() -> None:
    """Run each script in a process of its own, so that none warms up another."""
    for name in SCRIPTS:
        print(f"\n## {name}\n", flush=True)
        subprocess.run([sys.executable, str(Path(__file__).with_name(name))], check=True)


if __name__ == "__main__":
    main()
