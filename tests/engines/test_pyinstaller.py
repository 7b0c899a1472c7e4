"""An application frozen by PyInstaller finds its registry, tomli or tomllib, and all that is loaded later."""

import os
import subprocess
import sys
from importlib.metadata import entry_points

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.once]

PROGRAM = """
import copyreg, pickle, sys
import extreg
from shop import Order

extreg.install()
assert copyreg._inverted_registry[300] == ("shop", "Order")
assert copyreg._inverted_registry[66000][0].startswith("numpy")
data = pickle.dumps(Order("x", []), 4)
assert b"shop" not in data
assert pickle.loads(data) == Order("x", [])
assert extreg.loads(data, extreg.Registry(codes={300: "shop:Order"})) == Order("x", [])
assert extreg.install("extreg.packs.stdlib").installed
print("frozen", getattr(sys, "frozen", False), len(extreg.standing().fingerprint))
"""


def test_a_frozen_application(shop):
    pytest.importorskip("PyInstaller")
    if not entry_points(group="pyinstaller40", name="hook-dirs"):
        pytest.skip("this extreg was installed before it had a hook")
    numpy_pack = 'include = ["extreg.packs.numpy"]\n'
    registry = shop / "registry.toml"
    registry.write_text(registry.read_text().replace("\n[codes]", f"{numpy_pack}\n[codes]", 1))
    (shop / "program.py").write_text(PROGRAM)
    line = [sys.executable, "-m", "PyInstaller", "--log-level", "ERROR", "--noconfirm", "program.py"]
    env = {**os.environ, "PYINSTALLER_CONFIG_DIR": str(shop / "config")}
    done = subprocess.run(line, cwd=shop, env=env, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    program = shop / "dist" / "program" / "program"
    done = subprocess.run([program], cwd="/", capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout) == (0, "frozen True 16\n"), done.stderr
