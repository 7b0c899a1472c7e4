"""suggest: which globals deserve codes."""

import argparse

from extreg.cli.command import Command
from extreg.cli.output import note, say, say_json
from extreg.cli.progress import size, watched
from extreg.cli.stored import faults_as_json, passed_as_json, path_arguments, plural, say_faults, say_passed, table
from extreg.pickles.pricing import Price
from extreg.pickles.walking.opcodes import EXTENSION_OPCODES
from extreg.project.effective import read_effective
from extreg.project.locate import registry_path, registry_path_if_any
from extreg.registry.model import Registry
from extreg.registry.toml.render import row
from extreg.stores.files import files_below
from extreg.stores.suggest import Suggestions, add, suggest

# From so many references in one pickle on, dumping and loading it takes longer with a live code than by name.
_COSTLY = 2


def _run(arguments: argparse.Namespace) -> int:
    """Run the command with its arguments; return the exit code."""
    path = registry_path(arguments.registry) if arguments.apply else registry_path_if_any(arguments.registry)
    registry = read_effective(path) if path is not None else Registry()
    found = watched(files_below(arguments.paths), "files")
    result = suggest(found, registry, use=arguments.use, least=arguments.min_saved)
    added: dict[str, int] = {}
    if path is not None and arguments.apply and result.prices.proposals:
        added = {target: code for code, target in add(path, result.prices.proposals, registry)}
    if arguments.format == "json":
        say_json(_as_json(result, arguments.use, added))
    else:
        _print_text(result, arguments.use)
        for target, code in added.items():
            say(row(code, target))
    _notes(result, arguments)
    say_faults(result.faults)
    say_passed(result.unread)
    return 2 if any(file.named for file, _ in result.faults) else 0


def _print_text(result: Suggestions, use: str) -> None:
    prices = result.prices
    if prices.proposals:
        rows = [
            (item.saved, item.pickles, item.references, EXTENSION_OPCODES[item.width], _mark(item, use), item.target)
            for item in prices.proposals
        ]
        say(*table(rows, ("saves", "pickles", "references", "opcode", "CPU", "global"), 3))
    share = f", {prices.saved / prices.size:.1%}" if prices.size else ""
    verb = "save" if len(prices.proposals) != 1 else "saves"
    say(
        f"{plural(len(prices.proposals), 'code')} {verb} {size(prices.saved)} of {size(prices.size)}{share} "
        f"in {plural(prices.pickles, 'pickle')}"
    )


def _notes(result: Suggestions, arguments: argparse.Namespace) -> None:
    costly = [item for item in result.prices.proposals if _mark(item, arguments.use) == "costs"]
    if costly:
        note(
            f"marked 'costs' ({len(costly)}): on average more than {_COSTLY} references to it in a pickle, where "
            "a live code saves bytes but costs CPU time: dumping takes up to twice as long as by name; "
            "--use scoped does not"
        )
    if result.passed:
        shown = ", ".join(f"{target} ({reason})" for target, reason in list(result.passed.items())[:3])
        more = f" and {len(result.passed) - 3} more" if len(result.passed) > 3 else ""
        note(f"not proposed: {shown}{more}")


def _mark(item: Price, use: str) -> str:
    """Say whether a live code costs CPU time where a global recurs as it does here."""
    return "costs" if use == "live" and item.references > _COSTLY * item.pickles else "-"


def _as_json(result: Suggestions, use: str, added: dict[str, int]) -> dict[str, object]:
    return {
        "use": use,
        "pickles": result.prices.pickles,
        "bytes": result.prices.size,
        "saved": result.prices.saved,
        "one_byte_codes_left": result.one_byte,
        "proposals": [
            {
                "target": item.target,
                "opcode": EXTENSION_OPCODES[item.width],
                "saved": item.saved,
                "pickles": item.pickles,
                "references": item.references,
                "costs_cpu": _mark(item, use) == "costs",
                "added": added.get(item.target),
            }
            for item in result.prices.proposals
        ],
        "passed": result.passed,
        "unreadable": faults_as_json(result.faults),
        "unknown": passed_as_json(result.unread),
    }


def _bytes(text: str) -> int:
    count = int(text)
    if count < 1:
        raise ValueError
    return count


_bytes.__name__ = "number of bytes"


def _configure(parser: argparse.ArgumentParser) -> None:
    path_arguments(parser)
    parser.add_argument(
        "--use",
        choices=("live", "scoped"),
        default="live",
        help="live: pickle itself dumps the codes; scoped: so do extreg.dumps and rewrite (default: live)",
    )
    parser.add_argument("--apply", action="store_true", help="add the codes to the registry, as extreg add does")
    parser.add_argument(
        "--min-saved", type=_bytes, default=1, metavar="BYTES", help="propose what saves at least this (default: 1)"
    )


COMMAND = Command(
    name="suggest",
    description=(
        "Price codes for the globals in stored pickles by what every opcode and memo entry costs there, and list "
        "those that save bytes. One-byte codes go where they save most. Nothing is proposed that has or had a "
        "code, that loses bytes, or that extreg lint would object to."
    ),
    examples="  extreg suggest samples/\n  extreg suggest samples/ --use scoped --min-saved 1000\n"
    "  extreg suggest samples/ --apply",
    configure=_configure,
    run=_run,
)
