"""SARIF 2.1.0: the log is held to the standard's schema."""

import json
import os
import sys
from pathlib import Path

import pytest

from extreg.linter.check import BY_NAME

pytestmark = [pytest.mark.slow, pytest.mark.once]

jsonschema = pytest.importorskip("jsonschema", reason="pip install jsonschema")

SUBSET = Path(__file__).parent / "data" / "sarif-subset.schema.json"


@pytest.fixture
def log(extreg, project):
    """A log with findings with and without a line, in a file whose name needs quoting."""
    (project / "with space").mkdir()
    (project / "old.toml").write_text('format = 1\n[codes]\n200 = "shop:Gone"\n')
    (project / "with space" / "registry.toml").write_text('format = 1\n[codes]\n300 = "shop:Order"\n')
    done = extreg("lint", "--registry", "with space/registry.toml", "--against", "old.toml", "--format", "sarif")
    assert done.returncode == 1
    return json.loads(done.stdout)


def test_the_log_has_the_properties_that_the_standard_asks_for(log) -> None:
    """By the rules for what we write, taken from the standard's text."""
    jsonschema.validate(log, json.loads(SUBSET.read_text()))


@pytest.mark.skipif("SARIF_SCHEMA" not in os.environ, reason="set SARIF_SCHEMA to a copy of sarif-schema-2.1.0.json")
def test_the_log_satisfies_the_whole_public_schema(log) -> None:
    """The schema is 100 kB of OASIS's; who has a copy runs this."""
    jsonschema.validate(log, json.loads(Path(os.environ["SARIF_SCHEMA"]).read_text()))


def test_each_result_names_its_rule_and_place(log) -> None:
    results = log["runs"][0]["results"]
    rules = log["runs"][0]["tool"]["driver"]["rules"]
    assert [rule["id"] for rule in rules] == list(BY_NAME)
    assert {rules[result["ruleIndex"]]["id"] for result in results} == {result["ruleId"] for result in results}
    places = [result["locations"][0]["physicalLocation"] for result in results]
    assert {place["artifactLocation"]["uri"] for place in places} == {"with%20space/registry.toml"}
    # What is about the whole file is shown on its first line.
    assert [place["region"] for place in places] == [{"startLine": 1}, {"startLine": 3}]


def test_each_rule_says_where_it_is_explained(log) -> None:
    page = (Path(__file__).parents[2] / "docs" / "rules.md").read_text(encoding="utf-8")
    for rule in log["runs"][0]["tool"]["driver"]["rules"]:
        address, _, anchor = rule["helpUri"].partition("#")
        assert address.startswith("https://")
        assert f"\n### {anchor}\n" in page
        assert anchor == rule["id"]


def marks(done) -> dict[str, str]:
    results = json.loads(done.stdout)["runs"][0]["results"]
    found = {result["message"]["text"]: result["partialFingerprints"]["primaryLocationLineHash"] for result in results}
    assert len(set(found.values())) == len(results)
    return found


def test_a_finding_is_known_again_when_lines_have_moved(extreg, project) -> None:
    registry = project / "registry.toml"
    rows = '301 = "shop:Order"\n302 = "shop:Nothing"\n300 = "shop:Nothing.More"\n'
    registry.write_text(f"format = 1\n[codes]\n{rows}")
    before = marks(extreg("lint", "--format", "sarif"))
    registry.write_text(f"format = 1\n\n# a comment\n# and another\n[codes]\n{rows}")
    assert list(marks(extreg("lint", "--format", "sarif")).values()) == list(before.values())
    registry.write_text(f"format = 1\n[codes]\n{rows.replace('Nothing', 'Other')}")
    other = marks(extreg("lint", "--format", "sarif"))
    # Those about the first row, and that the rows are unsorted.
    assert len(set(other.values()) & set(before.values())) == 2


SHOWN = {
    "sarif": '"uri": "{}"',
    "github": "file={},line=3",
    "gitlab": '"path": "{}"',
    "junit": 'file="{}" line="3"',
}


@pytest.mark.parametrize("name", SHOWN)
def test_paths_are_those_of_the_repository(extreg, project, git, tmp_path, name: str) -> None:
    """Wherever lint is run, and whatever leads to the file."""
    (project / "deep" / "er").mkdir(parents=True)
    (project / "deep" / "registry.toml").write_text('format = 1\n[codes]\n300 = "shop:Order"\n')
    (tmp_path / "link").symlink_to(project / "deep")
    for cwd, path in (
        (project, "deep"),
        (project / "deep" / "er", None),
        (tmp_path, "project/deep/registry.toml"),
        (tmp_path, str(project / "deep" / "registry.toml")),
    ):
        done = extreg("lint", "--format", name, *(["--registry", path] if path else []), cwd=cwd)
        assert SHOWN[name].format("deep/registry.toml") in done.stdout


@pytest.mark.parametrize("name", ["sarif", "github"])
def test_outside_a_repository_paths_are_those_of_the_working_directory(extreg, project, name: str) -> None:
    (project / "registry.toml").write_text('format = 1\n[codes]\n300 = "shop:Order"\n')
    for cwd, path in ((project, "registry.toml"), (project.parent, "project/registry.toml")):
        done = extreg("lint", "--registry", path, "--format", name, cwd=cwd)
        assert (f'"uri": "{path}"' if name == "sarif" else f"file={path},line=3") in done.stdout
    done = extreg("lint", "--registry", str(project / "registry.toml"), "--format", name, cwd=project / "shop")
    place = str(project / "registry.toml")
    assert (f'"uri": "file://{place}"' if name == "sarif" else f"file={place},line=3") in done.stdout


@pytest.mark.skipif(sys.platform != "linux", reason="names of files are bytes there")
@pytest.mark.parametrize("name", ["sarif", "github", "json", "text", "gitlab", "junit"])
def test_a_path_that_is_no_text(extreg, project, name: str) -> None:
    folder = os.fsdecode(os.fsencode(project) + b"/caf\xe9")
    os.mkdir(folder)
    Path(folder, "registry.toml").write_text('format = 1\n[codes]\n300 = "shop:Order"\n')
    done = extreg("lint", "--registry", folder, "--format", name)
    assert (done.returncode, done.stderr) == (1, "")
    assert ("caf%E9/registry.toml" if name == "sarif" else "caf\\") in done.stdout
    if name in ("sarif", "json", "gitlab"):
        json.loads(done.stdout)


def test_a_clean_run_is_a_log_too(extreg) -> None:
    done = extreg("lint", "--format", "sarif")
    assert done.returncode == 0
    assert json.loads(done.stdout)["runs"][0]["results"] == []
