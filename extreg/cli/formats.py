"""Findings as text, JSON, GitHub annotations and SARIF."""

import json
import os
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from extreg import __version__
from extreg.cli.output import coloured
from extreg.printable import printable
from extreg.rules import BY_NAME
from extreg.rules.finding import Finding
from extreg.rules.page import documentation, summary

JSON_VERSION = 1
SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

Colour = Callable[[str, str], str]


def as_text(findings: Sequence[Finding], path: str, colour: Colour) -> str:
    """Return one line per finding, and its hint below it."""
    lines = []
    for found in findings:
        place = found.path if found.line is None else f"{found.path}:{found.line}"
        lines.append(f"{colour(printable(place), 'bold')}: {colour(found.rule, 'red')}: {printable(found.message)}")
        if found.hint:
            lines.append(f"    {colour('hint:', 'cyan')} {printable(found.hint)}")
    count = len(findings)
    total = f"{count} finding{'s' if count != 1 else ''}" if count else colour("clean", "green")
    return "\n".join([*lines, f"{printable(path)}: {total}"])


def as_json(findings: Sequence[Finding], path: str, colour: Colour) -> str:  # noqa: ARG001 - one signature for all
    """Return ``{"version": 1, "findings": [...]}``."""
    shown = {"version": JSON_VERSION, "findings": [found.as_json() for found in findings]}
    return json.dumps(shown, indent=2)


def as_github(findings: Sequence[Finding], path: str, colour: Colour) -> str:  # noqa: ARG001
    """Return workflow commands that GitHub Actions shows as annotations in the diff."""
    lines = []
    for found in findings:
        place = {"file": _relative(found.path), "line": found.line, "title": f"extreg {found.rule}"}
        properties = ",".join(f"{key}={_property(value)}" for key, value in place.items() if value is not None)
        text = f"{found.message}\n{found.hint}" if found.hint else found.message
        lines.append(f"::error {properties}::{_data(text)}")
    return "\n".join(lines)


def as_sarif(findings: Sequence[Finding], path: str, colour: Colour) -> str:  # noqa: ARG001
    """Return a SARIF 2.1.0 log (OASIS standard) with one run, which names all rules."""
    rules = [
        {
            "id": name,
            "shortDescription": {"text": summary(rule)},
            "help": {"text": documentation(rule)},
            "defaultConfiguration": {"level": "error"},
        }
        for name, rule in BY_NAME.items()
    ]
    driver = {"name": "extreg", "version": __version__, "rules": rules}
    results = [_result(found) for found in findings]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    log = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2)


FORMATS = {"text": as_text, "json": as_json, "github": as_github, "sarif": as_sarif}


def on(stream: Any) -> Colour:
    """Return what colours text for `stream`."""
    return lambda text, colour: coloured(text, colour, stream)


def _result(found: Finding) -> dict[str, Any]:
    place: dict[str, Any] = {"artifactLocation": {"uri": _uri(found.path)}}
    if found.line is not None:
        place["region"] = {"startLine": found.line}
    return {
        "ruleId": found.rule,
        "ruleIndex": list(BY_NAME).index(found.rule),
        "level": "error",
        "message": {"text": f"{found.message} ({found.hint})" if found.hint else found.message},
        "locations": [{"physicalLocation": place}],
    }


def _relative(path: str) -> str:
    """Return `path` as seen from the working directory, where it is below it: CI looks it up in the repository."""
    place = Path(os.path.normpath(path))
    with suppress(ValueError):
        place = place.relative_to(Path.cwd())
    return place.as_posix()


def _uri(path: str) -> str:
    relative = _relative(path)
    return Path(relative).as_uri() if Path(relative).is_absolute() else quote(relative)


def _data(text: str) -> str:
    return printable(text, keep="\n").replace("%", "%25").replace("\n", "%0A")


def _property(value: object) -> str:
    return _data(str(value)).replace(":", "%3A").replace(",", "%2C")
