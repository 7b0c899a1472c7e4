"""What a difference says about who can read whom."""

import pickle

import pytest

from extreg.registry.difference import Difference
from extreg.registry.model import Registry
from extreg.registry.ranges import Range

ORDER = {300: "shop:Order"}
MOVED = {"codes": {300: "shop.new:Order"}, "moved": {300: ("shop:Order",)}}


def of(old: dict, new: dict) -> Difference:
    return Difference.of(Registry(**old), Registry(**new))


VERDICTS = [
    ({"codes": ORDER}, {"codes": ORDER}, "identical", [], True),
    ({}, {"load_only": ORDER}, "any-order", ["added"], True),
    ({}, {"codes": ORDER}, "readers-first", ["added"], False),
    ({}, {"retired": ORDER}, "any-order", ["added"], True),
    ({"load_only": ORDER}, {"codes": ORDER}, "any-order", ["promoted"], True),
    ({"codes": ORDER}, {"load_only": ORDER}, "any-order", ["demoted"], True),
    ({"codes": ORDER}, {"retired": ORDER}, "writers-first", ["retired"], False),
    ({"codes": ORDER}, {}, "writers-first", ["deleted"], False),
    ({"load_only": ORDER}, {"retired": ORDER}, "any-order", ["retired"], False),
    ({"load_only": ORDER}, {}, "any-order", ["deleted"], False),
    ({"retired": ORDER}, {"codes": ORDER}, "readers-first", ["revived"], False),
    ({"codes": ORDER}, {"codes": {400: "shop:Order"}, "retired": ORDER}, "two-steps", ["retired", "added"], False),
    ({"codes": ORDER}, MOVED, "any-order", ["moved"], True),
    (MOVED, {"codes": ORDER}, "any-order", ["moved"], True),
    ({"codes": ORDER}, {"codes": {300: "shop:Basket"}}, "never", ["reassigned"], False),
    ({"load_only": ORDER}, MOVED, "any-order", ["moved", "promoted"], True),
]


@pytest.mark.parametrize(("old", "new", "verdict", "kinds", "safe"), VERDICTS)
def test_the_verdict_follows_from_what_each_side_dumps_and_loads(old, new, verdict, kinds, safe):
    difference = of(old, new)
    assert difference.verdict == verdict
    assert [kind for change in difference.changes for kind in change.kinds] == kinds
    assert difference.safe is safe


def test_the_way_back_is_the_mirror_image():
    for old, new, *_ in VERDICTS:
        there, back = of(old, new), of(new, old)
        assert (there.unread_by_new, there.unread_by_old) == (back.unread_by_old, back.unread_by_new)
        assert there.contradictory == back.contradictory


def test_pickles_from_before_a_demotion_are_counted_when_they_stop_loading():
    assert of({"load_only": ORDER}, {"retired": ORDER}).ended == (300,)
    assert of({"codes": ORDER}, {"retired": ORDER}).ended == ()  # there it is the writers that matter


def test_what_two_registries_do_not_tell_is_reported_as_not_judged():
    old = Registry(include=("paylib",), reducers={"shop:Money": "shop:reduce"})
    new = Registry(include=("banklib",), reducers={"shop:Money": "shop:reduce_money"})
    difference = Difference.of(old, new)
    assert [setting.name for setting in difference.unjudged] == ["paylib", "banklib", "shop:Money"]
    assert not difference.safe
    assert str(difference.settings[2]) == "reducer of shop:Money: shop:reduce became shop:reduce_money"


def test_a_new_range_is_shown_and_harmless():
    difference = of({}, {"ranges": {"billing": Range(first=40000, last=40999, modules=("billing",))}})
    assert list(map(str, difference.settings)) == ["range billing: added (40000 to 40999 by hash, for billing)"]
    assert difference.verdict == "any-order"
    assert difference.safe


def test_a_difference_is_a_value():
    difference = of({}, {"codes": ORDER})
    assert pickle.loads(pickle.dumps(difference)) == difference
    assert hash(difference) == hash(of({}, {"codes": ORDER}))
