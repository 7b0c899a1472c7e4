"""Aliases in copyreg: what another Python calls by another name is dumped as the same code there."""

import copyreg
import pickle
import subprocess
import sys
import types

import pytest

import extreg
from extreg.registry.model import Registry

TEXT = """
format = 1
[codes]
300 = "anew:Box"
301 = "anew:Lid"
[load-only]
302 = "anew:Bag"
[aliases]
300 = ["_afast:Box", "apack.impl:Box"]
302 = ["_afast:Bag"]
"""
TABLES = (copyreg._extension_registry, copyreg._inverted_registry, copyreg._extension_cache)


@pytest.fixture(autouse=True)
def modules():
    """Modules in which this Python's names are the other ones."""
    before = [dict(table) for table in TABLES]
    new, fast = types.ModuleType("anew"), types.ModuleType("_afast")
    for name in ("Box", "Lid", "Bag"):
        cls = type(name, (), {"__module__": "_afast"})
        setattr(new, name, cls)
        setattr(fast, name, cls)
    sys.modules.update(anew=new, _afast=fast)
    yield new
    extreg.uninstall()
    for table, rows in zip(TABLES, before, strict=True):
        assert dict(table) == rows
    del sys.modules["anew"], sys.modules["_afast"]


@pytest.fixture
def path(tmp_path):
    file = tmp_path / "registry.toml"
    file.write_text(TEXT)
    return file


def is_coded(value):
    return b"\x83\x2c\x01" in pickle.dumps(value, 4)


@pytest.mark.parametrize("source", ["cold", "warm", "a value"])
def test_an_alias_is_dumped_as_the_code_and_loaded_as_the_target(source, path, modules, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)
    if source == "warm":
        extreg.install(path).uninstall()
    installation = extreg.install(Registry.parse(TEXT) if source == "a value" else path)
    assert "2 live, 1 load-only" in repr(installation)
    assert installation.registry == Registry.parse(TEXT)
    for protocol in range(2, 6):
        data = pickle.dumps(modules.Box, protocol)
        assert b"\x83\x2c\x01" in data
        assert pickle.loads(data) is modules.Box
    assert copyreg._inverted_registry[300] == ("anew", "Box")
    assert copyreg._extension_registry["anew", "Box"] == copyreg._extension_registry["apack.impl", "Box"] == 300
    assert b"_afast" in pickle.dumps(modules.Bag)  # load-only: nothing is dumped as it
    copyreg.clear_extension_cache()
    installation.uninstall()
    assert b"_afast" in pickle.dumps(modules.Box)


def test_a_reload_brings_an_alias_and_takes_one(path, modules):
    path.write_text(TEXT.replace('"_afast:Box", ', ""))
    extreg.install(path)
    assert not is_coded(modules.Box)
    path.write_text(TEXT)
    extreg.reload()
    assert is_coded(modules.Box)
    path.write_text(TEXT.replace('"_afast:Box", ', ""))
    extreg.reload()
    assert not is_coded(modules.Box)
    extreg.clear_cache()


@pytest.mark.parametrize("first", [0, 1])
def test_two_owners_of_one_alias(first, path, modules, tmp_path):
    other = tmp_path / "other.toml"
    other.write_text('format = 1\n[codes]\n300 = "anew:Box"\n400 = "anew:Bag"\n[aliases]\n300 = ["_afast:Box"]\n')
    owners = [extreg.install(path), extreg.install(other)]
    owners[first].uninstall()
    assert is_coded(modules.Box)
    assert ("apack.impl", "Box") in copyreg._extension_registry or not first
    owners[not first].uninstall()
    assert not is_coded(modules.Box)


@pytest.mark.parametrize("order", [1, -1])
def test_an_alias_that_is_another_s_target_is_a_conflict(order, path, tmp_path):
    other = tmp_path / "other.toml"
    other.write_text('format = 1\n[codes]\n500 = "_afast:Box"\n')
    one, two = [path, other][::order]
    extreg.install(one)
    before = [dict(table) for table in TABLES]
    with pytest.raises(extreg.ConflictError) as caught:
        extreg.install(two)
    assert [(conflict.target, str(one) in conflict.held_by) for conflict in caught.value.conflicts] == [
        ("_afast:Box", True)
    ]
    assert [dict(table) for table in TABLES] == before
    with extreg.install(two, on_conflict="replace"):
        assert copyreg._extension_registry["_afast", "Box"] == (500 if order == 1 else 300)
    assert [dict(table) for table in TABLES] == before
    with extreg.install(two, on_conflict="keep"):
        assert copyreg._extension_registry["_afast", "Box"] == (300 if order == 1 else 500)


def test_what_code_outside_has_for_the_alias_is_a_conflict(path):
    copyreg.add_extension("_afast", "Box", 500)
    try:
        with pytest.raises(extreg.ConflictError, match="outside"):
            extreg.install(path)
        with extreg.install(path, on_conflict="replace"):
            assert copyreg._extension_registry["_afast", "Box"] == 300
        assert copyreg._extension_registry["_afast", "Box"] == 500
    finally:
        copyreg.remove_extension("_afast", "Box", 500)


def test_paths_of_the_stdlib_pack_in_a_real_process(tmp_path):
    """Under Python 3.13 they are called otherwise."""
    (tmp_path / "registry.toml").write_text('format = 1\ninclude = ["extreg.packs.stdlib"]\n[codes]\n')
    program = "import extreg, pathlib, pickle\nextreg.install()\n"
    program += "data = pickle.dumps(pathlib.PurePosixPath('a'))\nprint(b'pathlib' in data, pickle.loads(data))\n"
    (tmp_path / "program.py").write_text(program)
    done = subprocess.run([sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout == "False a\n"
