"""Findings as GitLab and JUnit have them."""

import json
from xml.etree import ElementTree

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.once]

ROWS = '300 = "shop:Order"\n301 = "shop:Nothing"\n302 = "shop:<&\\"\']]>"\n'


def gitlab(done) -> list[dict]:
    return json.loads(done.stdout)


def test_a_code_quality_report_has_what_gitlab_asks_for(extreg, project) -> None:
    (project / "registry.toml").write_text(f"format = 1\n[codes]\n{ROWS}")
    done = extreg("lint", "--format", "gitlab")
    entries = gitlab(done)
    plain = json.loads(extreg("lint", "--format", "json").stdout)["findings"]
    assert done.returncode == 1
    assert [entry["check_name"] for entry in entries] == [found["rule"] for found in plain]
    for entry, found in zip(entries, plain, strict=True):
        assert set(entry) == {"description", "check_name", "fingerprint", "severity", "location"}
        assert entry["description"].startswith(found["message"])
        assert entry["severity"] in {"info", "critical"}
        assert entry["location"] == {"path": "registry.toml", "lines": {"begin": found["line"] or 1}}
    assert len({entry["fingerprint"] for entry in entries}) == len(entries)


def test_gitlab_knows_a_finding_again_when_lines_have_moved(extreg, project) -> None:
    (project / "registry.toml").write_text(f"format = 1\n[codes]\n{ROWS}")
    before = [entry["fingerprint"] for entry in gitlab(extreg("lint", "--format", "gitlab"))]
    (project / "registry.toml").write_text(f"format = 1\n\n# a comment\n[codes]\n{ROWS}")
    assert [entry["fingerprint"] for entry in gitlab(extreg("lint", "--format", "gitlab"))] == before


def test_a_finding_is_a_test_that_failed(extreg, project) -> None:
    (project / "registry.toml").write_text(f"format = 1\n[codes]\n{ROWS}")
    done = extreg("lint", "--format", "junit")
    report = ElementTree.fromstring(done.stdout)
    plain = json.loads(extreg("lint", "--format", "json").stdout)["findings"]
    (suite,) = report
    assert done.returncode == 1
    assert suite.get("tests") == report.get("tests") == str(len(plain))
    failed = [found for found in plain if found["level"] == "error"]
    assert suite.get("failures") == str(len(failed)) == str(len(suite.findall("testcase/failure")))
    assert [failure.get("message") for failure in suite.iter("failure")] == [found["message"] for found in failed]
    assert [failure.get("type") for failure in suite.iter("failure")] == [found["rule"] for found in failed]
    assert all(case.get("classname") == "registry.toml" for case in suite)
    assert done.stdout.isascii()


def test_a_clean_run_is_a_test_that_passed(extreg) -> None:
    assert gitlab(extreg("lint", "--format", "gitlab")) == []
    done = extreg("lint", "--format", "junit")
    ((case,),) = ElementTree.fromstring(done.stdout)
    assert (done.returncode, case.get("classname"), case.get("name"), len(case)) == (0, "registry.toml", "clean", 0)


@pytest.mark.parametrize(
    ("variables", "shown"),
    [
        ({}, False),
        ({"FORCE_COLOR": "1"}, True),
        ({"FORCE_COLOR": ""}, False),
        ({"FORCE_COLOR": "1", "NO_COLOR": "1"}, False),
    ],
)
def test_colour_can_be_forced(extreg, variables, shown) -> None:
    assert ("\033[" in extreg("lint", environment=variables).stdout) is shown
