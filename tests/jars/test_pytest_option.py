"""``pytest --extreg-jar``: a test of each pickle in the jar."""

import os
import subprocess
import sys

import pytest

from .conftest import Project

pytestmark = [pytest.mark.slow, pytest.mark.once]


def run_pytest(project: Project, *options: str) -> "tuple[str, int]":
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "--rootdir", ".", *options],
        cwd=project.folder,
        env={**os.environ, "PYTEST_ADDOPTS": ""},
        capture_output=True,
        text=True,
        encoding="utf-8",
        check=False,
    )
    return done.stdout + done.stderr, done.returncode


@pytest.fixture
def kept(project: Project) -> Project:
    project.write("pytest.ini", "[pytest]\n")
    for name, expression in {"order": "Order(7, [Line('a')])", "money": "Money(1, 'EUR')"}.items():
        project.dump(name, expression)
        assert project.run("jar", "add", "--no-redact", name).returncode == 0
    return project


def test_each_pickle_is_a_test(kept: Project) -> None:
    output, code = run_pytest(kept, "-v", "--extreg-jar")
    assert code == 0, output
    assert "2 passed" in output
    for record in kept.records():
        assert f"tests/jar/{record.stem}.pickle::extreg-jar PASSED" in output


def test_without_the_option_there_is_none(kept: Project) -> None:
    assert run_pytest(kept)[1] == pytest.ExitCode.NO_TESTS_COLLECTED


def test_a_finding_is_a_failure_and_its_text_the_report(kept: Project) -> None:
    kept.change("shop.py", "class Order:", "class Order:\n    note: str")
    kept.change("shop.py", "self.lines = lines", "self.lines = lines\n        self.note = None")
    output, code = run_pytest(kept, "--extreg-jar")
    assert code == 1
    assert "1 failed, 1 passed" in output
    assert "lacking: an object of shop:Order has no note, assigned in Order.__init__: .note" in output
    assert "    +   .note: not there" in output
    assert "Traceback" not in output
    output, code = run_pytest(kept, "--extreg-jar", "-k", "Money")
    assert (code, "1 passed, 1 deselected" in output) == (0, True)


def test_all_are_loaded_in_one_child(kept: Project) -> None:
    kept.change(
        "shop.py", "from dataclasses", "with open('loads', 'a') as file:\n    file.write('x')\nfrom dataclasses"
    )
    output, code = run_pytest(kept, "--extreg-jar")
    assert code == 0, output
    assert (kept.folder / "loads").read_text() == "x"


def test_another_registry_and_an_empty_jar(kept: Project) -> None:
    (kept.folder / "codes").mkdir()
    (kept.folder / "registry.toml").rename(kept.folder / "codes" / "registry.toml")
    kept.jar.parent.rename(kept.folder / "codes" / "tests")
    output, code = run_pytest(kept, "--extreg-jar", "--extreg-registry", "codes/registry.toml")
    assert (code, "2 passed" in output) == (0, True), output
    output, code = run_pytest(kept, "--extreg-jar")
    assert code == pytest.ExitCode.USAGE_ERROR
    assert "there is no entry in the jar" in output
