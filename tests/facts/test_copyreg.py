"""What copyreg keeps, and what it lets through; docs/how-codes-behave.md names these tests."""

import copyreg
import pickle
import sys
import types

import pytest


def test_copyreg_neither_completes_nor_removes_a_load_only_row(coded):
    del copyreg._extension_registry["shop", "Money"]
    with pytest.raises(ValueError, match="4711"):
        copyreg.add_extension("shop", "Money", 4711)
    with pytest.raises(ValueError, match="4711"):
        copyreg.remove_extension("shop", "Money", 4711)


def test_several_codes_may_lead_to_one_class(coded):
    copyreg._inverted_registry[300] = ("shop", "Money")
    assert pickle.loads(b"\x83\x2c\x01.") is pickle.loads(b"\x83\x67\x12.") is coded.Money


def test_removing_a_code_wants_its_module_and_name_and_drops_what_was_cached(coded):
    pickle.loads(b"\x83\x67\x12.")
    assert 4711 in copyreg._extension_cache
    with pytest.raises(ValueError, match="4711"):
        copyreg.remove_extension("shop", "Order", 4711)
    copyreg.remove_extension("shop", "Money", 4711)
    assert 4711 not in copyreg._extension_cache


@pytest.mark.parametrize("loads", [pickle.loads, pickle._loads])
@pytest.mark.parametrize("protocol", range(2, 6))
def test_what_a_module_raises_for_a_name_without_dots_comes_out_and_nothing_is_cached(monkeypatch, loads, protocol):
    def refuse(name):
        raise KeyError(name)

    module = types.ModuleType("refusing")
    module.__getattr__ = refuse
    monkeypatch.setitem(sys.modules, "refusing", module)
    data = bytes((0x80, protocol)) + b"\x83\x2c\x01."
    copyreg._inverted_registry[300] = ("refusing", "what it was")
    with pytest.raises(KeyError, match="what it was"):
        loads(data)
    # With dots, the unpicklers of CPython 3.14 and later say something of their own in its place.
    copyreg._inverted_registry[300] = ("refusing", "what.it.was")
    hides = sys.version_info >= (3, 14) and loads is pickle.loads and pickle.loads is not pickle._loads and protocol > 3
    with pytest.raises(AttributeError if hides else KeyError):
        loads(data)
    assert copyreg._extension_cache == {}
