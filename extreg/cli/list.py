"""list: list all codes."""

import argparse
from typing import Any

from extreg.cli.command import Command, registry_option
from extreg.cli.output import say, say_json, short
from extreg.cli.rows import Shown, rows_of
from extreg.project.effective import Effective, effective
from extreg.project.locate import registry_path
from extreg.registry.document import Document, read_document
from extreg.registry.ranges import capacity, used


def _list(arguments: argparse.Namespace) -> int:
    path = registry_path(arguments.registry)
    document = read_document(path)
    known = effective(document.require(), path)
    rows = rows_of(document, known)
    if arguments.format == "json":
        say_json(_as_json(document, known, rows))
        return 0
    width = len(str(rows[-1].row.code)) if rows else 0
    for row, file, own in rows:
        state = known.everything.state(row.code) or ""
        say(f"{row.code:>{width}}  {state:9}  {row.target}{'' if own else f'  ({short(file)})'}")
    return 0


def _as_json(document: Document, known: Effective, rows: list[Shown]) -> dict[str, Any]:
    registry, spent = known.own, known.everything.spent
    return {
        "path": document.path,
        "fingerprint": registry.fingerprint,
        "former-names": registry.former_names,
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
                "former": list(known.everything.moved.get(row.code, ())),
                "aliases": list(known.everything.aliases.get(row.code, ())),
                "path": file,
                "line": row.line,
                "included": not own,
            }
            for row, file, own in rows
        ],
        "renamed": dict(registry.renamed),
        "reducers": dict(registry.reducers),
    }


def _configure_list(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    registry_option(parser)


COMMAND = Command(
    name="list",
    description="List every code with its state and target, in ascending order.",
    examples="  extreg list\n  extreg list --format json",
    configure=_configure_list,
    run=_list,
)
