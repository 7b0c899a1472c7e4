"""A pool of interpreters installs by its initializer, and its log tells what went wrong there."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.version_info < (3, 14), reason="InterpreterPoolExecutor came with 3.14")

PROGRAM = """
import pickle, sys
from concurrent.futures import InterpreterPoolExecutor
from decimal import Decimal
import extreg
{setting}
if __name__ == "__main__":
    with InterpreterPoolExecutor(2, initializer={initializer}, initargs={arguments}) as pool:
        dumped = pool.map(pickle.dumps, map(Decimal, range(8)), [4] * 8)
        print(all(b"\\x83\\x2c\\x01" in data for data in dumped))
"""


@pytest.fixture
def start(tmp_path):
    (tmp_path / "registry.toml").write_text('format = 1\n[codes]\n300 = "decimal:Decimal"\n')
    (tmp_path / "heavy.py").write_text("import extreg, main_only\ndef start(path): extreg.install(path)\n")
    (tmp_path / "main_only.py").write_text(
        "import _interpreters\n"
        "if _interpreters.get_current() != _interpreters.get_main(): raise ImportError('the main one only')\n"
    )

    def start(initializer, *arguments, setting=""):
        program = tmp_path / "program.py"
        program.write_text(PROGRAM.format(setting=setting, initializer=initializer, arguments=arguments))
        line = [sys.executable, "-B", str(program)]
        return subprocess.run(line, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)

    return start


@pytest.mark.parametrize("kind", ["str", "pathlib.Path", "extreg.Registry.load"])
def test_install_is_the_initializer_of_a_pool_without_a_cache(start, tmp_path, kind):
    setting = f"import functools, pathlib; begin = functools.partial(extreg.install, {kind}('registry.toml'))"
    done = start("begin", setting=setting)
    assert (done.stdout, done.stderr) == ("True\n", "")
    assert not (tmp_path / "__pycache__" / f"registry.{sys.implementation.cache_tag}.extreg").exists()


@pytest.mark.parametrize(
    ("source", "message"),
    [("nowhere.toml", "cannot read"), ("no_such_package", "there is no package 'no_such_package'")],
)
def test_the_log_has_the_error_of_an_install_that_failed(start, source, message):
    done = start("extreg.install", source)
    assert "BrokenInterpreterPool" in done.stderr
    assert f"extreg.errors.UnreadableError: {message}" in done.stderr


def test_the_log_begins_with_what_not_shareable_hides(start):
    """What docs/install.md says of an initializer that the new interpreter cannot import."""
    done = start("heavy.start", "registry.toml", setting="import heavy")
    first, _, rest = done.stderr.partition("NotShareableError")
    assert "ImportError: the main one only" in first
    assert "NotShareableError: args not shareable" in rest
    in_script = "import main_only\ndef begin(path): extreg.install(path)"
    first, _, rest = start("begin", "registry.toml", setting=in_script).stderr.partition("NotShareableError")
    assert "AttributeError: module '__main__' has no attribute 'begin'" in first
    assert "NotShareableError: args not shareable" in rest
