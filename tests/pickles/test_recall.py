"""Names for codes are written once in a pickle: memoized in a slot that is free, and fetched."""

import copyreg
import io
import itertools
import pickle
import random
from collections import OrderedDict
from datetime import date, time, timedelta

import pytest

from extreg.errors import MalformedPickleError
from extreg.pickles import scan, to_codes, to_names
from extreg.pickles.rewriting import rewriter
from extreg.pickles.rewriting.rewriter import rewrite
from extreg.registry.model import Registry

from .corpus import Outer, Point
from .test_rewrite import Harmless, assert_same, installed
from .test_walk import mutated

POINT = f"{Point.__module__}:Point"
REGISTRY = Registry(
    codes={
        200: "builtins:range",
        300: POINT,
        301: "datetime:date",
        302: "datetime:timedelta",
        303: "collections:OrderedDict",
        70_000: "datetime:time",
    }
)
ONE = Point(1, 2)
VALUES = {
    "many of one class": [Point(i, f"{i}") for i in range(1_000)],
    "many of three": [[Point(i, i), date(2020, 1, 1 + i % 28), timedelta(i), time(i % 24)] for i in range(300)],
    "each is fetched": [[point, point] for point in map(Point, range(300), range(300))],
    "the class itself": [Point, ONE, Point, ONE, Point(3, 4)],
    "two at the end": [[1, 2], [date, time], (date, time)],
    "frames": [Point(i, f"{i}" * 9) for i in range(6_000)],
    "nothing memoized behind": [timedelta(1), 5, date, date],
}
PROTOCOLS = pytest.mark.parametrize("protocol", [2, 3, 4, 5])


@pytest.mark.parametrize("name", VALUES)
@PROTOCOLS
def test_what_pickle_coded_loads_equal_by_name_under_both_unpicklers(name, protocol):
    value = VALUES[name]
    with installed(REGISTRY.codes):
        coded = [pickle.dumps(value, protocol), pickle._dumps(value, protocol)]
    for data in coded:
        named = rewrite(data, REGISTRY, to="names")
        assert (dict(named.left), dict(named.refused)) == ({}, {})
        assert not scan(named.data).codes
        for load in (pickle.loads, pickle._loads):
            assert_same(load(named.data), value)
        again = to_codes(named.data, REGISTRY)
        assert not scan(again).globals.keys() & set(REGISTRY.codes.values())
        with installed(REGISTRY.codes):
            assert_same(pickle.loads(again), value)


@PROTOCOLS
def test_a_list_that_pickle_coded_is_no_larger_by_name_than_what_pickle_writes(protocol):
    value = [Point(i, f"{i}") for i in range(10_000)]
    by_name = pickle.dumps(value, protocol)
    with installed(REGISTRY.codes):
        data = pickle.dumps(value, protocol)
    named = to_names(data, REGISTRY)
    assert len(named) <= len(by_name)
    assert scan(named).globals == scan(by_name).globals


def test_a_slot_that_is_fetched_keeps_what_it_holds():
    # Slot 0 is a list that is fetched, and slot 1, behind the second code, is not.
    data = b"\x80\x04(\x83\x2d\x01]\x94\x83\x2d\x01h\x00]\x94\x83\x2d\x01t."
    named = to_names(data, REGISTRY)
    assert named.count(b"datetime") == 2
    assert pickle.loads(named) == (date, [], date, [], [], date)


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x04(\x83\x2d\x01]q\x05\x83\x2d\x01t.",
        b"\x80\x04(\x83\x2d\x01]p5\n\x83\x2d\x01t.",
        b"\x80\x04(\x83\x2d\x01]\x94]q\x05\x83\x2d\x01t.",
        b"\x80\x02(\x83\x2d\x01]q\x05]q\x05\x83\x2d\x01t.",
        b"\x80\x02(\x83\x2d\x01]\x94\x83\x2d\x01t.",
    ],
    ids=["PUT under protocol 4", "PUT in text", "both", "a slot filled twice", "MEMOIZE under protocol 2"],
)
def test_a_memo_that_no_pickler_writes_is_left_as_it_is(data):
    named = to_names(data, REGISTRY)
    assert named.count(b"datetime") == 2
    with installed(REGISTRY.codes):
        assert pickle.loads(named) == pickle.loads(data)


def test_in_a_row_the_memo_is_left_as_it_is_unless_its_pickles_are_independent():
    with installed(REGISTRY.codes):
        data = pickle.dumps([Point(1, 2), Point(3, 4)], 4) * 2
    assert rewrite(data, REGISTRY, to="names").data.count(b"Point") == 4
    alone = rewrite(data, REGISTRY, to="names", independent=True).data
    assert alone.count(b"Point") == 2
    stream = io.BytesIO(alone)
    assert [pickle.load(stream) for _ in range(2)] == [[Point(1, 2), Point(3, 4)]] * 2


def test_nested_names_below_protocol_4_are_fetched_as_a_whole():
    codes = Registry(codes={300: f"{Outer.__module__}:Outer.Inner"})
    data = b"\x80\x03]q\x00(\x83\x2c\x01]q\x01\x83\x2c\x01\x83\x2c\x01e."
    named = to_names(data, codes)
    assert named.count(b"Inner") == 1
    assert pickle.loads(named) == [Outer.Inner, [], Outer.Inner, Outer.Inner]


def other_slot(plan):
    nth = next(nth for nth, edit in enumerate(plan.edits) if edit[2][:1] == b"h")
    start, end, new = plan.edits[nth]
    plan.edits[nth] = start, end, b"h%c" % (new[1] - 1)


def other_code(plan):
    nth = next(nth for nth, edit in enumerate(plan.edits) if edit[2][:1] == b"h")
    other = next(edit[2] for edit in plan.edits[nth:] if edit[2][:1] == b"h" and edit[2] != plan.edits[nth][2])
    plan.edits[nth] = *plan.edits[nth][:2], other


def keep_the_other(plan):
    plan.memos.pop(0)


def without_memoize(plan):
    nth = next(nth for nth, edit in enumerate(plan.edits) if edit[2][-1:] == b"\x94")
    start, end, new = plan.edits[nth]
    plan.edits[nth] = start, end, new[:-1]


def something_else_memoized(plan):
    nth = next(nth for nth, edit in enumerate(plan.edits) if edit[2][-1:] == b"\x94")
    start, end, new = plan.edits[nth]
    plan.edits[nth] = start, end, new[:-1] + b"\x94N\x940"


def none_for_the_global(plan):
    nth = next(nth for nth, edit in enumerate(plan.edits) if edit[2][-1:] == b"\x94")
    start, end, new = plan.edits[nth]
    plan.edits[nth] = start, end, new[:-1] + b"0N\x94"


def fetched_too_early(plan):
    holder = next(nth for nth, edit in enumerate(plan.edits) if edit[2][-1:] == b"\x94")
    later = next(nth for nth, edit in enumerate(plan.edits) if nth > holder and edit[2][:1] == b"h")
    one, other = plan.edits[holder], plan.edits[later]
    plan.edits[holder], plan.edits[later] = (*one[:2], other[2]), (*other[:2], one[2])


def a_byte_of_data(plan):
    plan.memos[0] = plan.memos[0][0] + 1, plan.memos[0][1] + 1, b""


FAULTS = [
    other_slot,
    other_code,
    keep_the_other,
    without_memoize,
    something_else_memoized,
    none_for_the_global,
    fetched_too_early,
    a_byte_of_data,
]


@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_use_of_the_memo_is_refused(monkeypatch, fault):
    shared = [1, 2]
    value = [[Point(i, shared), date(2020, 1, 1 + i), shared, timedelta(i)] for i in range(9)]
    with installed(REGISTRY.codes):
        data = pickle.dumps(value, 4)
    assert rewrite(data, REGISTRY, to="names").changed == 1
    right = rewriter.expanded

    def expanded(*args, **options):
        plan = right(*args, **options)
        assert plan.recalls
        fault(plan)
        return plan

    monkeypatch.setattr(rewriter, "expanded", expanded)
    wrong = rewrite(data, REGISTRY, to="names")
    assert wrong.refused == {"the result could not be proved": 1}
    assert wrong.data == data


def fuzz(seed, count):
    shared = [1, "x"]
    values = [
        [range(3), shared, range(4), shared, date(2020, 1, 1), [range(5)]],
        [[range(3)] * 2, [range(3)] * 2, OrderedDict(a=range(1)), OrderedDict(b=OrderedDict(c=shared)), shared],
        [date(2020, 1, i) for i in range(1, 5)] + [timedelta(1), timedelta(2), date, timedelta],
    ]
    with installed(REGISTRY.codes):
        dumps = itertools.product(values, (2, 3, 4, 5), (pickle.dumps, pickle._dumps))
        pool = [dump(value, protocol) for value, protocol, dump in dumps]
        rng = random.Random(seed)
        loadable = 0
        for _ in range(count):
            data = mutated(rng, pool)
            try:
                named = to_names(data, REGISTRY)
            except MalformedPickleError:
                continue
            copyreg.clear_extension_cache()
            try:
                expected = Harmless(io.BytesIO(data)).load()
            except Exception:
                continue
            loadable += 1
            assert_same(Harmless(io.BytesIO(named)).load(), expected)
    return loadable


@pytest.mark.slow
def test_mutated_pickles_by_code_stay_what_they_are_by_name():
    assert fuzz(7, 6_000) > 600


@pytest.mark.soak
def test_half_a_million_mutated_pickles_by_code_stay_what_they_are_by_name():
    print(fuzz(8, 500_000))
