"""Findings as SARIF 2.1.0, the static analysis results interchange format of OASIS."""

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any
from urllib.parse import quote

from extreg import __version__
from extreg.cli.identity import fingerprints, in_repository
from extreg.cli.output import Colour
from extreg.linter.check import BY_NAME, OPTIONAL
from extreg.linter.finding import Finding
from extreg.linter.rule_pages import PAGE, documentation, summary
from extreg.printable import printable

SARIF_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


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


def _uri(path: str) -> str:
    place = in_repository(path)
    return Path(place).as_uri() if Path(place).is_absolute() else quote(os.fsencode(place))
