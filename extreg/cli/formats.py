"""Findings as text, JSON, GitHub annotations and SARIF."""

import json
import os
import re
from collections import Counter
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from extreg import __version__
from extreg.cli.output import coloured, versioned
from extreg.linter.check import BY_NAME, OPTIONAL
from extreg.linter.finding import Finding
from extreg.linter.rule_pages import PAGE, documentation, summary
from extreg.printable import printable

SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"

# Where something else stands, which may move too.
_LINES = re.compile(r"\blines? [0-9]+(?:(?:, | and )[0-9]+)*|:[0-9]+\b")

_COLOURS = {"error": "red", "note": "cyan"}
_GITHUB = {"error": "error", "note": "notice"}
_COUNTED: tuple[tuple[Literal["error", "note"], str], ...] = (("error", "finding"), ("note", "note"))

Colour = Callable[[str, str], str]


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


def as_sarif(findings: Sequence[Finding], path: str, colour: Colour) -> str:  # noqa: ARG001
    """Return a SARIF 2.1.0 log (OASIS standard) with one run, which names all rules."""
    rules = [
        {
            "id": name,
            "shortDescription": {"text": summary(rule)},
            "help": {"text": documentation(rule)},
            "helpUri": f"{PAGE}#{name}",
            "defaultConfiguration": {"level": "error", **({"enabled": False} if name in OPTIONAL else {})},
        }
        for name, rule in BY_NAME.items()
    ]
    driver = {"name": "extreg", "version": __version__, "rules": rules}
    results = [_result(found, mark) for found, mark in zip(findings, fingerprints(findings), strict=True)]
    run = {"tool": {"driver": driver}, "columnKind": "unicodeCodePoints", "results": results}
    log = {"$schema": SARIF_SCHEMA, "version": "2.1.0", "runs": [run]}
    return json.dumps(log, indent=2)


FORMATS = {"text": as_text, "json": as_json, "github": as_github, "sarif": as_sarif}


def on(stream: Any) -> Colour:
    """Return what colours text for `stream`."""
    return lambda text, colour: coloured(text, colour, stream)


def _result(found: Finding, fingerprint: str) -> dict[str, Any]:
    place = {
        "artifactLocation": {"uri": _uri(found.path)},
        "region": {"startLine": found.line or 1},  # what is about the whole file is shown where it begins
    }
    return {
        "ruleId": found.rule,
        "ruleIndex": list(BY_NAME).index(found.rule),
        "level": found.level,
        "message": {"text": printable(f"{found.message} ({found.hint})" if found.hint else found.message)},
        "locations": [{"physicalLocation": place}],
        "partialFingerprints": {"primaryLocationLineHash": fingerprint},
    }


def fingerprints(findings: Sequence[Finding]) -> list[str]:
    """Return for each finding what it can be known by again when lines have moved: 16 hexadecimal digits and a number.

    The number tells those apart that are otherwise the same, in the order of the file.  GitHub reads them as those that
    it would compute itself (https://docs.github.com/code-security, SARIF support, "partialFingerprints").
    """
    seen: Counter[str] = Counter()
    marks = []
    for found in findings:
        said = "\0".join((found.rule, in_repository(found.path), _LINES.sub("", found.message)))
        digest = sha256(said.encode(errors="surrogatepass")).hexdigest()[:16]
        seen[digest] += 1
        marks.append(f"{digest}:{seen[digest]}")
    return marks


def in_repository(path: str) -> str:
    """Return `path` as seen from the top of the repository that it is in, where CI looks it up.

    Without a repository: from the working directory, where it is below that.
    """
    place = Path(os.path.abspath(path))  # noqa: PTH100 - a link stays the file that it is in the repository
    top = next((folder for folder in place.parents if (folder / ".git").exists()), Path.cwd())
    return place.relative_to(top).as_posix() if place.is_relative_to(top) else place.as_posix()


def _uri(path: str) -> str:
    place = in_repository(path)
    return Path(place).as_uri() if Path(place).is_absolute() else quote(os.fsencode(place))


def _data(text: str) -> str:
    return printable(text, keep="\n").replace("%", "%25").replace("\n", "%0A")


def _property(value: object) -> str:
    return _data(str(value)).replace(":", "%3A").replace(",", "%2C")
