"""completion: what a shell needs to complete our commands, by shtab."""

import argparse
from importlib import import_module
from types import ModuleType

from extreg.cli.command import Command
from extreg.cli.output import say
from extreg.cli.parsing import whole_parser
from extreg.errors import UnreadableError

_SHELLS = ("bash", "zsh", "fish")
# What the help calls those values that are paths of files.
_PATHS = frozenset(("PATH", "PLACE", "FILE", "PATH|PACKAGE", "BASE", "OURS", "THEIRS", "SCRIPT"))


def _completion(arguments: argparse.Namespace) -> int:
    shtab = _shtab()
    parser = whole_parser()
    _complete_paths(parser, shtab.FILE)
    say(*shtab.complete(parser, shell=arguments.shell).splitlines())
    return 0


def _shtab() -> ModuleType:
    try:
        return import_module("shtab")
    except ImportError:
        raise UnreadableError(
            "shtab, which writes completions, is not installed", "pip install 'extreg[completion]'"
        ) from None


def _complete_paths(parser: argparse.ArgumentParser, as_file: object) -> None:
    """Say of all arguments that are paths that they are; those of nested commands too."""
    for action in parser._actions:  # argparse has no public way to them; shtab takes this one too
        if isinstance(action, argparse._SubParsersAction):
            for nested in action.choices.values():
                _complete_paths(nested, as_file)
        elif isinstance(action.metavar, str) and action.metavar in _PATHS:
            action.complete = as_file  # type: ignore[attr-defined]


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("shell", choices=_SHELLS, metavar="SHELL", help=f"one of {', '.join(_SHELLS)}")


COMMAND = Command(
    name="completion",
    description="Print a script with which a shell completes extreg's commands, options and paths. Needs the extra "
    "extreg[completion].",
    examples="  extreg completion bash > ~/.local/share/bash-completion/completions/extreg\n"
    "  extreg completion zsh > ~/.zfunc/_extreg      with fpath+=~/.zfunc before compinit in ~/.zshrc\n"
    "  extreg completion fish > ~/.config/fish/completions/extreg.fish",
    configure=_configure,
    run=_completion,
)
