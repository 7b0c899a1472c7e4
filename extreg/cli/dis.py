"""dis: a disassembly of stored pickles."""

import argparse
from pathlib import Path

from extreg.cli.command import Command, registry_option
from extreg.cli.output import say
from extreg.cli.stored import plural, registry_if_any
from extreg.errors import MalformedPickleError, UnreadableError
from extreg.pickles.dis import disassemble
from extreg.registry.model import Registry
from extreg.stores.contents import contents
from extreg.stores.files import files_below
from extreg.stores.items import Blob, Fault, Passed
from extreg.stores.mapping import mapped


def _run(arguments: argparse.Namespace) -> int:
    """Run the command with its arguments; return the exit code."""
    _, registry = registry_if_any(arguments)
    path, member = _split(arguments.file)
    if Path(path).is_dir():
        raise UnreadableError(f"{path} is a folder", "extreg dis takes one file; extreg scan lists what is in a folder")
    found = next(files_below([path]))
    shown, faults, members = 0, [], []
    for item in contents(found):
        if isinstance(item, Fault):
            faults.append(item)
            continue
        if isinstance(item, Passed):
            continue
        members.append(item.member)
        if member in {None, item.member}:
            shown += 1
            _print(item, registry, heading=member is None and bool(item.member))
    if not shown and not faults and member is not None:
        known = f"it has {', '.join(members[:5])}{' and more' if len(members) > 5 else ''}" if members else ""
        raise UnreadableError(f"{path} has no pickle {member!r}", known)
    if faults:
        first = faults[0]
        place = f"{path}::{first.member}" if first.member else path
        more = f", and {plural(len(faults) - 1, 'other fault')}" if len(faults) > 1 else ""
        raise UnreadableError(f"{place}: {first.message}{more}")
    if not shown:
        _print_anyhow(found.path, registry)
    return 0


def _split(given: str) -> tuple[str, str | None]:
    """Return the file and the member that ``FILE::MEMBER`` means; a file may be called so, too."""
    path, separator, member = given.partition("::")
    return (path, member) if separator and not Path(given).exists() else (given, None)


def _print(blob: Blob, registry: Registry | None, *, heading: bool) -> None:
    if heading:
        say(f"{blob.member}:")
    try:
        for line in disassemble(blob.data, registry):
            say(line)
    except MalformedPickleError as error:
        raise UnreadableError(str(error)) from None
    if heading:
        say("")


def _print_anyhow(path: Path, registry: Registry | None) -> None:
    """Show as much as can be read of a file that does not look like a pickle: why not is what somebody asks."""
    with mapped(path) as data:
        _print(Blob("", data), registry, heading=False)


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "file", metavar="FILE[::MEMBER]", help="a file; of an archive or a database all pickles, or that of one member"
    )
    registry_option(parser)


COMMAND = Command(
    name="dis",
    description=(
        "Show the opcodes of a stored pickle, without executing it, in the manner of pickletools, each code with "
        "its target and state beside it."
    ),
    examples="  extreg dis order.pickle\n  extreg dis model.pt::model/data.pkl\n"
    "  extreg dis cache.sqlite::entries.value#1",
    configure=_configure,
    run=_run,
)
