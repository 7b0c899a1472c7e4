"""A code's life as functions from registry to registry."""

import pickle

import pytest

from extreg.errors import ExtregError, Problem, RegistryError
from extreg.registry import life
from extreg.registry.model import Registry
from extreg.registry.ranges import Range
from extreg.registry.target import join, split

SHOP = Registry(
    codes={240: "shop:Money", 300: "shop:Order"},
    load_only={301: "shop:Basket", 302: "shop:Order"},
    retired={303: "shop:Cart"},
    moved={300: ("old:Order", "older:Order")},
)


def test_promote_and_demote_are_each_others_way_back() -> None:
    live = life.promote(SHOP, 301)
    assert live.code("shop:Basket") == 301
    assert live.state(301) == "live"
    assert life.demote(live, 301) == SHOP


def test_two_load_only_codes_beside_a_live_one() -> None:
    """Merged classes: every old code loads, one is dumped; they can be exchanged."""
    with pytest.raises(ExtregError, match="already dumped as code 300") as caught:
        life.promote(SHOP, 302)
    assert caught.value.hint == "exchange them: extreg demote 300, then extreg promote 302"
    exchanged = life.promote(life.demote(SHOP, 300), 302)
    assert exchanged.code("shop:Order") == 302
    assert exchanged.target(300) == "shop:Order"


def test_retire_is_for_ever() -> None:
    with pytest.raises(ExtregError, match="live: programs still dump it"):
        life.retire(SHOP, 240)
    gone = life.retire(SHOP, 240, now=True)
    assert (gone.state(240), gone.target(240), gone.code("shop:Money")) == ("retired", None, None)
    for change in (life.promote, life.demote, life.retire):
        with pytest.raises(ExtregError, match="spent for ever"):
            change(gone, 240)
    with pytest.raises(ExtregError, match="spent for ever"):
        life.move(gone, 240, "new:Money")


def test_move_keeps_every_former_target_oldest_first() -> None:
    moved = life.move(life.move(SHOP, 300, "new:Order"), 300, "newer:Order")
    assert moved.moved[300] == ("old:Order", "older:Order", "shop:Order", "new:Order")
    assert life.move(moved, 300, "newer:Order") is moved


def test_moving_back_leaves_the_present_target_out_of_the_former_ones() -> None:
    assert life.move(SHOP, 300, "old:Order").moved[300] == ("older:Order", "shop:Order")


def test_a_load_only_code_may_move_to_a_target_that_is_live() -> None:
    """That is how two classes are merged; two live codes for one target there cannot be."""
    assert life.move(SHOP, 301, "shop:Money").target(301) == "shop:Money"
    with pytest.raises(ExtregError, match="already has the live code 240"):
        life.move(SHOP, 300, "shop:Money")


@pytest.mark.parametrize(
    ("wanted", "code"),
    [("300", 300), ("shop:Order", 300), ("shop:Basket", 301), ("shop:Cart", 303), ("older:Order", 300)],
)
def test_a_target_finds_its_code(wanted: str, code: int) -> None:
    assert life.find(SHOP, wanted) == code


def test_an_ambiguous_target_is_not_guessed() -> None:
    twice = Registry(load_only={300: "m:C", 301: "m:C"})
    with pytest.raises(ExtregError, match="m:C has several codes: 300, 301"):
        life.find(twice, "m:C")


def test_a_registry_that_contradicts_itself_cannot_be_made() -> None:
    """All its faults in one error."""
    with pytest.raises(RegistryError) as caught:
        Registry(
            codes={300: "m:C", 301: "m:C"},
            retired={300: "m:D"},
            moved={999: ("m:E",)},
            ranges={"a": Range(first=65000, last=70000)},
        )
    rules = {problem.rule for problem in caught.value.problems}
    assert rules == {"duplicate-code", "duplicate-target", "deleted-code", "overlapping-ranges"}


def test_a_registry_is_a_value() -> None:
    """Equal by what it says, hashable, read-only, and picklable under every protocol."""
    again = Registry(
        codes=dict(reversed(SHOP.codes.items())), load_only=SHOP.load_only, retired=SHOP.retired, moved=SHOP.moved
    )
    assert (again, hash(again), again.fingerprint) == (SHOP, hash(SHOP), SHOP.fingerprint)
    with pytest.raises(TypeError):
        SHOP.codes[5] = "m:C"  # type: ignore[index]
    with pytest.raises(AttributeError):
        SHOP.codes = {}  # type: ignore[misc]
    for protocol in range(pickle.HIGHEST_PROTOCOL + 1):
        assert pickle.loads(pickle.dumps(SHOP, protocol)) == SHOP


def test_a_registry_does_not_follow_what_it_was_made_from() -> None:
    codes = {300: "m:C"}
    registry = Registry(codes=codes)
    codes[301] = "m:D"
    assert registry.codes == {300: "m:C"}


def test_the_fingerprint_is_of_what_pickles_notice() -> None:
    base = Registry(codes={300: "m:C"}, retired={301: "m:D"})
    same = Registry(
        codes={300: "m:C"}, retired={301: "m:D"}, moved={300: ("m:B",)}, ranges={"a": Range(first=1, last=9)}
    )
    assert same.fingerprint == base.fingerprint
    others = [
        Registry(codes={300: "m:C"}),
        Registry(codes={300: "m:D"}, retired={301: "m:D"}),
        Registry(load_only={300: "m:C"}, retired={301: "m:D"}),
        Registry(codes={300: "m:C"}, retired={301: "m:D"}, include=("p",)),
        Registry(codes={300: "m:C"}, retired={301: "m:D"}, reducers={"m:C": "m:r"}),
    ]
    assert len({base.fingerprint, *(other.fingerprint for other in others)}) == 1 + len(others)
    # For ever, like the codes: processes of different releases compare it.
    assert base.fingerprint == "0bdc0f9ff17f76c1"


@pytest.mark.parametrize("target", ["m:C", "a.b.c:D.E.f", "caf\u00e9:\u00d6", "m:f.<locals>.C", 'm:quo"te#[]'])
def test_targets(target: str) -> None:
    assert join(*split(target)) == target


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ("shop.models.Order", "did you mean 'shop.models:Order'?"),
        ("a:b:c", "exactly one colon"),
        ("a: B", "no white space"),
        ("a:\u00a0B", "no white space"),
        ("", "found ''"),
        ("m:", "found 'm:'"),
        (":C", "found ':C'"),
        ("m:.C", "found 'm:.C'"),
        ("m..n:C", "found 'm..n:C'"),
        ("m:C\x00", "found"),
        ("m:\udcff", "found"),
        ("Order", "found 'Order'"),
    ],
)
def test_what_is_no_target(target: str, message: str) -> None:
    with pytest.raises(ValueError, match="expected 'module:qualname'") as caught:
        split(target)
    assert message in str(caught.value)


def test_a_problem_reads_as_one_line() -> None:
    problem = Problem("codes.5", "is wrong", "mend it", "registry.toml", 7)
    assert str(problem) == "registry.toml:7: codes.5: is wrong (mend it)"
    assert str(Problem("", "is wrong")) == "is wrong"


def test_a_registry_made_by_hand_is_checked_as_a_file_is() -> None:
    for bad in ({0: "a:B"}, {2**31: "a:B"}, {True: "a:B"}, {"5": "a:B"}, {5: "a.B"}, {5: None}, {5: "a:B c"}):
        with pytest.raises(RegistryError):
            Registry(codes=bad)  # type: ignore[arg-type]


def test_a_registry_prints_what_matters() -> None:
    registry = Registry(codes={300: "a:B"}, retired={301: "a:C"})
    assert repr(registry) == f"<extreg.Registry {registry.fingerprint}: 1 live, 0 load-only, 1 retired>"
