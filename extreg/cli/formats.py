"""Findings as text, JSON and GitHub annotations, and the table of all formats."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import Any, Literal

from extreg.cli.code_quality import as_gitlab
from extreg.cli.identity import in_repository
from extreg.cli.junit import as_junit
from extreg.cli.output import Colour, coloured, versioned
from extreg.cli.sarif import as_sarif
from extreg.linter.finding import Finding
from extreg.printable import printable

_COLOURS = {"error": "red", "note": "cyan"}
_GITHUB = {"error": "error", "note": "notice"}
_COUNTED: tuple[tuple[Literal["error", "note"], str], ...] = (("error", "finding"), ("note", "note"))


def as_text(findings: Sequence[Finding], path: str, colour: Colour) -> str:
    """Return one line per finding, and its hint below it."""
    lines = []
    for found in findings:
        place = found.path if found.line is None else f"{found.path}:{found.line}"
        rule = colour(found.rule, _COLOURS[found.level])
        lines.append(f"{colour(printable(place), 'bold')}: {rule}: {printable(found.message)}")
        if found.hint:
            lines.append(f"    {colour('hint:', 'cyan')} {printable(found.hint)}")
    counts = Counter(found.level for found in findings)
    counted = [
        f"{counts[level]} {word}{'s' if counts[level] != 1 else ''}" for level, word in _COUNTED if counts[level]
    ]
    total = " and ".join(counted) or colour("clean", "green")
    return "\n".join([*lines, f"{printable(path)}: {total}"])


def as_json(findings: Sequence[Finding], path: str, colour: Colour) -> str:  # noqa: ARG001 - one signature for all
    """Return ``{"version": 1, "findings": [...]}``."""
    shown = {"findings": [found.as_json() for found in findings]}
    return json.dumps(versioned(shown), indent=2)


def as_github(findings: Sequence[Finding], path: str, colour: Colour) -> str:  # noqa: ARG001
    """Return workflow commands that GitHub Actions shows as annotations in the diff."""
    lines = []
    for found in findings:
        place = {"file": in_repository(found.path), "line": found.line or 1, "title": f"extreg {found.rule}"}
        properties = ",".join(f"{key}={_property(value)}" for key, value in place.items())
        text = f"{found.message}\n{found.hint}" if found.hint else found.message
        lines.append(f"::{_GITHUB[found.level]} {properties}::{_data(text)}")
    return "\n".join(lines)


FORMATS = {
    "text": as_text,
    "json": as_json,
    "github": as_github,
    "gitlab": as_gitlab,
    "junit": as_junit,
    "sarif": as_sarif,
}


def on(stream: Any) -> Colour:
    """Return what colours text for `stream`."""
    return lambda text, colour: coloured(text, colour, stream)


def _data(text: str) -> str:
    return printable(text, keep="\n").replace("%", "%25").replace("\n", "%0A")


def _property(value: object) -> str:
    return _data(str(value)).replace(":", "%3A").replace(",", "%2C")
