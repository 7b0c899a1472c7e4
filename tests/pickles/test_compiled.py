"""The seam: whether there is a compiled core is decided once, and no start asks."""

import os
import subprocess
import sys

import pytest

import extreg
from extreg.compiled import STANDING, core

pytestmark = pytest.mark.slow


def told(code, folder, **variables):
    """Return what a process prints that runs `code` in `folder`."""
    environment = {**{k: v for k, v in os.environ.items() if k != "EXTREG_PURE"}, **variables}
    done = subprocess.run([sys.executable, "-c", code], cwd=folder, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_extreg_pure_switches_the_core_off(tmp_path):
    code = "from extreg.compiled import core, STANDING; print(core, STANDING)"
    assert told(code, tmp_path, EXTREG_PURE="1") == "None no compiled core"


def test_it_is_said_which_it_is():
    assert ("no compiled core" if core is None else "compiled core") == STANDING
    assert core is None or core.version == extreg.__version__


@pytest.mark.parametrize("version", ["0.0.1", "no version"])
def test_the_core_of_another_version_is_refused_with_a_warning(version, tmp_path):
    code = (
        "import sys, types, warnings, extreg; found = types.ModuleType('extreg._core'); found.__file__ = 'there';"
        f"version = {version!r};\n"
        "if version[0].isdigit(): found.version = version\n"
        "sys.modules['extreg._core'] = found\n"
        "with warnings.catch_warnings(record=True) as told:\n"
        "    warnings.simplefilter('always')\n"
        "    from extreg.compiled import core\n"
        "print(core, [str(one.message) for one in told])"
    )
    if sys.implementation.name != "cpython" or "free-threading" in sys.version:
        pytest.skip("it is not looked for here")
    wanted = f"extreg {extreg.__version__} does not use the compiled core there, which is of {version}: install again"
    assert told(code, tmp_path) == f"None [{wanted!r}]"


def test_a_warm_start_neither_imports_nor_looks_for_it(tmp_path):
    (tmp_path / "registry.toml").write_text('format = 1\n\n[codes]\n240 = "shop:Order"\n', encoding="utf-8")
    code = (
        "import sys; looked = []\n"
        "class Finder:\n"
        "    def find_spec(self, name, path=None, target=None): looked.append(name)\n"
        "sys.meta_path.insert(0, Finder())\n"
        "import extreg; extreg.install('registry.toml')\n"
        "print([name for name in looked if name in ('extreg.compiled', 'extreg._core')],"
        " 'extreg.compiled' in sys.modules, 'extreg.startup' in looked)"
    )
    for _ in range(2):  # cold, and warm
        assert told(code, tmp_path, XDG_CACHE_HOME=str(tmp_path)) == "[] False True"
