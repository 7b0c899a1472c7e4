"""What picklers do with extension codes; docs/how-codes-behave.md names these tests."""

import copyreg
import io
import pickle

import pytest

from extreg.pickles import walk

DUMPS = {"C": pickle.dumps, "Python": pickle._dumps}  # on PyPy the two are one
PICKLERS = {"C": pickle.Pickler, "Python": pickle._Pickler}

dumped = pytest.mark.parametrize("dumps", DUMPS.values(), ids=DUMPS)
pickled = pytest.mark.parametrize("pickler", PICKLERS.values(), ids=PICKLERS)


def codes(data):
    return [event.number for event in walk(data) if event.kind == "code"]


def names(data):
    return [event.target for event in walk(data) if event.kind == "global"]


@dumped
def test_many_references_make_a_wide_code_longer_than_a_name(shop, dumps):
    by_name = [len(dumps([shop.Money] * count, 4)) for count in (1, 100)]
    copyreg.add_extension("shop", "Money", 70000)
    by_code = [len(dumps([shop.Money] * count, 4)) for count in (1, 100)]
    assert by_code[0] < by_name[0]
    assert by_code[1] > by_name[1]


@dumped
def test_a_bound_method_is_dumped_as_getattr(shop, dumps):
    copyreg.add_extension("shop", "Money.price", 300)
    data = dumps(shop.Money().price, 4)
    assert codes(data) == []
    assert "builtins:getattr" in names(data)
    assert codes(dumps(shop.Money.price, 4)) == [300]


@pickled
def test_persistent_id_comes_before_the_code(coded, pickler):
    class Persistent(pickler):
        def persistent_id(self, obj):
            return "money" if obj is coded.Money else None

    file = io.BytesIO()
    Persistent(file, 4).dump(coded.Money)
    assert codes(file.getvalue()) == []


@pickled
def test_reducer_override_comes_before_the_code(coded, pickler):
    class Overriding(pickler):
        def reducer_override(self, obj):
            return (complex, (1, 2)) if obj is coded.Money else NotImplemented

    file = io.BytesIO()
    Overriding(file, 4).dump(coded.Money)
    assert codes(file.getvalue()) == []


@pickled
def test_a_dispatch_table_comes_before_the_code(coded, pickler):
    file = io.BytesIO()
    writer = pickler(file, 4)
    writer.dispatch_table = {coded.Money: lambda money: (complex, (1, 2))}
    writer.dump(coded.Money())
    assert codes(file.getvalue()) == []


@dumped
def test_a_new_code_changes_what_is_made_of_pickles(shop, dumps):
    before = dumps(shop.Money(), 4)
    copyreg.add_extension("shop", "Money", 4711)
    assert dumps(shop.Money(), 4) != before


@pickled
def test_a_pickler_that_dumps_twice_refers_back(shop, pickler):
    file = io.BytesIO()
    writer = pickler(file, 4)
    writer.dump(shop.Money)
    end = file.tell()
    writer.dump(shop.Money)
    reader = pickle.Unpickler(io.BytesIO(file.getvalue()))
    assert [reader.load(), reader.load()] == [shop.Money] * 2
    assert b"Money" in file.getvalue()[:end]
    assert b"Money" not in file.getvalue()[end:]


@pytest.mark.parametrize("loads", [pickle.loads, pickle._loads], ids=DUMPS)
def test_the_protocol_of_the_pickle_does_not_matter(coded, loads):
    assert loads(b"\x83\x67\x12.") is coded.Money  # without PROTO it is protocol 0, which has no EXT2
