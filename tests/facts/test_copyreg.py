"""What copyreg keeps, and what it lets through; docs/how-codes-behave.md names these tests."""

import copyreg
import pickle

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
