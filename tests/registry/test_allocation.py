"""Which code a target gets: a function of the registry and the target alone."""

from itertools import permutations

import pytest

from extreg.errors import AllocationError
from extreg.registry.allocation import allocate, claim, displaced_by, home
from extreg.registry.life import add
from extreg.registry.model import Registry
from extreg.registry.ranges import BUILT_IN, Range

hypothesis = pytest.importorskip("hypothesis", reason="pip install hypothesis")
given = hypothesis.given
st = pytest.importorskip("hypothesis.strategies", reason="pip install hypothesis")

DEFAULT = BUILT_IN["default"]

# These codes stand in committed files: should one of them ever differ, two branches that add the same target would no
# longer get the same line. They stay as they are for ever; no release may change this table.
FOR_EVER = {
    "shop.models:Order": 15468,
    "shop.models:Order.Line": 61741,
    "shop.money:Money": 24438,
    "datetime:datetime": 15531,
    "b\u00fccher.geld:M\u00fcnze": 37129,
    "\u6ce8\u6587.\u578b:\u6ce8\u6587\u66f8": 39889,
    "package.module:Class0": 34590,
}


def spans(**bounds: tuple[int, int]) -> dict[str, Range]:
    return {name: Range(first=first, last=last) for name, (first, last) in bounds.items()}


@pytest.mark.parametrize(("target", "code"), FOR_EVER.items())
def test_the_hash_never_changes(target: str, code: int) -> None:
    assert home(target, DEFAULT) == code
    assert allocate(Registry(), target) == code


def test_the_hash_is_the_documented_one() -> None:
    """The first eight bytes of SHA-256, big-endian, modulo the size of the range."""
    import hashlib

    digest = hashlib.sha256(b"shop.models:Order").hexdigest()[:16]
    assert home("shop.models:Order", Range(first=1000, last=1999)) == 1000 + int(digest, 16) % 1000


TARGETS = st.from_regex(r"[a-z]{1,3}(\.[a-z]{1,3}){0,2}:[A-Z][a-z]{0,3}", fullmatch=True)


@given(st.lists(TARGETS, unique=True, min_size=2, max_size=6), st.randoms(use_true_random=False))
def test_order_does_not_matter_unless_two_collide(targets: list[str], chance) -> None:
    """And of two that collide, the one that does not get its place is known as displaced."""

    def add_all(order: list[str]) -> tuple[dict[str, int], bool]:
        registry = Registry()
        codes = {}
        displaced = False
        for target in order:
            registry, codes[target] = add(registry, target)
            displaced = displaced or displaced_by(registry, target, codes[target]) is not None
        return codes, displaced

    shuffled = list(targets)
    chance.shuffle(shuffled)
    (one, one_displaced), (two, two_displaced) = add_all(targets), add_all(shuffled)
    assert one_displaced == two_displaced
    assert one == two or one_displaced


@given(st.permutations([f"m:C{number}" for number in range(8)]))
def test_collisions_are_seen_in_a_small_range(order: list[str]) -> None:
    """Eight targets in twelve codes, four of which belong to a range inside, collide in every order."""
    registry = Registry(ranges=spans(default=(300, 311), inner=(304, 307)))
    displaced = []
    for target in order:
        registry, code = add(registry, target)
        by = displaced_by(registry, target, code)
        if by is not None:
            displaced.append(target)
            assert registry.codes[by] != target
    assert set(registry.codes) == {300, 301, 302, 303, 308, 309, 310, 311}
    assert displaced


def test_a_home_in_a_range_inside_is_not_a_collision() -> None:
    """The place is then the first code above it, and whoever has that is the one that collides."""
    ranges = spans(default=(300, 305), inner=(301, 304))
    lower = next(f"m:C{number}" for number in range(99) if home(f"m:C{number}", ranges["default"]) in range(301, 305))
    upper = next(f"m:D{number}" for number in range(99) if home(f"m:D{number}", ranges["default"]) == 305)
    registry, code = add(Registry(ranges=ranges), lower)
    assert (code, displaced_by(registry, lower, code)) == (305, None)
    registry, code = add(registry, upper)
    assert (code, displaced_by(registry, upper, code)) == (300, 305)


def test_hash_probes_upward_and_round_the_end() -> None:
    ranges = spans(default=(300, 303))
    order = sorted((f"m:C{number}" for number in range(4)), key=lambda name: home(name, ranges["default"]))
    for targets in permutations(order):
        registry = Registry(ranges=ranges)
        for target in targets:
            start = home(target, ranges["default"])
            around = [300 + (start - 300 + step) % 4 for step in range(4)]
            expected = next(code for code in around if code not in registry.spent)
            registry, code = add(registry, target)
            assert code == expected


@pytest.mark.parametrize("table", ["codes", "load_only", "retired"])
def test_a_spent_code_is_never_given_out(table: str) -> None:
    code = home("m:C", DEFAULT)
    registry = Registry(**{table: {code: "other:Other"}})
    assert allocate(registry, "m:C") == code + 1
    with pytest.raises(AllocationError, match=f"code {code} is spent: it is .* and means other:Other"):
        claim(registry, "m:C", code)


def test_next_is_one_above_the_highest_ever_spent() -> None:
    """Gaps left by hand edits are not filled, wherever in its life the highest code is."""
    for table in ("codes", "load_only", "retired"):
        registry = Registry(codes={240: "m:A"}, **({table: {245: "m:B"}} if table != "codes" else {}))
        registry = registry if table != "codes" else Registry(codes={240: "m:A", 245: "m:B"})
        assert allocate(registry, "m:C", range_name="hot") == 246
    assert allocate(Registry(), "m:C", range_name="hot") == 240


def test_next_skips_the_ranges_inside() -> None:
    ranges = {"outer": Range(first=1000, last=1009, allocate="next"), **spans(inner=(1001, 1003), last=(1009, 1009))}
    registry = Registry(ranges=ranges, codes={1002: "m:Inner"})
    given = []
    for number in range(6):
        registry, code = add(registry, f"m:C{number}", range_name="outer")
        given.append(code)
    assert given == [1000, 1004, 1005, 1006, 1007, 1008]
    with pytest.raises(AllocationError, match="every code is spent"):
        allocate(registry, "m:C", range_name="outer")


def test_hash_skips_the_ranges_inside_and_theirs() -> None:
    ranges = spans(default=(300, 309), inner=(302, 307), innermost=(303, 304))
    registry = Registry(ranges=ranges)
    for number in range(4):
        registry, _ = add(registry, f"m:C{number}")
    assert set(registry.codes) == {300, 301, 308, 309}
    registry, code = add(registry, "m:Deep", range_name="innermost")
    assert code in (303, 304)
    for number in range(4):
        registry, _ = add(registry, f"m:D{number}", range_name="inner")
    assert {302, 305, 306, 307} <= set(registry.codes)


@pytest.mark.parametrize(
    ("registry", "range_name", "message"),
    [
        (Registry(ranges=spans(default=(300, 300)), retired={300: "m:A"}), None, "every code is spent .*300: 1 of 1"),
        (Registry(codes={255: "m:A"}), "hot", "its last code is spent and gaps below are not filled .*: 1 of 16"),
        (Registry(), "hto", "there is no range 'hto'"),
    ],
)
def test_no_code_to_give(registry: Registry, range_name: str | None, message: str) -> None:
    with pytest.raises(AllocationError, match=message) as caught:
        allocate(registry, "m:C", range_name=range_name)
    assert caught.value.hint


OWNED = Registry(
    ranges={
        "billing": Range(first=40000, last=40999, modules=("billing",)),
        "invoices": Range(first=41000, last=41999, modules=("billing.invoices", "bills")),
    }
)


@pytest.mark.parametrize(
    ("target", "name"),
    [
        ("billing:Bill", "billing"),
        ("billing.deep.down:Bill", "billing"),
        ("billing.invoices:Invoice", "invoices"),
        ("billing.invoices.old:Invoice", "invoices"),
        ("bills:Bill", "invoices"),
        ("billings:Other", "default"),
        ("shop.billing:Other", "default"),
    ],
)
def test_a_module_is_allocated_in_its_range_and_only_there(target: str, name: str) -> None:
    """The longest of the modules that own it decides."""
    code = allocate(OWNED, target)
    assert code in OWNED.ranges[name]
    assert allocate(OWNED, target, range_name=name) == code
    for other in {"billing", "invoices", "default", "hot"} - {name}:
        if name == "default" and other == "hot":
            continue  # who is owned by none may go where he asks
        with pytest.raises(AllocationError, match=r"and only there|none of theirs"):
            allocate(OWNED, target, range_name=other)
        with pytest.raises(AllocationError, match=r"and only there|none of theirs"):
            claim(OWNED, target, OWNED.ranges[other].first)


def test_a_default_range_with_owners_is_theirs_alone() -> None:
    registry = Registry(ranges={"default": Range(first=300, last=400, modules=("shop",))})
    assert allocate(registry, "shop:Order") in range(300, 401)
    with pytest.raises(AllocationError, match="none of theirs"):
        allocate(registry, "other:Order")


@pytest.mark.parametrize("code", [0, -1, 2**31, 2**64])
def test_a_claimed_code_is_a_code(code: int) -> None:
    with pytest.raises(AllocationError, match="is not from 1 to 2147483647"):
        claim(Registry(), "m:C", code)


@pytest.mark.parametrize("code", [1, 127, 191, 239])
def test_the_codes_of_others_need_a_range_of_their_own(code: int) -> None:
    with pytest.raises(AllocationError, match="lies in no range") as caught:
        claim(Registry(), "m:C", code)
    assert "PEP 307" in caught.value.hint
    claim(Registry(ranges=spans(ours=(1, 239))), "m:C", code)


def test_no_allocation_below_240_without_asking() -> None:
    registry = Registry(ranges=spans(ours=(1, 239)))
    for number in range(300):
        registry, _ = add(registry, f"m:C{number}")
    assert min(registry.codes) >= 256
    registry, code = add(registry, "m:Asked", range_name="ours")
    assert code < 240


def test_the_whole_of_a_range_can_be_given_out() -> None:
    registry = Registry(ranges=spans(default=(300, 349)))
    for number in range(50):
        registry, _ = add(registry, f"m:C{number}")
    assert set(registry.codes) == set(range(300, 350))
    with pytest.raises(AllocationError, match="50 of 50"):
        add(registry, "m:Last")
