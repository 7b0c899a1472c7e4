"""What is in a jar, on each Python: that of the examples, and a thousand pickles of the standard library."""

import json
import pickle
import subprocess
import sys
import time
from pathlib import Path

import pytest

from extreg.jar.adding import Sample, add
from extreg.jar.folder import jar_folder
from extreg.project.effective import module_path, read_effective

from ..packs.kept import things
from .conftest import Project

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
MANY = 1000
# ZoneInfo is dumped by what no registry permits, and pathlib's bases have no code in the pack.
LEFT_OUT = {"zoneinfo", "path-classes"}


def test_the_jar_of_the_examples_written_on_3_10_is_as_recorded() -> None:
    line = [sys.executable, "-m", "extreg", "jar", "check"]
    done = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, encoding="utf-8", check=False)
    assert (done.returncode, done.stderr) == (0, ""), done.stdout
    assert done.stdout == f"{Path('tests', 'jar')}: 11 pickles, as recorded\n"
    records = [path.read_text(encoding="utf-8") for path in (ROOT / "tests" / "jar").glob("*.toml")]
    assert len(records) == 11
    assert all('\npython = "CPython 3.10.' in text for text in records)


def test_a_thousand_pickles_of_the_standard_library_are_checked_in_one_child(project: Project) -> None:
    """In about two seconds on an idle machine, ten on PyPy; in under twenty it has to be on every CPython."""
    project.write("registry.toml", 'format = 1\ninclude = ["extreg.packs.stdlib"]\n')
    path = project.folder / "registry.toml"
    registry = read_effective(path)
    made = {name: make() for name, make in things("stdlib").THINGS.items() if name not in LEFT_OUT}
    samples = [
        Sample(pickle.dumps((number, thing), protocol), f"{name}, protocol {protocol}")
        for number in range(MANY // 100)
        for protocol in range(6)
        for name, thing in made.items()
    ][:MANY]
    assert sum(one.new for one in add(samples, jar_folder(path), registry, module_path(path))) == MANY
    begun = time.perf_counter()
    done = project.run("jar", "check", "--format", "json")
    seconds = time.perf_counter() - begun
    found = json.loads(done.stdout)
    assert (done.returncode, found["checked"], found["findings"]) == (0, MANY, [])
    assert seconds < (20 if sys.implementation.name == "cpython" else 60)
