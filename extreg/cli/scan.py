"""scan: what stored pickles refer to."""

import argparse
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from extreg.cli.command import Command
from extreg.cli.output import note, say, say_json
from extreg.cli.progress import Line, size, watched
from extreg.cli.stored import (
    faults_as_json,
    passed_as_json,
    path_arguments,
    plural,
    registry_if_any,
    say_faults,
    say_passed,
    table,
)
from extreg.errors import ExtregError, UnreadableError
from extreg.pickles.tally import Use
from extreg.registry import life
from extreg.registry.invariants import MAX_CODE
from extreg.registry.model import Registry
from extreg.stores.files import Found, files_below
from extreg.stores.items import Fault
from extreg.stores.resolving import Resolved, resolve
from extreg.stores.survey import Report, Survey, Total, reports

Name = tuple[str, str]
_MOST_SHOWN = 20
# Measured on 163 pairs of neighbouring releases of 51 libraries, with 2,857 loads.
_NO_PROMISE = (
    "found says that the name is there, and does not promise that a pickle loads, or loads whole: where old pickles "
    "failed in new releases of libraries, more than half of them had every name"
)


def _run(arguments: argparse.Namespace) -> int:
    """Run the command with its arguments; return the exit code."""
    path, registry = registry_if_any(arguments)
    found = watched(reports(files_below(arguments.paths), arguments.jobs), "files")
    if arguments.code is not None:
        return _where(arguments, _code(arguments.code, registry), found)
    survey = Survey()
    for report in found:
        survey.add(report)
    resolved = None
    if arguments.resolve or arguments.importing:
        with Line() as line:
            resolved = resolve(survey.globals, registry, path, importing=arguments.importing, told=line.show)
    if arguments.format == "json":
        say_json(_as_json(survey, registry, str(path) if path else None, resolved))
    else:
        _print_text(survey, registry, resolved)
    say_faults(survey.faults)
    say_passed(survey.passed)
    _note_resolved(resolved or {})
    if registry is None:
        if survey.codes:
            note("no registry.toml here or above, so that nothing is known of the codes; --registry PATH names one")
    elif any(registry.state(code) in {None, "retired"} for code in survey.codes):
        return 1
    if any(answer.today in {"gone", "unimportable"} for answer in (resolved or {}).values()):
        return 1
    # Without a registry this is a list, and not an answer to anything.
    return 2 if survey.faults or (survey.passed and registry is not None) else 0


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


def _where(arguments: argparse.Namespace, code: int, found: Iterable[Report]) -> int:
    """Answer whether and where a code is in use; not without having read everything."""
    uses: list[tuple[str, Use]] = []
    faults = [(Found(Path(path), True), Fault("", "a folder without a file")) for path in _empty(arguments.paths)]
    passed = []
    read = 0
    for report in found:
        read += report.pickles > 0 or report.without
        passed += [(report.found, report.passed)] if report.passed else []
        faults += [(report.found, fault) for fault in report.faults]
        if code in report.codes:
            uses.append((str(report.found.path), report.codes[code]))
    if arguments.format == "json":
        files = [{"path": path, **use._asdict()} for path, use in uses]
        answer = {
            "code": code,
            "used": True if uses else None if faults or passed else False,
            "files": files,
            "read": read,
            "unreadable": faults_as_json(faults),
            "unknown": passed_as_json(passed),
        }
        say_json(answer)
    elif uses:
        say(f"code {code} is in use in {plural(len(uses), 'file')}")
        rows = [(use.pickles, use.references, use.bytes, path) for path, use in uses]
        say(*table(rows, ("pickles", "references", "bytes", "file"), 3))
    elif faults or passed:
        say(f"code {code} is in none of the pickles that could be read, and not all could be")
    else:
        say(f"code {code} is not in use ({plural(read, 'file')} read)")
    say_faults(faults)
    say_passed(passed)
    if uses:
        return 1
    return 2 if faults or passed else 0


def _empty(paths: Iterable[str]) -> list[str]:
    """Return those of `paths` that are folders without a file: a mistake, or something that is not mounted."""
    return [path for path in paths if next(files_below([path]), None) is None]


def _print_text(survey: Survey, registry: Registry | None, resolved: Mapping[Name, Resolved] | None) -> None:
    without = survey.read - survey.holding
    say(
        f"{plural(survey.pickles, 'pickle')} ({size(survey.size)}) in {plural(survey.holding, 'file')}"
        f"; {without} without"
    )
    columns = ("pickles", "references", "bytes", "files")
    if survey.codes:
        rows: list[tuple[object, ...]] = [
            (code, *_numbers(total), _state(code, registry) or "no registry", _target(code, registry) or "")
            for code, total in _ordered(survey.codes)
        ]
        say("", *table(rows, ("code", *columns, "state", "target"), 5))
    if survey.globals:
        rows = [
            (
                *_numbers(total),
                _code_of(module, name, registry) or "",
                *([resolved[module, name].today] if resolved is not None else []),
                _shown(module, name, registry),
            )
            for (module, name), total in _ordered(survey.globals)
        ]
        more = ("today",) if resolved is not None else ()
        say("", *table(rows, (*columns, "code", *more, "global by name"), 5))
    if survey.unresolved:
        say("", f"{plural(survey.unresolved, 'reference')} that only an execution would resolve: extreg dis shows them")


def _note_resolved(resolved: Mapping[Name, Resolved]) -> None:
    """Say why what is there cannot be imported, and what it means, and what not, that a name is found."""
    broken = list(dict.fromkeys(answer.why for answer in resolved.values() if answer.today == "unimportable"))
    for why in broken[:_MOST_SHOWN]:
        note(why, label="unimportable", colour="red")
    if len(broken) > _MOST_SHOWN:
        note(f"{len(broken) - _MOST_SHOWN} more", label="unimportable", colour="red")
    if any(answer.today in {"found", "former"} for answer in resolved.values()):
        note(_NO_PROMISE)


def _as_json(
    survey: Survey, registry: Registry | None, path: str | None, resolved: Mapping[Name, Resolved] | None
) -> dict[str, Any]:
    return {
        "registry": path,
        "read": survey.read,
        "holding": survey.holding,
        "pickles": survey.pickles,
        "bytes": survey.size,
        "codes": [
            {
                "code": code,
                "state": _state(code, registry),
                "target": _target(code, registry),
                **total._asdict(),
            }
            for code, total in sorted(survey.codes.items())
        ],
        "globals": [
            {
                "module": module,
                "name": name,
                "current": _current(module, name, registry),
                "code": _code_of(module, name, registry),
                "today": resolved[module, name].today if resolved is not None else None,
                "why": (resolved[module, name].why or None) if resolved is not None else None,
                **total._asdict(),
            }
            for (module, name), total in sorted(survey.globals.items())
        ],
        "unresolved": survey.unresolved,
        "unreadable": faults_as_json(survey.faults),
        "unknown": passed_as_json(survey.passed),
    }


def _numbers(total: Total) -> tuple[int, int, int, int]:
    return total.pickles, total.references, total.bytes, total.files


def _ordered(totals: "Mapping[Any, Total]") -> "list[tuple[Any, Total]]":
    """Return what takes most bytes first."""
    return sorted(totals.items(), key=lambda item: (-item[1].bytes, item[0]))


def _state(code: int, registry: Registry | None) -> str | None:
    """Return the state of a code, or None where there is no registry to have it."""
    return (registry.state(code) or "unknown") if registry is not None else None


def _target(code: int, registry: Registry | None) -> str | None:
    return (registry.target(code) or registry.retired.get(code)) if registry is not None else None


def _code_of(module: str, name: str, registry: Registry | None) -> int | None:
    """Return the live code of what a name is called today, which rewriting puts in its place."""
    return registry.code(_current(module, name, registry)) if registry is not None else None


def _current(module: str, name: str, registry: Registry | None) -> str:
    """Return what is called today what a pickle calls ``module:name``."""
    return registry.current(f"{module}:{name}") if registry is not None else f"{module}:{name}"


def _shown(module: str, name: str, registry: Registry | None) -> str:
    today = _current(module, name, registry)
    return today if today == f"{module}:{name}" else f"{module}:{name}, now {today}"


def _jobs(text: str) -> int:
    count = int(text)
    if not 1 <= count <= 256:
        raise ValueError
    return count


_jobs.__name__ = "number of processes"


def _configure(parser: argparse.ArgumentParser) -> None:
    path_arguments(parser)
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
    parser.add_argument("--jobs", type=_jobs, default=1, metavar="N", help="read with so many processes (default: 1)")


COMMAND = Command(
    name="scan",
    description=(
        "List the globals and codes in stored pickles, without executing any: in plain files, gzip, bz2, xz and "
        "zip files (torch and numpy archives too), shelves and other dbm databases, and SQLite's BLOBs. Exit code: "
        "1 when a code is unknown to the registry or retired, or with --resolve a name is gone or unimportable. "
        "With --code: 0 when that code is not in use, 1 when it is, 2 when something could not be read, so that "
        "nobody can say."
    ),
    examples="  extreg scan data/ cache.db\n  extreg scan data/ --code 4711       before extreg retire 4711\n"
    "  extreg scan data/ --jobs 4 --format json\n"
    "  extreg scan data/ --resolve             which of its names are gone today\n"
    "  extreg scan data/ --import              and of compiled modules too",
    configure=_configure,
    run=_run,
)
