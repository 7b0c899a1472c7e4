"""compile: write the start-up cache ahead of time."""

import argparse
import os
import sys
from pathlib import Path

from extreg.cli.command import Command, registry_option
from extreg.cli.output import say
from extreg.errors import UnreadableError
from extreg.project.effective import module_path
from extreg.project.locate import near, registry_path
from extreg.startup.compile import compile_registry, is_current


def _compile(arguments: argparse.Namespace) -> int:
    found = registry_path(arguments.registry)
    path = os.fspath(found.absolute())
    search = module_path(found)
    if arguments.check:
        return _check(path, str(found), search)
    try:
        cache = compile_registry(path, search)
    except OSError as error:
        raise UnreadableError(
            f"cannot write the cache of {found}: {error}", "PYTHONPYCACHEPREFIX=FOLDER puts it elsewhere"
        ) from None
    if cache is None:
        raise UnreadableError(f"{sys.implementation.name} has no bytecode caches, so registries have none either")
    say(f"wrote {near(Path(cache))}")
    return 0


def _check(path: str, shown: str, search: list[str]) -> int:
    if is_current(path, search):
        say(f"{shown}: the cache is current")
        return 0
    say(f"{shown}: no current cache for this Python; write it: extreg compile")
    return 1


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 unless the cache is current")
    registry_option(parser)


COMMAND = Command(
    name="compile",
    description="Write the cache that makes extreg.install() fast, as compileall does for Python source: for "
    "images built ahead of time and read-only deployments. Run it with the Python that will start the program. "
    "Without it, the first start that may write beside registry.toml does the same.",
    examples="  extreg compile\n  extreg compile --check      in CI: exit 1 unless the cache is there and current",
    configure=_configure,
    run=_compile,
)
