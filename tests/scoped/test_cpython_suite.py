"""CPython's own tests of pickle pass with an instance of its C module in the place of the one there is."""

import subprocess
import sys

import pytest

from extreg.scoped import private

pytest.importorskip("test.test_pickle", reason="this Python comes without its test suite")

# The instance has the process-wide tables, since the tests look at them, but for the cache, which is a new one.
PROGRAM = """
import copyreg, sys, unittest
import pickle
from extreg.scoped import private

copyreg._extension_cache = {}
made = private._executed(copyreg._extension_registry, copyreg._inverted_registry, copyreg._extension_cache)
assert made is not sys.modules["_pickle"]
sys.modules["_pickle"] = made
for name in [name for name in sys.modules if name == "pickle" or name.split(".")[0] == "extreg"]:
    del sys.modules[name]
import pickle

assert pickle.Pickler is made.Pickler
from test import test_pickle

unittest.main(test_pickle, argv=["test_pickle"], verbosity=0)
"""


@pytest.mark.slow
@pytest.mark.skipif(private.bare() is None, reason="this Python gives no private instance")
def test_cpython_s_own_tests_pass_with_an_instance_in_the_place_of_its_c_module(tmp_path):
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-4000:]
    assert "\nOK" in done.stderr
