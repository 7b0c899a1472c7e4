"""What the import hook sees in processes of their own: real starts, real reloads."""

import gc
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow


def run(code, *args, cwd=None):
    done = subprocess.run(
        [sys.executable, "-W", "error", "-c", code, *args], capture_output=True, text=True, cwd=cwd, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.parametrize("name", ["_symtable", "__hello__", "_queue"])
def test_builtin_frozen_and_extension_modules_are_reported(name):
    pytest.importorskip(name, reason=f"this Python has no {name}")
    code = """
import sys
from extreg import importhook
seen = []
importhook.watch(after=lambda name, module, failed: seen.append((name, module.__name__, failed)))
name = sys.argv[1]
sys.modules.pop(name, None)
__import__(name)
assert (name, name, False) in seen, seen
assert "extreg" not in repr(sys.modules[name].__loader__)
print(type(sys.modules[name].__spec__.loader).__name__)
"""
    assert "Watched" not in run(code, name)


def test_a_module_promised_by_a_lazy_loader_before_the_watch_is_reported(tmp_path):
    (tmp_path / "promised.py").write_text("x = 1\n")
    code = """
import importlib.util, sys
spec = importlib.util.find_spec("promised")
spec.loader = importlib.util.LazyLoader(spec.loader)
module = importlib.util.module_from_spec(spec)
sys.modules["promised"] = module
spec.loader.exec_module(module)
from extreg import importhook
seen = []
importhook.watch(after=lambda *args: seen.append(args), modules={"promised"})
assert not seen and importhook.started("promised") is None
assert module.x == 1
assert seen == [("promised", module, False)], seen
assert type(module.__spec__.loader).__name__ == "SourceFileLoader"
"""
    run(code, cwd=tmp_path)


def test_a_loader_from_before_pep_451_still_loads():
    code = """
import sys, types, warnings
from importlib.machinery import ModuleSpec
from extreg import importhook
warnings.simplefilter("ignore")

class Old:
    def load_module(self, name):
        module = sys.modules[name] = types.ModuleType(name)
        module.x = 1
        return module

class Finder:
    def find_spec(self, name, path=None, target=None):
        return ModuleSpec(name, Old()) if name == "old" else None

seen = []
importhook.watch(after=lambda name, module, failed: seen.append((name, module.x, failed)), modules={"old"})
sys.meta_path.append(Finder())
if sys.version_info < (3, 15):
    import old
    assert old.x == 1 and seen == [("old", 1, False)], seen
"""
    run(code)


def test_the_package_that_starts_the_watch_in_its_own_init_is_reported_when_it_ends(tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "__init__.py").write_text(
        "import start\nimport shop.models\nclass Order: pass\n",
    )
    (tmp_path / "shop" / "models.py").write_text("")
    (tmp_path / "start.py").write_text(
        "from extreg import importhook\n"
        "seen = []\n"
        "for i in range(2):\n"
        "    importhook.watch(after=lambda name, module, failed, i=i: seen.append((i, name, 'Order' in vars(module),"
        " failed)), modules={'shop', 'shop.models'})\n"
    )
    code = """
import shop, start
from importlib.machinery import ModuleSpec
assert start.seen == [(0, "shop.models", False, False), (1, "shop.models", False, False),
                      (0, "shop", True, False), (1, "shop", True, False)], start.seen
assert type(shop.__spec__) is ModuleSpec and "_extreg_awaited" not in vars(shop.__spec__)
"""
    run(code, cwd=tmp_path)


def test_a_running_package_that_fails_is_reported_as_failed(tmp_path):
    (tmp_path / "shop.py").write_text("import start\n1/0\n")
    (tmp_path / "start.py").write_text(
        "from extreg import importhook\n"
        "seen = []\n"
        "importhook.watch(after=lambda name, module, failed: seen.append((name, failed)), modules={'shop'})\n"
    )
    code = """
try:
    import shop
except ZeroDivisionError:
    import start
    assert start.seen == [("shop", True)], start.seen
else:
    raise AssertionError
"""
    run(code, cwd=tmp_path)


def test_it_imports_nothing_that_a_started_interpreter_lacks():
    code = """
import sys
import extreg
before = set(sys.modules)
import extreg.importhook
print(sorted(set(sys.modules) - before - {"extreg.startup", "extreg.importhook"}))
"""
    assert run(code).strip() == "[]"


@pytest.mark.parametrize("mode", ["2", "3", "complete"])
def test_ipython_autoreload_is_reported(tmp_path, mode):
    pytest.importorskip("IPython", reason='pip install ".[test-full]"')
    (tmp_path / "edited.py").write_text("class A:\n    x = 1\n")
    script = Path(tmp_path / "drive.py")
    script.write_text(
        f"""
import os, time
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
def cell(text):
    shell.run_cell(text).raise_error()
cell("%load_ext autoreload")
cell("%autoreload {mode}")
cell("import sys; sys.path.insert(0, {str(tmp_path)!r})")
cell("import edited; before = edited.A")
cell("from extreg import importhook")
cell("seen = []; end = importhook.watch(after=lambda n, m, f: seen.append((n, f)), modules={{'edited'}})")
text = "class A:\\n    x = 22\\n\\nclass B:\\n    pass\\n\\nimport os\\n"
with open({str(tmp_path / "edited.py")!r}, "w") as file:
    file.write(text)
os.utime({str(tmp_path / "edited.py")!r}, (time.time() + 5, time.time() + 5))
cell("assert edited.A.x == 22, edited.A.x")
cell("assert seen == [('edited', False)] or edited.A is before, (seen, edited.A is before)")
cell("print('reported', seen)")
"""
    )
    done = subprocess.run(
        [sys.executable, str(script)],
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "IPYTHONDIR": str(tmp_path / "ipython"), "PYTHONDONTWRITEBYTECODE": "1"},
    )
    assert "reported" in done.stdout, done.stdout + done.stderr


@pytest.mark.skipif(
    not hasattr(gc, "set_threshold"), reason="the garbage collector of this Python is not told when to run"
)
def test_a_garbage_collection_that_imports_does_not_disturb_a_new_watch():
    code = """
import gc, sys, types
from extreg import importhook

class Imports:
    def __init__(self):
        self.me = self
    def __del__(self):
        sys.modules["collected" + str(id(self))] = types.ModuleType("collected")

for number in range(1000):
    sys.modules["many" + str(number)] = types.ModuleType("many")
# Pairs that are in use cannot be used again: new ones are counted by the garbage collector.
kept = [(object(), number) for number in range(5000)]
gc.set_threshold(300, 1000, 1000)
gc.collect()
garbage = [Imports() for _ in range(50)]
del garbage
importhook.watch(after=lambda *args: None)
while not any(name.startswith("collected") for name in dict(sys.modules)):
    gc.collect()
"""
    run(code)
