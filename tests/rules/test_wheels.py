"""unpackaged-registry against setuptools itself: what it says of a project is what happens when that is built."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from extreg.linter.check import check
from tests.rules.test_cases import CASES, context

pytestmark = [pytest.mark.slow, pytest.mark.once]

# What setuptools alone does not build, or needs more than literals for.
NOT_BUILT = {"pass-other-backend", "pass-plugin", "pass-not-built", "pass-setup-py-cannot-tell"}
BUILT = sorted(path for path in CASES.glob("unpackaged-registry/*") if path.name not in NOT_BUILT)
BUILD = """
import runpy, sys, pathlib, setuptools
sys.argv = ["setup.py", "-q", "build_py", "--build-lib", "out"]
if pathlib.Path("setup.py").exists():
    runpy.run_path("setup.py", run_name="__main__")
else:
    setuptools.setup()
"""


def carried(project: Path) -> list[str]:
    """Build what a wheel holds; return the registry files in it."""
    subprocess.run([sys.executable, "-W", "ignore", "-c", BUILD], cwd=project, check=True, capture_output=True)
    return [path.relative_to(project / "out").as_posix() for path in project.glob("out/**/registry.toml")]


def copied(case: Path, to: Path) -> Path:
    pytest.importorskip("setuptools", reason="pip install setuptools")
    project = to / "project"
    shutil.copytree(case / "tree", project)
    if (project / "pyproject.toml").exists():
        # Some versions take no other folder for a package.
        text = (project / "pyproject.toml").read_text()
        if "[tool.setuptools]\n" not in text:
            text += '\n[tool.setuptools.packages.find]\ninclude = ["shop*"]\n'
        (project / "pyproject.toml").write_text(text)
    return project


def test_there_are_projects_to_build() -> None:
    assert len(BUILT) >= 10


@pytest.mark.parametrize("case", BUILT, ids=lambda case: case.name)
def test_the_wheel_lacks_the_file_where_the_rule_says_so(case: Path, tmp_path: Path) -> None:
    assert bool(carried(copied(case, tmp_path))) is case.name.startswith("pass-")


@pytest.mark.parametrize("case", [path for path in BUILT if path.name.startswith("fail-")], ids=lambda case: case.name)
def test_what_the_hint_says_cures_it(case: Path, tmp_path: Path) -> None:
    project = copied(case, tmp_path)
    (finding,) = (found for found in check(context(case)) if found.rule == "unpackaged-registry")
    file, edit = finding.hint.removeprefix("in ").split(": ", 1)
    path = project / file
    text = path.read_text()
    if file == "setup.py":
        text = re.sub(r"package_data=.*?}", edit, text)
    elif "exclude" in edit:
        text = text[: text.index("[tool.setuptools.exclude-package-data]")]
    else:
        table, row = edit.split("] ")
        text = re.sub(r"^shop = .*\n", "", text, flags=re.MULTILINE).replace(f"{table}]\n", "") + f"\n{table}]\n{row}\n"
    path.write_text(text)
    assert carried(project)
