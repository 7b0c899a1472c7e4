"""CPython's own tests of copyreg and of pickle's extension codes pass beside an installed registry."""

import subprocess
import sys

import pytest

pytest.importorskip("test.test_copyreg", reason="this Python comes without its test suite")

PROGRAM = """
import copyreg, sys, unittest
import extreg

installation = extreg.install(extreg.Registry(
    codes={code: f"unrelated_module:Class{code}" for code in range(300, 800)},
    load_only={code: f"unrelated_module:Other{code}" for code in range(800, 900)},
))
before = dict(copyreg._extension_registry), dict(copyreg._inverted_registry)

from test import test_copyreg, test_pickle

def each(suite):
    for entry in suite:
        if isinstance(entry, unittest.TestSuite):
            yield from each(entry)
        else:
            yield entry

load = unittest.defaultTestLoader.loadTestsFromModule
chosen = list(each(load(test_copyreg)))
of_pickle = [test for test in each(load(test_pickle)) if "ext" in test.id().rpartition(".")[2]]
assert len(of_pickle) >= 10, "where have the extension tests gone?"
result = unittest.TextTestRunner(verbosity=0).run(unittest.TestSuite(chosen + of_pickle))
assert (dict(copyreg._extension_registry), dict(copyreg._inverted_registry)) == before
print(result.testsRun, len(of_pickle))
raise SystemExit(not result.wasSuccessful())
"""


def test_the_copyreg_and_extension_tests_of_cpython_pass(tmp_path):
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
