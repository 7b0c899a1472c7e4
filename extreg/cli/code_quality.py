"""Findings as GitLab shows them in a merge request: a code quality report."""

import json
from collections.abc import Sequence

from extreg.cli.identity import fingerprints, in_repository
from extreg.cli.output import Colour
from extreg.linter.finding import Finding
from extreg.printable import printable

# GitLab knows info, minor, major, critical and blocker. What breaks a promise fails the run: nothing is worse.
_SEVERITIES = {"error": "critical", "note": "info"}


def as_gitlab(findings: Sequence[Finding], path: str, colour: Colour) -> str:  # noqa: ARG001 - one signature for all
    """Return a code quality report (https://docs.gitlab.com/ci/testing/code_quality/): a JSON list, an entry a finding.

    Its paths are those of the repository; a finding about the whole file is shown where that begins.
    """
    entries = [
        {
            "description": printable(f"{found.message} ({found.hint})" if found.hint else found.message),
            "check_name": found.rule,
            "fingerprint": mark,
            "severity": _SEVERITIES[found.level],
            "location": {"path": printable(in_repository(found.path)), "lines": {"begin": found.line or 1}},
        }
        for found, mark in zip(findings, fingerprints(findings), strict=True)
    ]
    return json.dumps(entries, indent=2)
