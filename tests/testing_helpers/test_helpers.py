"""The helpers for tests: there and back, sizes, and a copyreg that forgets."""

import copyreg
import dataclasses
import decimal
import pickle
import re

import pytest

from extreg.reduce import register
from extreg.testing import copy_roundtrip, isolated, pickle_size, roundtrip, sizes


class Bag:
    def __init__(self, **attributes):
        vars(self).update(attributes)


class Lossy(Bag):
    def __getstate__(self):
        return {name: value for name, value in vars(self).items() if name != "lost"} | {"kept": "changed"}


@dataclasses.dataclass
class Box:
    content: object


class Slotted:
    __slots__ = ("x", "y")

    def __init__(self, x):
        self.x = x


class Opaque:
    """Equal to nothing that was pickled, and without a part that shows it."""

    def __eq__(self, other):
        return self is other

    __hash__ = object.__hash__


def reduce_to_opaque(opaque):
    return Opaque, ()


class WrongSet(set):
    def __reduce__(self):
        return WrongSet, ({2, 3},)


class Text(str):
    __slots__ = ("tag",)

    def __reduce__(self):
        return Text, (str(self)[1:],), (None, {"tag": self.tag})


WELL = [
    None,
    5,
    "text",
    float("nan"),
    [1, float("nan")],
    (1, [2, {"three": {4}}]),
    frozenset({1}),
    decimal.Decimal("1.5"),
    re.compile("x"),
    len,
    Bag(a=1, b=Bag(c=[Bag()])),
    Box(1),
    Box(Bag(a=1)),
    {"a": Box([Bag()])},
    Slotted(1),
    ValueError("a", 1),
    1j,
]


@pytest.mark.parametrize("trip", [roundtrip, copy_roundtrip])
@pytest.mark.parametrize("value", WELL, ids=lambda value: re.sub(r" at 0x[0-9a-f]+", "", repr(value)))
def test_what_comes_back_equal_is_returned(trip, value):
    assert type(trip(value)) is type(value)


@pytest.mark.parametrize("trip", [roundtrip, copy_roundtrip])
def test_cycles_end(trip):
    bag = Bag()
    bag.me, bag.list = bag, [bag]
    assert trip(bag).list[0].me is not bag


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_one_protocol_may_be_asked_for(protocol):
    with pytest.raises(AssertionError, match=f"pickle protocol {protocol}"):
        roundtrip(Lossy(lost=1), protocol)


@pytest.mark.parametrize("trip", [roundtrip, copy_roundtrip])
def test_the_difference_names_every_place(trip):
    with pytest.raises(AssertionError) as caught:
        trip(Box({"key": [0, Lossy(lost=1, kept="so")]}))
    text = str(caught.value)
    assert text.startswith("Box came back different from ")
    assert "Box.content['key'][1].lost: 1 before, missing after" in text
    assert "Box.content['key'][1].kept: 'so' before, 'changed' after" in text


def test_what_only_eq_can_tell_is_told():
    with pytest.raises(AssertionError, match=r"Opaque: <.*Opaque object.*> before"):
        roundtrip(Opaque())
    text = Text("abc")
    text.tag = 1
    with pytest.raises(AssertionError, match="Text: 'abc' before, 'bc' after"):
        roundtrip(text)


def test_another_type_is_told():
    class Local(Bag):
        def __reduce__(self):
            return Bag, ()

    with pytest.raises(AssertionError, match=r"Local before, .*Bag after"):
        roundtrip(Local())


def test_sets_show_what_is_on_either_side():
    with pytest.raises(AssertionError, match="only before 1; only after 3"):
        roundtrip(WrongSet({1, 2}))


def test_errors_of_pickle_are_left_as_they_are():
    with pytest.raises((pickle.PicklingError, AttributeError)):
        roundtrip(lambda: None)


@pytest.mark.parametrize("value", [Bag(a=Bag(), b=Slotted(2)), [Bag] * 30, Box(len), {"x": [Bag(), Box(1)] * 300}])
def test_sizes_are_those_of_pickle_with_and_without_codes(value):
    bare = {protocol: pickle_size(value, protocol) for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)}
    assert bare == sizes(value).by_name == sizes(value).by_code
    with isolated():
        copyreg.add_extension(__name__, "Bag", 240)
        copyreg.add_extension(__name__, "Box", 4711)
        copyreg.add_extension("builtins", "len", 70_000)
        measured = sizes(value)
        assert measured.by_name == bare
        assert measured.by_code == {protocol: pickle_size(value, protocol) for protocol in bare}
        assert measured.by_code != bare
    assert pickle_size(value) == len(pickle.dumps(value))


def test_sizes_print_as_a_table():
    lines = str(sizes(Bag())).splitlines()
    assert lines[0].split() == ["protocol", "by", "name", "by", "code", "ratio"]
    assert [line.split()[0] for line in lines[1:]] == ["2", "3", "4", "5"]


@pytest.mark.parametrize("empty", [True, False])
def test_isolation_forgets_codes_caches_and_reducers(empty):
    dicts = (copyreg._extension_registry, copyreg._inverted_registry, copyreg._extension_cache, copyreg.dispatch_table)
    with isolated():
        copyreg.add_extension(__name__, "Bag", 240)
        pickle.loads(pickle.dumps(Bag()))
        kept = register(Bag, lambda bag: (Bag, ()))
        before = [dict(each) for each in dicts]
        with isolated(empty=empty):
            assert bool(copyreg._extension_registry) is not empty
            copyreg._inverted_registry[241] = (__name__, "Box")
            copyreg.add_extension(__name__, "Slotted", 250)
            copyreg.dispatch_table.clear()
            register(Box, lambda box: (Box, (1,)))
            kept.undo()
        assert [dict(each) for each in dicts] == before
        kept = register(Bag, copyreg.dispatch_table[Bag])
        kept.undo()
        assert Bag in copyreg.dispatch_table
    assert Bag not in copyreg.dispatch_table
    assert [id(each) for each in dicts] == [
        id(copyreg._extension_registry),
        id(copyreg._inverted_registry),
        id(copyreg._extension_cache),
        id(copyreg.dispatch_table),
    ]


def test_isolation_survives_an_error():
    def fail():
        with isolated():
            copyreg.add_extension(__name__, "Bag", 240)
            raise LookupError

    with pytest.raises(LookupError):
        fail()
    assert 240 not in copyreg._inverted_registry
