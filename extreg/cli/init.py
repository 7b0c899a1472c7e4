"""init: write a new registry.toml."""

import argparse

from extreg.cli.command import Command, registry_option
from extreg.cli.output import note, say
from extreg.project.locate import new_registry_path
from extreg.registry.file import create

TEMPLATE = """\
# Pickle extension codes, one line per code, ascending. A code is a promise for ever: never delete or renumber a line.
# Change this file with: extreg add, promote, demote, move, retire. Check it with: extreg lint.
format = 1

[codes]
"""


def _init(arguments: argparse.Namespace) -> int:
    path = new_registry_path(arguments.registry)
    create(path, TEMPLATE)
    say(f"wrote {path}")
    note("commit it, and call extreg.install() where your program starts; next: extreg add MODULE:CLASS")
    return 0


COMMAND = Command(
    name="init",
    description="Write a new, empty registry file: at --registry PATH, $EXTREG_REGISTRY or [tool.extreg] registry "
    "in pyproject.toml, else registry.toml in the working directory.",
    examples="  extreg init\n  extreg init --registry src/shop/registry.toml",
    configure=registry_option,
    run=_init,
)
