"""Small messages are turned by patterns: no longer than the general way makes them, and equal to whoever loads them."""

import copyreg
import io
import itertools
import pickle
import pickletools
import random
from collections import OrderedDict
from datetime import date, datetime, time, timedelta

import pytest

from extreg.errors import MalformedPickleError
from extreg.pickles import scan, to_codes
from extreg.pickles.rewriting import linear
from extreg.pickles.rewriting.brief import brief
from extreg.pickles.rewriting.rewriter import rewrite
from extreg.registry.model import Registry

from .corpus import Colour, Outer, Point
from .test_rewrite import Harmless, assert_same, installed
from .test_walk import mutated

MODULE = Point.__module__
REGISTRY = Registry(
    codes={
        200: "builtins:range",
        300: f"{MODULE}:Point",
        301: "datetime:date",
        302: "datetime:timedelta",
        303: "collections:OrderedDict",
        304: f"{MODULE}:Outer.Inner",
        70_000: "datetime:datetime",
    }
)
SHARED = [1, 2]
VALUES = {
    "one": Point(1, 2),
    "a byte of MEMOIZE's value in an argument": [Point(0x94, 0x9494), b"\x94", 0x94],
    "several": [Point(1, "x"), date(2020, 1, 1), datetime(2020, 1, 2), OrderedDict(a=1), range(3), Outer.Inner],
    "one of a module without a code": [date(2020, 1, 1), time(1), Colour.RED, Point(1, 2)],
    "a class twice, and a shared list": [Point(SHARED, 1), Point(SHARED, 2), SHARED, Point],
    "the name of a module as data": ["datetime", date(2020, 1, 1), "datetime", "date", MODULE, Point(1, 2), MODULE],
    "the name as data behind it": [Point(1, 2), MODULE, "Point", MODULE, time(2), date(2020, 1, 1)],
    "recursive": (lambda made: made.append(made) or made)([Point(1, 2)]),
    "no code": [time(1), Colour.RED],
    "not ASCII": [Point("\xe9", "\u4f60"), Point("x", "\xe9")],
    "slots beyond 255": [[[] for _ in range(290)], Point(1, SHARED), Point(2, SHARED)],
}
CASES = list(itertools.product(VALUES, (2, 3, 4, 5), ("dumps", "_dumps", "optimized")))


def dumped(name, protocol, by):
    if by == "optimized":
        return pickletools.optimize(pickle.dumps(VALUES[name], protocol))
    return getattr(pickle, by)(VALUES[name], protocol)


@pytest.mark.parametrize(("name", "protocol", "by"), CASES)
def test_the_short_way_loads_equal_and_is_no_longer_than_the_other(name, protocol, by):
    data = dumped(name, protocol, by)
    made, other = to_codes(data, REGISTRY), rewrite(data, REGISTRY, to="codes").data
    assert len(made) <= len(other) <= len(data)
    assert scan(made).codes.keys() >= scan(other).codes.keys()
    with installed(REGISTRY.codes):
        for load in (pickle.loads, pickle._loads):
            copyreg.clear_extension_cache()
            assert_same(load(made), load(data))
    pickletools.dis(made, io.StringIO())


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_nothing_is_left_of_a_memo_that_is_not_fetched(protocol):
    made = brief(pickle.dumps(VALUES["one"], protocol), REGISTRY)
    names = {opcode.name for opcode, _, _ in pickletools.genops(made)}
    assert not names & {"MEMOIZE", "BINPUT", "LONG_BINPUT", "BINGET", "FRAME"}


def test_slots_that_are_fetched_have_the_lowest_numbers():
    made = brief(pickle.dumps(VALUES["slots beyond 255"], 4), REGISTRY)
    opcodes = [(opcode.name, argument) for opcode, argument, _ in pickletools.genops(made)]
    numbers = {argument for name, argument in opcodes if name == "BINGET"}
    assert numbers == set(range(opcodes.count(("MEMOIZE", None))))
    assert len(numbers) < 9


DATE = b"\x8c\x08datetime\x94\x8c\x04date\x94\x93\x94"


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x04" + DATE + b"h\x07\x86.",
        b"\x80\x04" + DATE + b".N.        ",
        b"\x80\x04" + DATE + b"q\x05h\x05\x86.",
        b"\x80\x04" + DATE + b"p5\n.",
        b"\x80\x04\x95\x05\0\0\0\0\0\0\0" + DATE + b".",
        b"\x80\x04" + DATE + b"\x8c\x02\xff\xff\x86.",
        b"\x80\x04" + DATE + b"\x93\x86.",
        b"\x80\x03cdatetime\ndate\nq\x00N.N.       ",
        b"\x80\x03cdatetime\ndate\nh\x05\x86.",
        b"\x80\x03cdatetime\ndate\nX\x02\0\0\0\xff\xff\x86.",
        b"\x80\x03cdate\xfftime\ndate\n.",
        b"\x80\x04\x80\x04" + DATE + b".",
        b"\x80\x01cdatetime\ndate\nq\x00.",
        b"\x80\x06" + DATE + b".",
        b"\x80\x04" + DATE,
        b"\x80\x04]]]]]]]]]]]]]]",
        b"",
    ],
)
def test_what_no_pickler_writes_is_left_to_the_general_way(data):
    assert brief(data, REGISTRY) is None


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_a_former_name_and_an_alias_are_exchanged_too(protocol):
    codes = Registry(
        codes={300: "shop.models:Order"}, moved={300: ("datetime:date",)}, aliases={300: ("datetime:time",)}
    )
    for value in (date, time, [date, date], [time, [SHARED, SHARED]]):
        data = pickle.dumps(value, protocol)
        made = to_codes(data, codes)
        assert scan(made).codes.keys() == {300}
        assert made == rewrite(data, codes, to="codes").data


def test_large_pickles_are_left_to_the_general_way():
    assert brief(pickle.dumps([Point(1, 2), b"x" * 1_000], 4), REGISTRY) is None


@pytest.mark.parametrize("change", [lambda new: new[:-1] + b"\x2d", lambda new: b"N" + new, lambda new: new[:-1]])
def test_what_cannot_be_proved_is_not_done(monkeypatch, change):
    """The linear pass writes something else than planned: told anew, that is not what it was."""
    data = pickle.dumps(VALUES["a class twice, and a shared list"], 4)
    assert brief(data, REGISTRY) is not None
    written = linear._written
    monkeypatch.setattr(linear, "_written", lambda *planned: change(written(*planned)))
    assert brief(data, REGISTRY) is None


@pytest.mark.parametrize("by", [-1, 1])
def test_a_slot_of_another_number_cannot_be_proved(monkeypatch, by):
    data = pickle.dumps([SHARED, Point(1, 2), SHARED, (lambda other: [other, other])([3])], 4)
    written = linear._written

    def wrong(*planned):
        made = written(*planned)
        assert b"h\x00" in made
        return made.replace(b"h\x00", b"h%c" % (by % 256), 1)

    assert brief(data, REGISTRY) is not None
    monkeypatch.setattr(linear, "_written", wrong)
    assert brief(data, REGISTRY) is None


def test_another_code_than_the_names_cannot_be_proved(monkeypatch):
    data = pickle.dumps(VALUES["a class twice, and a shared list"], 4)
    codes = linear._codes

    def wrong(registry):
        return dict.fromkeys(codes(registry), b"\x82\xc8")

    registry = Registry(codes=REGISTRY.codes)
    assert registry.derived(linear._names)  # made of what is right
    monkeypatch.setattr(linear, "_codes", wrong)
    assert brief(data, registry) is None


def fuzz(seed, count):
    values = [
        [range(3), SHARED, range(4), SHARED, date(2020, 1, 1), [range(5)], "datetime", "date"],
        [OrderedDict(a=range(1)), OrderedDict(b=OrderedDict(c=SHARED)), SHARED, "x"],
        [date(2020, 1, i) for i in range(1, 5)] + [timedelta(1), timedelta(2), date, timedelta],
        {"a": date(2020, 1, 1)},
        [range(2)],
    ]
    dumps = itertools.product(values, (2, 3, 4, 5), (pickle.dumps, pickle._dumps))
    pool = [dump(value, protocol) for value, protocol, dump in dumps]
    pool += [pickletools.optimize(data) for data in pool]
    rng = random.Random(seed)
    loadable = 0
    with installed(REGISTRY.codes):
        for _ in range(count):
            data = mutated(rng, pool)
            made = brief(data, REGISTRY) if len(data) else None
            if made is None:
                continue
            try:
                other = rewrite(data, REGISTRY, to="codes").data
            except MalformedPickleError:
                raise AssertionError(data) from None
            assert len(made) <= len(other), data
            copyreg.clear_extension_cache()
            try:
                expected = Harmless(io.BytesIO(data)).load()
            except Exception:
                continue
            loadable += 1
            assert_same(Harmless(io.BytesIO(made)).load(), expected)
    return loadable


@pytest.mark.slow
def test_mutated_small_pickles_load_equal_and_are_no_longer_than_the_general_way_makes_them():
    assert fuzz(5, 9_000) > 200


@pytest.mark.soak
def test_half_a_million_mutated_small_pickles_load_equal():
    print(fuzz(6, 500_000))
