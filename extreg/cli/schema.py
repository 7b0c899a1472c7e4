"""schema: print the JSON schema of registry.toml."""

import argparse
from importlib.resources import files

from extreg.cli.command import Command
from extreg.cli.output import say


def _schema(_: argparse.Namespace) -> int:
    say(*(files("extreg.registry.toml") / "registry.schema.json").read_text(encoding="utf-8").splitlines())
    return 0


def _configure_nothing(_: argparse.ArgumentParser) -> None:
    pass


COMMAND = Command(
    name="schema",
    description="Print the JSON schema of registry.toml. Editors with TOML support (Taplo, Even Better TOML) check "
    "the file as you type when its first line is `#:schema` and the path or address of the schema.",
    examples="  extreg schema > registry.schema.json      then on line 1: #:schema ./registry.schema.json",
    configure=_configure_nothing,
    run=_schema,
)
