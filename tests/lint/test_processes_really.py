"""late-install and engine-without-codes against real children: what is found is so, and what is well is passed."""

import multiprocessing
import subprocess
import sys
from pathlib import Path

import pytest

from extreg import lint

pytestmark = [pytest.mark.slow, pytest.mark.skipif(sys.platform == "win32", reason="has no forkserver")]

REGISTRY = 'format = 1\n\n[codes]\n300 = "shop:Order"\n'
PROJECT = '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.10"\n'
# Each prints how many codes a child has.
CHILD = "import copyreg\ndef known(_=None):\n    return len(copyreg._extension_registry)\n"
IMPORTS = """
import multiprocessing
from concurrent.futures import ProcessPoolExecutor
import extreg
from child import known
"""
RUN = "print(list(pool.map(known, [0])))"
PROGRAMS = {
    "in a function, spawn": """
def main():
    extreg.install()
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        {run}
if __name__ == "__main__":
    main()
""",
    "under the guard, forkserver": """
if __name__ == "__main__":
    extreg.install()
    with ProcessPoolExecutor(1, multiprocessing.get_context("forkserver")) as pool:
        {run}
""",
    "set for all": """
def main():
    multiprocessing.set_start_method("spawn")
    with extreg.install(), ProcessPoolExecutor(1) as pool:
        {run}
if __name__ == "__main__":
    main()
""",
    "at the top": """
extreg.install()
if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        {run}
""",
    "in what the top imports": """
import codes
if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        {run}
""",
    "a function called at the top": """
def start():
    extreg.install()
start()
if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        {run}
""",
    "an initializer": """
if __name__ == "__main__":
    extreg.install()
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn"), extreg.install) as pool:
        {run}
""",
    "fork": """
if __name__ == "__main__":
    extreg.install()
    with multiprocessing.get_context("fork").Pool(1) as pool:
        {run}
""",
    "nothing installs": """
if __name__ == "__main__":
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        {run}
""",
    "by default": """
if __name__ == "__main__":
    extreg.install()
    with ProcessPoolExecutor(1) as pool:
        {run}
""",
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_what_is_found_is_so(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "registry.toml").write_text(REGISTRY)
    (tmp_path / "pyproject.toml").write_text(PROJECT)
    (tmp_path / "child.py").write_text(CHILD)
    if "import codes" in PROGRAMS[name]:
        (tmp_path / "codes.py").write_text("import extreg\nextreg.install()\n")
    (tmp_path / "main.py").write_text(IMPORTS + PROGRAMS[name].format(run=RUN))
    found = [finding.rule for finding in lint(select=("late-install", "engine-without-codes"))]
    done = subprocess.run([sys.executable, "main.py"], capture_output=True, text=True, timeout=60)
    assert done.stdout in ("[0]\n", "[1]\n"), done.stderr
    if name == "by default" and multiprocessing.get_start_method() == "fork":
        pytest.skip("children are forked here unless somebody says otherwise")
    assert bool(found) is (done.stdout == "[0]\n")
    assert len(found) <= 1
