"""``python -m extreg``."""

import sys

if "extreg.autoload" in sys.modules:  # so that extreg was imported before the working directory came to be on the path
    from extreg import _begin_command

    _begin_command()

from extreg.cli.main import run

run()
