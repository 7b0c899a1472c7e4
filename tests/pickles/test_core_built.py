"""The compiled core, built here where there is a C compiler, under the tests that are for it."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

import extreg
from extreg.compiled import core

SOURCE = Path(extreg.__file__).with_name("_core.c")
HEADER = Path(sysconfig.get_path("include"), "Python.h")
CC = shutil.which("cc") or shutil.which("gcc") or shutil.which("clang")

pytestmark = [
    pytest.mark.slow,
    pytest.mark.once,
    pytest.mark.skipif(sys.platform == "win32", reason="a line for compilers of Unix"),
    pytest.mark.skipif(CC is None or not HEADER.exists(), reason="no C compiler, or no Python.h"),
    pytest.mark.skipif(core is not None, reason="it is in use here, and tested as such"),
]

# As if it had been found beside the package.
START = """
import importlib.util, sys
spec = importlib.util.spec_from_file_location("extreg._core", sys.argv[1])
sys.modules["extreg._core"] = core = importlib.util.module_from_spec(spec)
spec.loader.exec_module(core)
import pytest
sys.exit(pytest.main(sys.argv[2:]))
"""
TESTS = ("pickles/test_core.py", "pickles/test_compiled.py", "census/test_plain.py", "scoped/test_quick.py")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Compile the core."""
    made = tmp_path_factory.mktemp("core") / "_core.abi3.so"
    version = f'-DEXTREG_VERSION="{extreg.__version__}"'
    options = ["-std=c11", "-O2", "-shared", "-fPIC", version, f"-I{HEADER.parent}"]
    if sys.platform == "darwin":
        options += ["-undefined", "dynamic_lookup"]
    done = subprocess.run([CC, *options, "-o", str(made), str(SOURCE)], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return made


def test_it_does_what_the_reference_does(built: Path) -> None:
    here = Path(__file__).parents[1]
    options = ["-q", "-p", "no:cacheprovider", "-o", "addopts=--import-mode=importlib", "-m", "not soak"]
    line = [sys.executable, "-c", START, str(built), *options, *(str(here / name) for name in TESTS)]
    environment = {name: value for name, value in os.environ.items() if name != "EXTREG_PURE"}
    done = subprocess.run(line, cwd=here.parent, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "skipped" not in done.stdout.splitlines()[-1]
