"""Former names as a registry and `install` switch them on, and what that costs a start."""

import pickle
import subprocess
import sys

import pytest

import extreg
from extreg import healing
from extreg.errors import RegistryError
from extreg.registry.model import Registry

FILE = """
format = 1
{switch}
[codes]
300 = "hshop.new:Box"

[load-only]
301 = "hshop.new:Bag"

[moved]
300 = ["hshop.boxes:Box", "hshop.old:Box"]
301 = ["hshop.boxes:Bag"]

[aliases]
300 = ["hshop._fast:Box"]

[renamed]
"hshop.util:Lid" = "hshop.new:Lid"
"hshop.whole" = "hshop.new"
"hshop.now:Lid" = "hshop.newest:Lid"
"hshop.new:Lid" = "hshop.latest:Lid"
"""
NEW = "class Box: pass\nclass Bag: pass\nclass Lid: pass\n"


@pytest.fixture(autouse=True)
def nothing_is_left():
    yield
    extreg.uninstall()
    assert healing.standing == {}


def registry(folder, switch="former-names = true", **more):
    path = folder / "registry.toml"
    path.write_text(FILE.format(switch=switch))
    return path


def load(target, protocol=2):
    module, _, name = target.partition(":")
    return pickle.loads(b"\x80%cc%s\n%s\n." % (protocol, module.encode(), name.encode()))


@pytest.mark.parametrize("source", ["a file", "a warm file", "a value"])
def test_all_that_the_registry_records_is_found(source, project, monkeypatch):
    folder = project(hshop__new=NEW)
    monkeypatch.setattr(sys, "dont_write_bytecode", source == "a value")
    path = registry(folder)
    if source == "a warm file":
        extreg.install(path).uninstall()
    installation = extreg.install(Registry.load(path) if source == "a value" else path)
    new = __import__("hshop.new").new
    for protocol in range(6):
        for name in ("hshop.boxes:Box", "hshop.old:Box", "hshop._fast:Box"):
            assert load(name, protocol) is new.Box
        assert load("hshop.boxes:Bag", protocol) is new.Bag
        # Its newest name is not here, because the library is older.
        assert load("hshop.util:Lid", protocol) is load("hshop.latest:Lid", protocol) is new.Lid
    with pytest.raises(ModuleNotFoundError):
        load("hshop.whole:Box")
    with pytest.raises(AttributeError):
        load("hshop.now:Lid")
    installation.uninstall()
    with pytest.raises(ModuleNotFoundError):
        load("hshop.boxes:Box")


@pytest.mark.parametrize(
    ("switch", "argument", "on"),
    [("", None, False), ("", True, True), ("former-names = false", None, False), ("former-names = true", False, False)],
)
def test_the_argument_comes_before_the_file(switch, argument, on, project):
    path = registry(project(hshop__new=NEW), switch)
    extreg.install(path, former_names=argument)
    if on:
        assert load("hshop.old:Box").__module__ == "hshop.new"
        return
    with pytest.raises(ModuleNotFoundError):
        load("hshop.old:Box")


def test_an_included_registry_cannot_switch_it_on_and_its_names_count(project):
    folder = project(hshop__new=NEW, hlib="")
    (folder / "hlib" / "registry.toml").write_text(FILE.format(switch="former-names = true"))
    own = folder / "registry.toml"
    own.write_text('format = 1\ninclude = ["hlib"]\n[codes]\n')
    with extreg.install(own), pytest.raises(ModuleNotFoundError):
        load("hshop.old:Box")
    with extreg.install(own, former_names=True):
        assert load("hshop.old:Box").__module__ == "hshop.new"


def test_a_reload_brings_new_names_and_takes_old_ones(project):
    path = registry(project(hshop__new=NEW))
    extreg.install(path)
    assert load("hshop.old:Box").__name__ == "Box"
    path.write_text(FILE.format(switch="former-names = true").replace("hshop.old:Box", "hshop.older:Box"))
    extreg.reload()
    assert load("hshop.older:Box").__name__ == "Box"
    with pytest.raises(ModuleNotFoundError):
        load("hshop.old:Box")
    path.write_text(FILE.format(switch=""))
    extreg.reload()
    with pytest.raises(ModuleNotFoundError):
        load("hshop.older:Box")


def test_two_installations_of_one_file_are_counted(project):
    path = registry(project(hshop__new=NEW))
    first, second = extreg.install(path), extreg.install(path)
    assert first is second
    first.uninstall()
    assert load("hshop.old:Box").__name__ == "Box"
    without = extreg.install(path, former_names=False)
    assert without is not second
    second.uninstall()
    with pytest.raises(ModuleNotFoundError):
        load("hshop.old:Box")


def test_a_refused_install_heals_nothing(project):
    path = registry(project(hshop__new=NEW))
    other = path.with_name("other.toml")
    other.write_text('format = 1\n[codes]\n300 = "collections:OrderedDict"\n')
    extreg.install(other)
    with pytest.raises(extreg.ConflictError):
        extreg.install(path)
    assert healing.standing == {}


def test_an_isolated_is_without(project):
    from extreg.testing import isolated

    path = registry(project(hshop__new=NEW))
    extreg.install(path)
    with isolated(empty=True), pytest.raises(ModuleNotFoundError):
        load("hshop.old:Box")
    assert load("hshop.old:Box").__name__ == "Box"


def test_the_switch_is_true_or_false():
    with pytest.raises(RegistryError, match="true or false"):
        Registry.parse('format = 1\nformer-names = "yes"\n')


def test_the_names_enter_the_fingerprint_where_they_are_found():
    text = FILE.format(switch="")
    plain, on = Registry.parse(text), Registry.parse(FILE.format(switch="former-names = true"))
    assert plain.fingerprint != on.fingerprint
    assert plain.fingerprint == Registry.parse(text.partition("[renamed]")[0]).fingerprint


def test_a_warm_start_imports_little_and_no_targets(project, monkeypatch):
    path = registry(project(hshop__new=NEW))
    program = f"""
import sys
sys.dont_write_bytecode = False
import extreg
extreg.install({str(path)!r})
print(sorted(name for name in sys.modules if name.startswith(("extreg", "hshop"))))
"""
    for _ in range(2):
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    expected = ["extreg", "extreg.healing", "extreg.ledger", "extreg.startup"]
    assert done.stdout.strip() == str(expected)
