"""SARIF 2.1.0: the log is held to the standard's schema."""

import json
import os
from pathlib import Path

import pytest

from extreg.rules import BY_NAME

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
    assert [place.get("region") for place in places] == [None, {"startLine": 3}]


def test_a_clean_run_is_a_log_too(extreg) -> None:
    done = extreg("lint", "--format", "sarif")
    assert done.returncode == 0
    assert json.loads(done.stdout)["runs"][0]["results"] == []
