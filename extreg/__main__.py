"""``python -m extreg``."""

from extreg.cli.main import run

run()
