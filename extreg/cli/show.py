"""The commands that show the registry: list and show."""

import argparse
from typing import Any, NamedTuple

from extreg.cli.command import Command, registry_option
from extreg.cli.output import say, say_json, short
from extreg.project.effective import Effective, effective
from extreg.project.locate import registry_path
from extreg.registry import life
from extreg.registry.document import Document, Row, read_document
from extreg.registry.ranges import capacity, range_of_code, used

JSON_VERSION = 1


class _Shown(NamedTuple):
    """One row, and the file that it stands in."""

    row: Row
    path: str
    own: bool


def _list(arguments: argparse.Namespace) -> int:
    path = registry_path(arguments.registry)
    document = read_document(path)
    known = effective(document.require(), path)
    rows = _rows(document, known)
    if arguments.format == "json":
        say_json(_as_json(document, known, rows))
        return 0
    width = len(str(rows[-1].row.code)) if rows else 0
    for row, file, own in rows:
        state = known.everything.state(row.code) or ""
        say(f"{row.code:>{width}}  {state:9}  {row.target}{'' if own else f'  ({short(file)})'}")
    return 0


def _rows(document: Document, known: Effective) -> list[_Shown]:
    """Return all rows in ascending order: the file's own, and those of what it includes."""
    rows = [_Shown(row, document.path, own=True) for row in document.rows]
    for file in dict.fromkeys(known.files.values()):
        theirs = read_document(file).rows
        rows += [_Shown(row, file, own=False) for row in theirs if known.files.get(row.code) == file]
    return sorted(rows, key=lambda shown: shown.row.code)


def _as_json(document: Document, known: Effective, rows: list[_Shown]) -> dict[str, Any]:
    registry, spent = known.own, known.everything.spent
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
                "used": used(name, registry.ranges, spent),
                "capacity": capacity(name, registry.ranges),
            }
            for name, span in sorted(registry.ranges.items())
        },
        "codes": [
            {
                "code": row.code,
                "state": known.everything.state(row.code),
                "target": row.target,
                "former": list(registry.moved.get(row.code, ())),
                "path": file,
                "line": row.line,
                "included": not own,
            }
            for row, file, own in rows
        ],
        "reducers": dict(registry.reducers),
    }


def _show(arguments: argparse.Namespace) -> int:
    path = registry_path(arguments.registry)
    document = read_document(path)
    known = effective(document.require(), path)
    registry = known.everything
    code = life.find(registry, arguments.code)
    state = registry.state(code)
    target = registry.target(code) or registry.retired[code]
    range_name = range_of_code(code, registry.ranges)
    span = registry.ranges[range_name] if range_name is not None else None
    row, file, own = next(shown for shown in _rows(document, known) if shown.row.code == code)
    facts = {
        "code": str(code),
        "target": target,
        "state": f"{state}: {_MEANING[state or 'retired']}",
        "former": ", ".join(registry.moved.get(code, ())) or "none: it never moved",
        "opcode": _opcode(code),
        "by name": f"{_by_name(target)} bytes in a protocol 4 pickle, at its first occurrence",
        "range": f"{range_name} ({span.first} to {span.last})" if span else "none",
        "place": f"{short(file)}:{row.line}{'' if own else ', which is included: it is changed there'}",
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
        description="List every code with its state and target, in ascending order.",
        examples="  extreg list\n  extreg list --format json",
        configure=_configure_list,
        run=_list,
    ),
    Command(
        name="show",
        description="Show one code: target, state, former targets, what it costs in a pickle, where it stands.",
        examples="  extreg show 4711\n  extreg show shop.models:Order",
        configure=_configure_show,
        run=_show,
    ),
)
