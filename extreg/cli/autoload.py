"""autoload: install a registry at every start of an environment."""

import argparse
from pathlib import Path

from extreg.autoload import SWITCH
from extreg.autoload.site_files import SUFFIXES
from extreg.autoload.state import State, disable, enable, states
from extreg.cli.command import Command, help_alone, registry_option, subcommands
from extreg.cli.output import note, say, say_json
from extreg.project.locate import registry_path


def _enable(arguments: argparse.Namespace) -> int:
    path = Path(arguments.path) if arguments.path else registry_path(arguments.registry)
    state = enable(path, gated=arguments.gated)
    say(f"wrote {state.environment.folder / 'zzz_extreg_autoload'}{{{','.join(SUFFIXES)}}}", *_story(state))
    if state.environment.reach:
        note(f"this is {state.environment.what}: it concerns {state.environment.reach}")
    note("extreg autoload disable takes it away again")
    return 0


def _disable(_arguments: argparse.Namespace) -> int:
    removed = disable()
    say(*(f"removed {path}" for path in removed))
    if not removed:
        note("it was not enabled here; nothing was removed")
    return 0


def _status(arguments: argparse.Namespace) -> int:
    found = states()
    if arguments.format == "json":
        say_json({"environments": [_as_json(state) for state in found]})
    else:
        for state in found:
            say(f"{state.kind}: {state.environment.what}", *(f"  {line}" for line in _story(state)))
            for trouble in state.troubles:
                say(f"  {trouble.message}", f"    hint: {trouble.cure}")
    return 0 if {state.kind for state in found} == {"on"} else 1


def _story(state: State) -> list[str]:
    """Return lines on what is enabled, and what a start has."""
    if state.settings is None:
        return []
    lines = [f"registry: {state.settings.registry}"]
    if state.settings.gated:
        lines.append(f"gated: only where {SWITCH}=1 is set")
    if state.start is not None:
        lines.append(f"a start has: {state.start.live} live and {state.start.load_only} load-only codes")
    return lines


def _as_json(state: State) -> dict[str, object]:
    settings, start = state.settings, state.start
    return {
        "state": state.kind,
        "folder": str(state.environment.folder),
        "registry": settings.registry if settings is not None else None,
        "gated": settings.gated if settings is not None else None,
        "live": start.live if start is not None else None,
        "load_only": start.load_only if start is not None else None,
        "findings": [{"message": trouble.message, "hint": trouble.cure} for trouble in state.troubles],
    }


def _configure(parser: argparse.ArgumentParser) -> None:
    subcommands(
        parser,
        {
            "install the registry at every start of this environment": _ENABLE,
            "take that away": _DISABLE,
            "is it on, and does it work": _STATUS,
        },
    )


def _configure_enable(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--path", metavar="FILE", help="the registry file (default: as --registry)")
    parser.add_argument("--gated", action="store_true", help=f"only where {SWITCH}=1 is set")
    registry_option(parser)


def _configure_status(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")


_ENABLE = Command(
    name="autoload enable",
    description="Write a .pth and a .start file, and a small module that both call, into this environment's "
    "site-packages, and try a start. The file, by its absolute path, and its folder must belong to root, to you or to "
    "whoever owns the environment, and nobody else may be able to write them: each start looks.",
    examples="  extreg autoload enable\n  extreg autoload enable --path /srv/shop/registry.toml\n"
    f"  extreg autoload enable --gated     and then: {SWITCH}=1 celery -A shop worker",
    configure=_configure_enable,
    run=_enable,
)

_DISABLE = Command(
    name="autoload disable",
    description="Remove what enable wrote, from this environment and from your user site.",
    examples="  extreg autoload disable",
    configure=lambda parser: None,  # noqa: ARG005 - it has no options
    run=_disable,
)

_STATUS = Command(
    name="autoload status",
    description="Start this environment's Python and say what it has. Exit code 0: it is on, and well; 1: it is off, "
    "or stale, with what to type.",
    examples="  extreg autoload status\n  extreg autoload status --format json",
    configure=_configure_status,
    run=_status,
)

COMMAND = Command(
    name="autoload",
    description="Install a registry at every start of this environment's Python, before the program's first line: in "
    "every process that multiprocessing, an engine or a shell starts, other people's programs too. "
    f"{SWITCH}=0 switches it off for a program; a registry that cannot be installed is said in one line, and with "
    f"{SWITCH}_STRICT=1 the program then ends, with exit code 78. For one command alone: extreg run.",
    examples="  extreg autoload enable\n  extreg autoload enable --path /srv/shop/registry.toml --gated\n"
    "  extreg autoload status        exit code 1 unless it is on, and works\n  extreg autoload disable",
    configure=_configure,
    run=help_alone,
)
