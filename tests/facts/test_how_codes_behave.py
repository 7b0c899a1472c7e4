"""What docs/how-codes-behave.md says of pickle itself, shown on the Python that runs this, without extreg."""

import copyreg
import importlib
import io
import multiprocessing
import pickle
import pickletools
import re
import subprocess
import sys
from pathlib import Path

import pytest

from extreg.testing import isolated

PAGE = Path(__file__).parents[2] / "docs" / "how-codes-behave.md"
DUMPS = [pickle.dumps, pickle._dumps]
LOADS = [pickle.loads, pickle._loads]
CLASSES = """
class Order:
    class Line: pass
    def __init__(self): self.number = 1
class Bill: pass
"""


@pytest.fixture(autouse=True)
def shop(tmp_path, monkeypatch):
    """A module with classes, and no code to begin with."""
    (tmp_path / "shopfacts.py").write_text(CLASSES)
    monkeypatch.syspath_prepend(str(tmp_path))
    importlib.invalidate_caches()
    with isolated(empty=True):
        yield importlib.import_module("shopfacts")
    del sys.modules["shopfacts"]


def opcodes(data):
    return [opcode.name for opcode, _, _ in pickletools.genops(data)]


@pytest.mark.parametrize("dumps", DUMPS)
def test_the_width_goes_by_the_code_and_protocols_0_and_1_have_none(shop, dumps):
    for code, opcode in ((1, "EXT1"), (255, "EXT1"), (256, "EXT2"), (65535, "EXT2"), (65536, "EXT4")):
        copyreg.add_extension("shopfacts", "Order", code)
        for protocol in range(6):
            assert (opcode in opcodes(dumps(shop.Order, protocol))) == (protocol >= 2)
        copyreg.remove_extension("shopfacts", "Order", code)


@pytest.mark.parametrize("dumps", DUMPS)
def test_a_code_is_never_memoized_and_a_name_is(shop, dumps):
    by_name = opcodes(dumps([shop.Order] * 3, 4))
    copyreg.add_extension("shopfacts", "Order", 300)
    by_code = opcodes(dumps([shop.Order] * 3, 4))
    assert (by_name.count("STACK_GLOBAL"), by_code.count("EXT2")) == (1, 3)


@pytest.mark.parametrize("loads", LOADS)
def test_whoever_writes_the_bytes_may_memoize_a_code(shop, loads):
    copyreg.add_extension("shopfacts", "Order", 300)
    assert loads(b"\x80\x04\x83\x2c\x01\x94h\x00\x86.") == (shop.Order, shop.Order)


@pytest.mark.parametrize("loads", LOADS)
def test_a_row_in_the_inverted_registry_alone_is_loaded_and_not_dumped(shop, loads):
    copyreg._inverted_registry[300] = ("shopfacts", "Order")
    assert loads(b"\x80\x04\x83\x2c\x01.") is shop.Order
    assert "EXT2" not in opcodes(pickle.dumps(shop.Order, 4))


def test_a_row_in_the_extension_registry_alone_is_dumped_and_cannot_be_loaded(shop):
    copyreg._extension_registry["shopfacts", "Order"] = 300
    data = pickle.dumps(shop.Order, 4)
    with pytest.raises(ValueError, match="unregistered extension code 300"):
        pickle.loads(data)


@pytest.mark.parametrize("loads", LOADS)
def test_an_unknown_code_is_a_value_error_and_no_unpickling_error(loads):
    with pytest.raises(ValueError, match="unregistered extension code 300") as caught:
        loads(b"\x80\x04\x83\x2c\x01.")
    assert not isinstance(caught.value, pickle.UnpicklingError)


@pytest.mark.parametrize("loads", LOADS)
def test_a_reused_code_loads_as_another_class_without_a_word(shop, loads):
    copyreg.add_extension("shopfacts", "Order", 300)
    data = pickle.dumps(shop.Order(), 4)
    copyreg.remove_extension("shopfacts", "Order", 300)
    copyreg.add_extension("shopfacts", "Bill", 300)
    found = loads(data)
    assert (type(found), found.number) == (shop.Bill, 1)


@pytest.mark.parametrize("kind", [pickle.Unpickler, pickle._Unpickler])
def test_a_cached_code_is_not_asked_of_find_class(shop, kind):
    class Restricted(kind):
        def find_class(self, module, name):
            raise pickle.UnpicklingError("not permitted")

    copyreg.add_extension("shopfacts", "Order", 300)
    data = pickle.dumps(shop.Order, 4)
    with pytest.raises(pickle.UnpicklingError):
        Restricted(io.BytesIO(data)).load()
    pickle.loads(data)
    assert Restricted(io.BytesIO(data)).load() is shop.Order


def test_what_one_unpickler_found_is_served_to_all(shop):
    class Renaming(pickle.Unpickler):
        def find_class(self, module, name):
            return shop.Bill

    copyreg.add_extension("shopfacts", "Order", 300)
    data = pickle.dumps(shop.Order, 4)
    Renaming(io.BytesIO(data)).load()
    assert pickle.loads(data) is shop.Bill
    copyreg.clear_extension_cache()
    assert pickle.loads(data) is shop.Order


def test_after_a_reload_the_cache_has_the_old_class(shop):
    copyreg.add_extension("shopfacts", "Order", 300)
    data, old = pickle.dumps(shop.Order, 4), shop.Order
    pickle.loads(data)
    importlib.reload(shop)
    assert pickle.loads(data) is old is not shop.Order
    with pytest.raises(pickle.PicklingError, match="not the same object"):
        pickle.dumps(old, 4)


@pytest.mark.parametrize("loads", LOADS)
def test_a_nested_class_is_dumped_under_protocols_2_and_3_and_cannot_be_loaded(shop, loads):
    copyreg.add_extension("shopfacts", "Order.Line", 300)
    for protocol in range(2, 6):
        data = pickle.dumps(shop.Order.Line, protocol)
        copyreg.clear_extension_cache()
        if protocol >= 4:
            assert loads(data) is shop.Order.Line
        elif "EXT2" in opcodes(data):
            with pytest.raises(AttributeError):
                loads(data)


def test_a_reexport_is_dumped_by_the_name_it_calls_itself(shop, tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "facade", type(sys)("facade"))
    sys.modules["facade"].Order = shop.Order
    copyreg.add_extension("facade", "Order", 300)
    assert "EXT2" not in opcodes(pickle.dumps(sys.modules["facade"].Order, 4))


def test_under_protocol_2_python_2_names_are_mapped_on_load_only():
    copyreg.add_extension("StringIO", "Thing", 300)
    with pytest.raises(AttributeError, match=r"'io'"):  # StringIO is io to an unpickler of protocol 2
        pickle.loads(b"\x80\x02\x83\x2c\x01.")


def test_add_extension_checks_little():
    copyreg.add_extension("m", "n", True)
    copyreg.add_extension("m2", "n", 240.9)
    assert {type(code) for code in copyreg._inverted_registry} == {int}
    copyreg.add_extension("m", "n", 1)  # the same once more
    with pytest.raises(ValueError, match=r"already in use|already registered"):
        copyreg.add_extension("m", "other", 1)
    for code in (0, -1, 2**31):
        with pytest.raises(ValueError, match="code out of range"):
            copyreg.add_extension("m", "n", code)


def test_dictionaries_that_take_copyregs_place_are_not_seen(shop, monkeypatch):
    copyreg.add_extension("shopfacts", "Order", 300)
    monkeypatch.setattr(copyreg, "_extension_registry", {})
    assert "EXT2" in opcodes(pickle.dumps(shop.Order, 4))


@pytest.mark.slow
def test_a_spawned_child_has_no_codes(tmp_path):
    (tmp_path / "program.py").write_text(
        "import copyreg, multiprocessing\n"
        "def held(): return len(copyreg._inverted_registry)\n"
        "if __name__ == '__main__':\n"
        "    copyreg.add_extension('m', 'n', 300)\n"
        "    for way in multiprocessing.get_all_start_methods():\n"
        "        with multiprocessing.get_context(way).Pool(1) as pool: print(way, pool.apply(held))\n"
    )
    done = subprocess.run([sys.executable, "program.py"], cwd=tmp_path, capture_output=True, text=True, timeout=120)
    found = dict(line.split() for line in done.stdout.splitlines())
    assert found == {way: "1" if way == "fork" else "0" for way in multiprocessing.get_all_start_methods()}, done.stderr


SHOWN = re.findall(r"`(tests/[\w/]+\.py)::(\w+)`", PAGE.read_text(encoding="utf-8"))


def test_every_fact_names_a_test_that_there_is():
    assert len(SHOWN) > 20
    root = PAGE.parents[1]
    missing = [
        f"{path}::{name}" for path, name in SHOWN if f"def {name}(" not in (root / path).read_text(encoding="utf-8")
    ]
    assert missing == []


def test_every_fact_names_a_test():
    facts = re.findall(r"^\*\*.*(?:\n.+)*", PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    assert len(facts) > 20
    assert [fact for fact in facts if "::test_" not in fact] == []


def test_every_test_here_is_named_on_the_page():
    files = Path(__file__).parent.glob("test_*.py")
    here = {name for file in files for name in re.findall(r"^def (test_\w+)\(", file.read_text(), flags=re.MULTILINE)}
    about_the_page = {name for name in here if name.startswith("test_every_")}
    assert here - about_the_page - {name for _, name in SHOWN} == set()
