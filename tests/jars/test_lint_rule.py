"""no-sample: off until it is selected."""

import json

import pytest

from .conftest import Project

pytestmark = pytest.mark.once


def rules(project: Project, *options: str) -> "list[str]":
    done = project.run("lint", "--no-source", "--format", "json", *options)
    assert done.stderr == ""
    return [found["rule"] for found in json.loads(done.stdout)["findings"]]


@pytest.fixture
def kept(project: Project) -> Project:
    project.dump("order.pickle", "Order(7, [Line('a')])")
    assert project.run("jar", "add", "order.pickle").returncode == 0
    return project


def test_it_is_off_until_it_is_selected(kept: Project) -> None:
    assert rules(kept) == []
    assert rules(kept, "--select", "no-sample") == ["no-sample"] * 2
    assert rules(kept, "--extend-select", "no-sample") == ["no-sample"] * 2
    assert rules(kept, "--extend-select", "no-sample", "--ignore", "no-sample") == []
    kept.write("pyproject.toml", '[tool.extreg.lint]\nextend-select = ["no-sample"]\n')
    assert rules(kept) == ["no-sample"] * 2
    done = kept.run("lint", "--no-source")
    assert "registry.toml:6: no-sample: code 302 (shop:Money) has no sample in the jar" in done.stdout
    assert "hint: extreg jar add FILE, with a pickle of it" in done.stdout


def test_the_others_still_run(kept: Project) -> None:
    text = (kept.folder / "registry.toml").read_text()
    kept.write(
        "registry.toml", text.replace('300 = "shop:Line"\n301', "301").replace("302 =", '300 = "shop:Line"\n302 =')
    )
    assert sorted(rules(kept, "--extend-select", "no-sample")) == ["no-sample", "no-sample", "unsorted"]
    assert rules(kept, "--select", "unsorted", "--extend-select", "no-sample").count("no-sample") == 2


def test_a_comment_ignores_it(kept: Project) -> None:
    text = (kept.folder / "registry.toml").read_text()
    kept.write("registry.toml", text.replace('"shop:Odd"', '"shop:Odd"  # extreg: ignore[no-sample] nobody keeps it'))
    assert rules(kept) == []
    assert rules(kept, "--extend-select", "no-sample") == ["no-sample"]


def test_a_name_that_is_no_rule(project: Project) -> None:
    done = project.run("lint", "--extend-select", "no-sampel")
    assert (done.returncode, "did you mean no-sample?" in done.stderr) == (2, True)
    project.write("pyproject.toml", '[tool.extreg.lint]\nextend-select = ["x"]\n')
    assert "tool.extreg.lint.extend-select: there is no rule 'x'" in project.run("lint").stderr


def test_a_damaged_jar_is_not_clean(kept: Project) -> None:
    kept.records()[0].write_text("format = 1\n")
    assert kept.run("lint", "--no-source").returncode == 0
    done = kept.run("lint", "--no-source", "--extend-select", "no-sample")
    assert (done.returncode, "sha256: expected a string" in done.stderr) == (2, True)
