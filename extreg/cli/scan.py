"""scan: what stored pickles refer to."""

import argparse
import re
from collections.abc import Mapping
from pathlib import Path

from extreg.census.position import Options
from extreg.census.running import Share
from extreg.cli.command import Command, registry_option
from extreg.cli.counted import Known, counts_as_json, print_counts, say_unread, unread_as_json
from extreg.cli.output import note, say, say_json
from extreg.cli.progress import Line
from extreg.cli.stored import plural, registry_if_any, table
from extreg.cli.taking import Taken, taken
from extreg.errors import ExtregError, UnreadableError
from extreg.registry import life
from extreg.registry.invariants import MAX_CODE
from extreg.registry.model import Registry
from extreg.stores.resolving import Resolved, resolve

Name = tuple[str, str]
_MOST_SHOWN = 20
# Measured on 163 pairs of neighbouring releases of 51 libraries, with 2,857 loads.
_NO_PROMISE = (
    "found says that the name is there, and does not promise that a pickle loads, or loads whole: where old pickles "
    "failed in new releases of libraries, more than half of them had every name; extreg jar add FILE tests one"
)


def _run(arguments: argparse.Namespace) -> int:
    """Run the command with its arguments; return the exit code."""
    path, registry = registry_if_any(arguments)
    code = _code(arguments.code, registry) if arguments.code is not None else None
    result = taken(arguments, Options(code, arguments.carve), registry)
    if code is not None:
        return _where(arguments, code, result)
    counts = result.counts
    resolved = None
    if arguments.resolve or arguments.importing:
        with Line() as line:
            resolved = resolve(counts.globals, registry, path, importing=arguments.importing, told=line.show)
    known = Known(registry, resolved)
    if arguments.format == "json":
        say_json(counts_as_json(counts, known, str(path) if path else None))
    else:
        print_counts(counts, known, result.noun)
    say_unread(counts)
    _note_resolved(resolved or {})
    if registry is None:
        if counts.codes:
            note("no registry.toml here or above, so that nothing is known of the codes; --registry PATH names one")
    elif any(registry.state(code) in {None, "retired"} for code in counts.codes):
        return 1
    if any(answer.today in {"gone", "unimportable"} for answer in (resolved or {}).values()):
        return 1
    # Without a registry this is a list, and not an answer to anything.
    opaque = counts.opaque and registry is not None and not arguments.allow_opaque
    return 2 if counts.faults or opaque else 0


def _code(wanted: str, registry: Registry | None) -> int:
    """Return the code that ``--code`` means; a number need not be in the registry."""
    if re.fullmatch("-?[0-9]+", wanted):
        if not 1 <= int(wanted[:12]) <= MAX_CODE:
            raise UnreadableError(f"{wanted} is no extension code", f"codes go from 1 to {MAX_CODE}")
        return int(wanted)
    if registry is None:
        raise UnreadableError(
            f"no registry.toml here or above to find the code of {wanted} in",
            "--registry PATH names one; or give the code itself",
        )
    try:
        return life.find(registry, wanted)
    except ExtregError as error:
        # Not the 1 of a refusal: here that says that a code is in use.
        hint = error.hint if error.hint.startswith("did you mean") else "extreg list shows all; or give the code itself"
        raise UnreadableError(error.message, hint) from None


def _where(arguments: argparse.Namespace, code: int, result: Taken) -> int:
    """Answer whether and where a code is in use; not without having read everything."""
    counts, noun = result.counts, result.noun
    uses = sorted(counts.where.items())
    if arguments.format == "json":
        answer = {
            "code": code,
            "used": True if uses else False if counts.whole else None,
            "files": [{"path": path, **use._asdict()} for path, use in uses],
            "read": counts.read,
            **unread_as_json(counts),
        }
        say_json(answer)
    elif uses:
        files = counts.codes[code].files
        say(f"code {code} is in use in {plural(files, noun)}")
        rows = [(use.pickles, use.references, use.bytes, path) for path, use in uses]
        say(*table(rows, ("pickles", "references", "bytes", noun), 3))
        if files > len(uses):
            say(f"and {plural(files - len(uses), noun)} more")
    elif not counts.whole:
        say(f"code {code} is in none of the pickles that could be read, and not all could be")
    elif result.share.of > 1:
        say(f"code {code} is not in part {result.share} ({plural(counts.read, noun)} read)")
    else:
        say(f"code {code} is not in use ({plural(counts.read, noun)} read)")
    say_unread(counts)
    if uses:
        return 1
    return 2 if counts.faults or (counts.opaque and not arguments.allow_opaque) else 0


def _note_resolved(resolved: Mapping[Name, Resolved]) -> None:
    """Say why what is there cannot be imported, and what it means, and what not, that a name is found."""
    broken = list(dict.fromkeys(answer.why for answer in resolved.values() if answer.today == "unimportable"))
    for why in broken[:_MOST_SHOWN]:
        note(why, label="unimportable", colour="red")
    if len(broken) > _MOST_SHOWN:
        note(f"{len(broken) - _MOST_SHOWN} more", label="unimportable", colour="red")
    if any(answer.today in {"found", "former"} for answer in resolved.values()):
        note(_NO_PROMISE)


def _jobs(text: str) -> int:
    count = int(text)
    if not 1 <= count <= 256:
        raise ValueError
    return count


def _share(text: str) -> Share:
    number, _, count = text.partition("/")
    if not (number.isdecimal() and count.isdecimal()) or len(count) > 6 or not 1 <= int(number) <= int(count):
        raise ValueError
    return Share(int(number), int(count))


def _rate(text: str) -> float:
    rate = float(text.removesuffix("/s"))
    if not 0.001 <= rate <= 1e9:
        raise ValueError
    return rate


_jobs.__name__ = "number of processes"
_share.__name__ = "part, such as 1/4 to 4/4,"
_rate.__name__ = "number of cells a second, such as 500/s,"


def _configure(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "places",
        nargs="*",
        metavar="PLACE",
        help="a file, a folder with all that is below it, or a URL (default: those of [tool.extreg] places in "
        "pyproject.toml). Passwords belong in the environment, not here",
    )
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    registry_option(parser)
    parser.add_argument("--code", metavar="CODE", help="only say whether this code (or target) is in use, and where")
    parser.add_argument(
        "--resolve",
        action="store_true",
        help="also say of each name whether the code of today has it, by the sources, without importing",
    )
    parser.add_argument(
        "--import",
        action="store_true",
        dest="importing",
        help="as --resolve, and where the sources do not tell, import the module in a child process: this runs code "
        "of modules that the pickles name",
    )
    parser.add_argument(
        "--journal",
        type=Path,
        metavar="FILE",
        help="write down what was counted, so that the same command goes on where it was stopped; when all is read, "
        "this is the census that retire --census takes",
    )
    parser.add_argument(
        "--part",
        type=_share,
        default=Share(),
        metavar="K/N",
        help="read one of N parts; extreg census merge adds them up",
    )
    parser.add_argument("--jobs", type=_jobs, default=1, metavar="N", help="read with so many processes (default: 1)")
    parser.add_argument(
        "--on",
        metavar="dask:ADDRESS",
        help="read on a Dask cluster (pip install 'extreg[dask]'); to connect to a scheduler is to trust it: what it "
        "answers is unpickled. Its workers get the places without credentials, and take those from their environment",
    )
    parser.add_argument("--rate", type=_rate, metavar="N/s", help="read so many cells a second at most")
    parser.add_argument(
        "--allow-opaque", action="store_true", help="do not exit with 2 for cells that nobody here understands"
    )
    parser.add_argument(
        "--carve", action="store_true", help="look at every offset of cells that nobody here understands; slow"
    )


COMMAND = Command(
    name="scan",
    description=(
        "List the globals and codes in stored pickles, without executing any: in plain files, gzip, bz2, xz and "
        "zip files (torch and numpy archives too), shelves and other dbm databases, SQLite, and wherever else a URL "
        "leads. Exit code: 1 when a code is unknown to the registry or retired, or with --resolve a name is gone or "
        "unimportable. With --code: 0 when that code is not in use, 1 when it is, 2 when something could not be read "
        "or understood, so that nobody can say."
    ),
    examples="  extreg scan data/ cache.db\n  extreg scan data/ --code 4711       before extreg retire 4711\n"
    "  extreg scan data/ --jobs 4 --format json\n"
    "  extreg scan data/ --resolve             which of its names are gone today\n"
    "  extreg scan data/ --import              and of compiled modules too\n"
    "  extreg scan redis://cache.example/0 --journal census.json\n"
    "  extreg scan --part 1/7 --journal 1.json  a seventh of all [tool.extreg] places",
    configure=_configure,
    run=_run,
)
