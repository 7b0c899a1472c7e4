"""show: show one code with its whole story, or what is known of one that the registry does not hold."""

import argparse

from extreg.cli.command import Command, registry_option
from extreg.cli.output import say, short
from extreg.cli.rows import rows_of
from extreg.errors import ExtregError
from extreg.pickles.walking.opcodes import EXTENSION_WIDTHS, extension_opcode
from extreg.project.effective import effective
from extreg.project.locate import registry_path
from extreg.project.unknown import facts_of
from extreg.registry import life
from extreg.registry.document import read_document
from extreg.registry.invariants import MAX_CODE
from extreg.registry.ranges import range_of_code


def _show(arguments: argparse.Namespace) -> int:
    path = registry_path(arguments.registry)
    document = read_document(path)
    known = effective(document.require(), path)
    registry = known.everything
    wanted = arguments.code
    number = int(wanted) if wanted.isascii() and wanted.isdecimal() and len(wanted) <= 10 else 0
    if 0 < number <= MAX_CODE and registry.state(number) is None:
        facts = "; ".join(facts_of(number, registry, path))
        raise ExtregError(f"code {wanted} is not in the registry, nor in what it includes; {facts}", _ALL)
    code = life.find(registry, wanted)
    state = registry.state(code)
    target = registry.target(code) or registry.retired[code]
    range_name = range_of_code(code, registry.ranges)
    span = registry.ranges[range_name] if range_name is not None else None
    row, file, own = next(shown for shown in rows_of(document, known) if shown.row.code == code)
    opcode = extension_opcode(code)
    story = {
        "code": str(code),
        "target": target,
        "state": f"{state}: {_MEANING[state or 'retired']}",
        "former": ", ".join(registry.moved.get(code, ())) or "none: it never moved",
        "opcode": f"{opcode}, {EXTENSION_WIDTHS[opcode]} bytes",
        "by name": f"{_by_name(target)} bytes in a protocol 4 pickle, at its first occurrence",
        "range": f"{range_name} ({span.first} to {span.last})" if span else "none",
        "place": f"{short(file)}:{row.line}{'' if own else ', which is included: it is changed there'}",
        "reducer": registry.reducers.get(target, "none"),
    }
    if code in registry.aliases:
        story["aliases"] = ", ".join(registry.aliases[code])
    also = [other for other, found in registry.load_only.items() if found == target and other != code]
    if also:
        story["also"] = f"load-only as {', '.join(map(str, also))}"
    for name, fact in story.items():
        say(f"{name + ':':9} {fact}")
    return 0


_ALL = "extreg list shows all codes"
_MEANING = {
    "live": "dumped as this code, and loaded from it",
    "load-only": "loaded, dumped by name",
    "retired": "neither dumped nor loaded; the number is spent for ever",
}


def _by_name(target: str) -> int:
    """Return the bytes of a global by name: two SHORT_BINUNICODEs, each memoized, and STACK_GLOBAL."""
    module, qualname = target.split(":")
    return sum(2 + len(part.encode()) + 1 for part in (module, qualname)) + 2


def _configure_show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", metavar="CODE", help="a code, or a target that has or had one")
    registry_option(parser)


COMMAND = Command(
    name="show",
    description="Show one code: target, state, former targets, what it costs in a pickle, where it stands.",
    examples="  extreg show 4711\n  extreg show shop.models:Order",
    configure=_configure_show,
    run=_show,
)
