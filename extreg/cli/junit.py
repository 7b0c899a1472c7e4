"""Findings as a report of tests that have failed, for what collects such reports."""

from collections.abc import Sequence

from extreg.cli.identity import in_repository
from extreg.cli.output import Colour
from extreg.linter.finding import Finding
from extreg.printable import printable


def as_junit(findings: Sequence[Finding], path: str, colour: Colour) -> str:  # noqa: ARG001 - one signature for all
    """Return JUnit's XML, as Jenkins and GitLab read it: a case that failed for each finding.

    A note is a case that passed and has something to say.  Where nothing was found, one case says so: many collectors
    take a report without any for a run that broke.
    """
    # Only who wants this format pays for it.
    from xml.etree import ElementTree

    failures = sum(found.level == "error" for found in findings)
    counts = {"tests": str(len(findings) or 1), "failures": str(failures), "errors": "0", "skipped": "0"}
    suites = ElementTree.Element("testsuites", counts)
    suite = ElementTree.SubElement(suites, "testsuite", {"name": "extreg", **counts})
    for found in findings:
        place = printable(in_repository(found.path))
        line = {"line": str(found.line)} if found.line else {}
        name = f"{found.rule}: line {found.line}" if found.line else found.rule
        case = ElementTree.SubElement(suite, "testcase", {"classname": place, "name": name, "file": place, **line})
        text = "\n".join(printable(said) for said in (found.message, found.hint) if said)
        if found.level == "error":
            failure = {"message": printable(found.message), "type": found.rule}
            ElementTree.SubElement(case, "failure", failure).text = text
        else:
            ElementTree.SubElement(case, "system-out").text = text
    if not findings:
        ElementTree.SubElement(suite, "testcase", {"classname": printable(in_repository(path)), "name": "clean"})
    ElementTree.indent(suites)
    # In ASCII, whatever the encoding of stdout is.
    report: bytes = ElementTree.tostring(suites, encoding="us-ascii", xml_declaration=True)
    return report.decode("ascii")
