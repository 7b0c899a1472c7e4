"""The pytest plugin, in pytest runs of its own."""

import os
import subprocess
import sys
from importlib.metadata import entry_points

import pytest

import extreg

pytestmark = pytest.mark.slow


@pytest.fixture
def run_pytest(tmp_path):
    """Write the files, run pytest there with nothing but our plugin, and return its output and exit code."""

    (tmp_path / "pytest.ini").touch()  # the root of that run, whatever stands above

    def run(*arguments, **files):
        for name, text in files.items():
            (tmp_path / f"{name}.py").write_text(text)
        done = subprocess.run(
            [sys.executable, "-m", "pytest", "-p", "extreg.integrations.pytest", "-W", "error", *arguments],
            cwd=tmp_path,
            env={**os.environ, "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "PYTEST_ADDOPTS": ""},
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout + done.stderr, done.returncode

    return run


LEAKS = """
import copyreg, pickle
class Thing: pass

def test_one(isolated_copyreg):
    copyreg.add_extension(__name__, "Thing", 240)
    copyreg.pickle(Thing, lambda thing: (Thing, ()))
    pickle.loads(pickle.dumps(Thing()))

def test_two(isolated_copyreg):
    copyreg.add_extension(__name__, "other", 240)
    assert Thing not in copyreg.dispatch_table

copyreg.add_extension("somewhere", "Else", 241)

def test_three(empty_copyreg):
    assert copyreg._extension_registry == copyreg._inverted_registry == copyreg._extension_cache == {}
    assert complex in copyreg.dispatch_table

def test_four():
    assert copyreg._inverted_registry == {241: ("somewhere", "Else")}
"""


def test_the_fixtures_isolate_each_test(run_pytest):
    output, code = run_pytest(test_leaks=LEAKS)
    assert code == 0, output
    assert "4 passed" in output


def test_it_is_inert_until_used(run_pytest):
    check = """
import sys
def test_it():
    loaded = {name for name in sys.modules if name.startswith("extreg")}
    start = {"extreg", "extreg.ledger", "extreg.startup"}
    assert loaded == {*start, "extreg.integrations", "extreg.integrations.pytest"}, loaded
"""
    output, code = run_pytest(test_inert=check)
    assert code == 0, output
    assert "1 passed" in output


FAKE_LINT = """
import extreg.linter.run
def lint(path):
    text = path.read_text()
    if text == "boom":
        raise LookupError("boom")
    return [f"{path.name}:{n}: {line}" for n, line in enumerate(text.splitlines(), 1)]
extreg.linter.run.lint = lint
"""


@pytest.mark.parametrize(
    ("text", "code", "expected"),
    [
        ("", 0, ["1 passed", "registry.toml::extreg-lint PASSED"]),
        ("bad row\nworse row\n", 1, ["registry.toml:1: bad row", "registry.toml:2: worse row", "1 failed"]),
        ("boom", 1, ["LookupError: boom", "1 failed"]),
    ],
)
def test_the_lint_is_one_more_test_item(run_pytest, tmp_path, text, code, expected):
    (tmp_path / "registry.toml").write_text(text)
    output, got = run_pytest("-v", "--extreg-lint", conftest=FAKE_LINT)
    assert got == code, output
    for part in expected:
        assert part in output
    if "boom" not in text:
        assert "Traceback" not in output
        assert "plugin.py" not in output


def test_the_lint_item_can_be_given_a_file_and_be_deselected(run_pytest, tmp_path):
    (tmp_path / "codes.toml").write_text("bad row\n")
    output, code = run_pytest("--extreg-lint", "--extreg-registry", "codes.toml", conftest=FAKE_LINT)
    assert code == 1
    assert "codes.toml:1: bad row" in output
    output, code = run_pytest("--extreg-lint", "-k", "not lint", conftest=FAKE_LINT, test_x="def test_x(): pass\n")
    assert code == 0, output
    assert "1 deselected" in output


@pytest.mark.skipif(not hasattr(extreg, "lint"), reason="the lint is not there yet")
def test_the_true_lint_passes_a_clean_registry(run_pytest, tmp_path):
    (tmp_path / "registry.toml").write_text("format = 1\n")
    output, code = run_pytest("--extreg-lint")
    assert code == 0, output


def test_pytest_finds_it_by_its_entry_point():
    found = [entry.value for entry in entry_points(group="pytest11") if entry.name == "extreg"]
    if not found:
        pytest.skip("the installed metadata is older than the entry point")
    assert found[0] == "extreg.integrations.pytest"
