"""jar list: what is in the jar, and which live codes have no sample there."""

import argparse

from extreg.cli.command import Command, registry_option
from extreg.cli.output import say, say_json
from extreg.cli.stored import plural, table
from extreg.jar.entries import Entry, jar_entries
from extreg.jar.folder import jar_folder
from extreg.jar.sampled import unsampled
from extreg.project.locate import registry_path
from extreg.registry.document import read_document


def _run(arguments: argparse.Namespace) -> int:
    path = registry_path(arguments.registry)
    registry = read_document(path).require()
    folder = jar_folder(path)
    entries = list(jar_entries(folder))
    missing = unsampled(registry, entries)
    if arguments.format == "json":
        without = [{"code": code, "target": target} for code, target in missing.items()]
        say_json({"jar": str(folder), "entries": list(map(_as_json, entries)), "without": without})
        return 0
    if entries:
        rows = [
            (entry.protocol, entry.origin.get("added", ""), entry.origin.get("python", ""), _named(entry))
            for entry in entries
        ]
        say(*table(rows, ("protocol", "added", "by", "entry"), 1))
    say(f"{folder}: {plural(len(entries), 'pickle')}")
    if missing:
        say(f"without a sample: {plural(len(missing), 'live code')}")
        width = len(str(max(missing)))
        say(*(f"  {code:>{width}}  {target}" for code, target in missing.items()))
    else:
        say("every live code has a sample")
    return 0


def _named(entry: Entry) -> str:
    notes = [*(["redacted"] if entry.redacted else []), *(["does not load"] if entry.loaded is None else [])]
    return f"{entry.name} ({', '.join(notes)})" if notes else entry.name


def _as_json(entry: Entry) -> dict[str, object]:
    return {
        "name": entry.name,
        "subject": entry.subject,
        "protocol": entry.protocol,
        "sha256": entry.digest,
        "names": list(entry.names),
        "codes": {str(code): target for code, target in entry.codes.items()},
        "origin": dict(entry.origin),
        "libraries": dict(entry.libraries),
        "redacted": entry.redacted,
        "loads": entry.loaded is not None,
    }


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    registry_option(parser)


COMMAND = Command(
    name="jar list",
    description="List what is in the jar, and which live codes of the registry have no sample there, by code or by "
    "name. Nothing is loaded.",
    examples="  extreg jar list\n  extreg jar list --format json",
    configure=_configure,
    run=_run,
)
