"""The commands that show the registry: list and show."""

import argparse
from typing import Any

from extreg.cli.command import Command, registry_option
from extreg.cli.output import say, say_json
from extreg.files.project import registry_path
from extreg.files.source import read_document
from extreg.registry import life
from extreg.registry.model import Registry
from extreg.registry.ranges import capacity, range_of_code, used
from extreg.text.document import Document

JSON_VERSION = 1


def _list(arguments: argparse.Namespace) -> int:
    document = read_document(registry_path(arguments.registry))
    registry = document.require()
    if arguments.format == "json":
        say_json(_as_json(document, registry))
        return 0
    rows = sorted(document.rows, key=lambda row: row.code)
    width = len(str(rows[-1].code)) if rows else 0
    for row in rows:
        say(f"{row.code:>{width}}  {registry.state(row.code) or '':9}  {row.target}")
    return 0


def _as_json(document: Document, registry: Registry) -> dict[str, Any]:
    return {
        "version": JSON_VERSION,
        "path": document.path,
        "fingerprint": registry.fingerprint,
        "include": list(registry.include),
        "ranges": {
            name: {
                "first": span.first,
                "last": span.last,
                "allocate": span.allocate,
                "modules": list(span.modules),
                "used": used(name, registry.ranges, registry.spent),
                "capacity": capacity(name, registry.ranges),
            }
            for name, span in sorted(registry.ranges.items())
        },
        "codes": [
            {
                "code": row.code,
                "state": registry.state(row.code),
                "target": row.target,
                "former": list(registry.moved.get(row.code, ())),
                "line": row.line,
            }
            for row in sorted(document.rows, key=lambda row: row.code)
        ],
        "reducers": dict(registry.reducers),
    }


def _show(arguments: argparse.Namespace) -> int:
    document = read_document(registry_path(arguments.registry))
    registry = document.require()
    code = life.find(registry, arguments.code)
    state = registry.state(code)
    target = registry.target(code) or registry.retired[code]
    range_name = range_of_code(code, registry.ranges)
    span = registry.ranges[range_name] if range_name is not None else None
    line = next(row.line for row in document.rows if row.code == code)
    facts = {
        "code": str(code),
        "target": target,
        "state": f"{state}: {_MEANING[state or 'retired']}",
        "former": ", ".join(registry.moved.get(code, ())) or "none: it never moved",
        "opcode": _opcode(code),
        "by name": f"{_by_name(target)} bytes in a protocol 4 pickle, at its first occurrence",
        "range": f"{range_name} ({span.first} to {span.last})" if span else "none",
        "place": f"{document.path}:{line}",
        "reducer": registry.reducers.get(target, "none"),
    }
    also = [other for other, found in registry.load_only.items() if found == target and other != code]
    if also:
        facts["also"] = f"load-only as {', '.join(map(str, also))}"
    for name, fact in facts.items():
        say(f"{name + ':':9} {fact}")
    return 0


_MEANING = {
    "live": "dumped as this code, and loaded from it",
    "load-only": "loaded, dumped by name",
    "retired": "neither dumped nor loaded; the number is spent for ever",
}


def _opcode(code: int) -> str:
    """Say which opcode pickle writes for `code` (PEP 307; `save_global` in Lib/pickle.py)."""
    if code <= 0xFF:
        return "EXT1, 2 bytes"
    return "EXT2, 3 bytes" if code <= 0xFFFF else "EXT4, 5 bytes"


def _by_name(target: str) -> int:
    """Return the bytes of a global by name: two SHORT_BINUNICODEs, each memoized, and STACK_GLOBAL."""
    module, qualname = target.split(":")
    return sum(2 + len(part.encode()) + 1 for part in (module, qualname)) + 2


def _configure_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    registry_option(parser)


def _configure_show(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("code", metavar="CODE", help="a code, or a target that has or had one")
    registry_option(parser)


COMMANDS = (
    Command(
        name="list",
        help="list all codes",
        description="List every code with its state and target, in ascending order.",
        examples="  extreg list\n  extreg list --format json",
        configure=_configure_list,
        run=_list,
    ),
    Command(
        name="show",
        help="show one code with its whole story",
        description="Show one code: target, state, former targets, what it costs in a pickle, where it stands.",
        examples="  extreg show 4711\n  extreg show shop.models:Order",
        configure=_configure_show,
        run=_show,
    ),
)
