"""The names of a registry: what a former or other name is called today, and which registries contradict themselves."""

import pickle
import random

import pytest

from extreg.errors import ExtregError, RegistryError, UnreadableError
from extreg.project.effective import with_rows_of
from extreg.registry import life
from extreg.registry.difference import Difference
from extreg.registry.model import Registry
from extreg.registry.other_names import alias, move_module
from extreg.registry.ranges import Range

R = Registry
SHOP = R(
    codes={300: "shop.models:Order", 301: "pathlib:PosixPath"},
    load_only={400: "shop.models:Basket"},
    retired={500: "shop.legacy:Cart"},
    moved={300: ("shop:Order", "shop.orders:Order"), 500: ("shop:Cart",)},
    aliases={301: ("pathlib._local:PosixPath",), 400: ("shop._fast:Basket",)},
    renamed={
        "numpy.core": "numpy._core",
        "numpy.core.special": "numpy.extras",
        "shop.util:Box": "shop.boxes:Box",
        "shop.box:Box": "shop.util:Box",
    },
)


@pytest.mark.parametrize(
    ("name", "today"),
    [
        ("shop:Order", "shop.models:Order"),
        ("shop.orders:Order", "shop.models:Order"),
        ("shop.models:Order", "shop.models:Order"),
        ("pathlib._local:PosixPath", "pathlib:PosixPath"),
        ("shop._fast:Basket", "shop.models:Basket"),
        ("shop:Cart", "shop.legacy:Cart"),  # of a retired code: the class may still be there
        ("shop.util:Box", "shop.boxes:Box"),
        ("shop.box:Box", "shop.boxes:Box"),  # a chain
        ("numpy.core:x", "numpy._core:x"),
        ("numpy.core.multiarray:_reconstruct", "numpy._core.multiarray:_reconstruct"),
        ("numpy.core.special.a:B.C", "numpy.extras.a:B.C"),  # the most specific row
        ("numpy.core.specials:B", "numpy._core.specials:B"),
        ("numpy.corel:B", "numpy.corel:B"),
        ("numpy.core", "numpy._core"),  # a module
        ("shop.other:Thing", "shop.other:Thing"),
        ("", ""),
        ("no target", "no target"),
    ],
)
def test_a_name_leads_to_the_one_of_today(name, today):
    assert SHOP.current(name) == today
    assert SHOP.current(today) == today
    assert pickle.loads(pickle.dumps(SHOP)).current(name) == today


def test_all_names_of_a_target_come_with_the_preferred_one_first():
    order = ("shop.models:Order", "shop.orders:Order", "shop:Order")
    for name in order:
        assert SHOP.names(name) == order
    assert SHOP.names("pathlib:PosixPath") == ("pathlib:PosixPath", "pathlib._local:PosixPath")
    assert SHOP.names("shop.util:Box") == ("shop.boxes:Box", "shop.util:Box", "shop.box:Box")
    assert SHOP.names("numpy._core.a:B") == ("numpy._core.a:B", "numpy.core.a:B")
    assert SHOP.names("shop.other:Thing") == ("shop.other:Thing",)


def test_a_name_that_leads_to_two_places_leads_to_none():
    registry = R(codes={300: "a:X", 301: "b:X"}, moved={300: ("old:X",), 301: ("old:X",)})
    assert registry.current("old:X") == "old:X"
    merged = R(codes={300: "a:X"}, load_only={301: "a:X"}, moved={300: ("old:X",), 301: ("old:X",)})
    assert merged.current("old:X") == "a:X"
    assert R(codes={300: "a:X"}, moved={300: ("old:X",)}, renamed={"old:X": "b:X"}).current("old:X") == "old:X"


def test_an_alias_is_no_former_name_of_something_else():
    registry = R(codes={300: "a:X", 301: "b:X"}, moved={300: ("old:X",)}, aliases={301: ("old:X",)})
    assert registry.current("old:X") == "b:X"
    assert R(codes={301: "b:X"}, renamed={"old:X": "c:X"}, aliases={301: ("old:X",)}).current("old:X") == "b:X"


def test_what_a_code_means_is_no_former_name():
    swapped = R(codes={300: "a:X", 301: "b:X"}, moved={300: ("b:X",), 301: ("a:X",)})
    assert (swapped.current("a:X"), swapped.current("b:X")) == ("a:X", "b:X")
    assert R(codes={300: "old.m:X"}, renamed={"old": "new"}).current("old.m:X") == "old.m:X"


def test_what_a_retired_code_was_called_counts_where_nothing_else_does():
    registry = R(codes={300: "a:X"}, retired={301: "b:X"}, moved={300: ("old:X",), 301: ("old:X", "older:X")})
    assert registry.current("old:X") == "a:X"
    assert registry.current("older:X") == "b:X"


def test_a_module_that_became_a_package_renames_nothing_twice():
    registry = R(renamed={"shop": "shop.models"})
    assert registry.current("shop:Order") == "shop.models:Order"
    assert registry.current("shop.util:Box") == "shop.models.util:Box"
    assert registry.current("shop.models:Order") == "shop.models:Order"


@pytest.mark.parametrize(
    ("tables", "names"),
    [
        ({"retired": {300: "a:X"}, "moved": {300: ("b:X",)}, "renamed": {"a:X": "b:X"}}, ["a:X", "b:X"]),
        ({"retired": {301: "a.x:X"}, "moved": {301: ("b.x:X",)}, "renamed": {"a": "b"}}, ["a.x:X", "b.x:X"]),
        ({"retired": {1: "a:X", 2: "b:X"}, "moved": {1: ("b:X",), 2: ("a:X",)}}, ["b:X", "a:X"]),
    ],
)
def test_what_moved_back_is_where_it_was(tables, names):
    """A retired code keeps the target that it had last; no circle comes of it."""
    registry = R(**tables)
    for name in names:
        assert registry.current(name) == names[-1]


@pytest.mark.parametrize(
    "renamed",
    [
        {"a:X": "b:X", "b:X": "a:X"},
        {"a:X": "a:X"},
        {"a": "b", "b": "a"},
        {"a": "b", "b": "c", "c": "a"},
        {"a:X": "b:X", "b": "a"},
        {"a": "b.q", "b": "a"},
        {"a": "b.c", "b": "a.d"},
    ],
    ids=str,
)
def test_renames_in_a_circle_are_refused(renamed):
    with pytest.raises(RegistryError) as caught:
        R(renamed=renamed)
    assert {problem.rule for problem in caught.value.problems} == {"circular-rename"}
    assert all(problem.hint for problem in caught.value.problems)


@pytest.mark.parametrize(
    "tables",
    [
        {"codes": {300: "a:X", 301: "b:X"}, "aliases": {300: ("b:X",)}},
        {"codes": {300: "a:X"}, "load_only": {301: "b:X"}, "aliases": {300: ("b:X",)}},
        {"codes": {300: "a:X"}, "load_only": {301: "b:X"}, "aliases": {301: ("a:X",)}},
        {"codes": {300: "a:X"}, "aliases": {300: ("a:X",)}},
        {"codes": {300: "a:X"}, "aliases": {300: ("c:X", "c:X")}},
        {"codes": {300: "a:X", 301: "b:X"}, "aliases": {300: ("c:X",), 301: ("c:X",)}},
    ],
    ids=str,
)
def test_an_alias_of_two_codes_is_refused(tables):
    with pytest.raises(RegistryError) as caught:
        R(**tables)
    assert {problem.rule for problem in caught.value.problems} == {"ambiguous-alias"}


def test_aliases_of_retired_codes_may_be_given_out_again():
    registry = R(codes={301: "b:X", 302: "c:X"}, retired={300: "a:X"}, aliases={300: ("b:X", "d:X"), 302: ("d:X",)})
    assert registry.code("b:X") == 301
    assert registry.current("d:X") == "c:X"
    assert registry.current("b:X") == "b:X"


def test_an_alias_is_dumped_as_its_targets_code_and_a_former_name_is_not():
    assert SHOP.code("pathlib._local:PosixPath") == 301
    assert SHOP.code("shop._fast:Basket") is None  # of a load-only code
    assert SHOP.code("shop:Order") is None


def test_aliases_are_in_the_fingerprint_and_leave_it_alone_where_there_are_none():
    plain = R(codes={300: "a:X"}, retired={301: "b:X"})
    assert plain.fingerprint == "387636131bb79b05"  # as extreg 0.1 had it
    named = R(codes={300: "a:X"}, retired={301: "b:X"}, aliases={300: ("c:X",)})
    assert named.fingerprint != plain.fingerprint
    assert R(codes={300: "a:X"}, retired={301: "b:X"}, aliases={301: ("c:X",)}).fingerprint == plain.fingerprint
    assert R(codes={300: "a:X"}, retired={301: "b:X"}, renamed={"c": "d"}).fingerprint == plain.fingerprint
    former = R(codes={300: "a:X"}, retired={301: "b:X"}, moved={300: ("z:X",), 301: ("y:X",)}, renamed={"c": "d"})
    assert former.fingerprint == plain.fingerprint
    orders = [R(codes={300: "a:X"}, aliases={300: names}) for names in (("c:X", "d:X"), ("d:X", "c:X"))]
    assert orders[0].fingerprint == orders[1].fingerprint


def test_included_names_come_along_unless_they_contradict():
    own = R(
        codes={300: "a:X"},
        aliases={300: ("a2:X", "pay:Live")},
        renamed={"m": "n", "p:Q": "p:R"},
        moved={300: ("a0:X",)},
    )
    pay = R(
        codes={700: "pay:A", 701: "pay:Live", 300: "pay:No"},
        aliases={700: ("a2:X", "pay2:A"), 300: ("never:X",)},
        moved={700: ("pay0:A",), 300: ("never:Y",)},
        renamed={"n": "m", "m": "elsewhere", "u": "v"},
    )
    both = with_rows_of(own, pay)
    assert dict(both.aliases) == {300: ("a2:X",), 700: ("pay2:A",)}
    assert dict(both.moved) == {300: ("a0:X",), 700: ("pay0:A",)}
    assert dict(both.renamed) == {"m": "n", "p:Q": "p:R", "u": "v"}
    assert both.current("pay0:A") == "pay:A"
    assert both.state(701) == "load-only"


def test_a_difference_tells_aliases_and_renames():
    old = R(codes={300: "a:X"}, renamed={"m": "n"})
    new = R(codes={300: "a:X"}, aliases={300: ("b:X",)}, renamed={"m": "o", "p:Q": "p:R"})
    found = Difference.of(old, new)
    assert [str(change) for change in found.changes] == ["other names are now b:X: a:X"]
    assert [str(setting) for setting in found.settings] == [
        "rename of m: n became o",
        "rename of p:Q: added (p:R)",
    ]
    assert found.safe


def test_an_alias_is_given_once_and_taken_over_from_a_code_of_the_same_target():
    registry = alias(SHOP, 300, ["shop.c:Order", "shop.d:Order"])
    assert registry.aliases[300] == ("shop.c:Order", "shop.d:Order")
    assert alias(registry, 300, ["shop.d:Order"]) == registry
    merged = R(codes={300: "a:X"}, load_only={301: "a:X"}, aliases={301: ("b:X",)})
    assert dict(alias(merged, 300, ["b:X"]).aliases) == {300: ("b:X",)}


@pytest.mark.parametrize(
    ("code", "name", "message"),
    [
        (300, "shop.models:Order", "is the target of code 300 itself"),
        (300, "pathlib:PosixPath", "has code 301 (live) already"),
        (300, "shop.models:Basket", "has code 400 (load-only) already"),
        (300, "pathlib._local:PosixPath", "is an alias of code 301 (pathlib:PosixPath) already"),
        (300, "shop._fast:Basket", "is an alias of code 400"),
        (500, "shop.c:Cart", "retired"),
        (5, "shop.c:Cart", "not in the registry"),
    ],
)
def test_an_alias_that_leads_elsewhere_is_refused(code, name, message):
    with pytest.raises(ExtregError) as caught:
        alias(SHOP, code, [name])
    assert message in str(caught.value)
    assert caught.value.hint


def test_an_alias_that_is_no_target_is_malformed_input():
    with pytest.raises(UnreadableError, match=r"did you mean 'shop\.c:Order'"):
        alias(SHOP, 300, ["shop.c.Order"])


def test_an_alias_has_its_code_already():
    registry, code = life.add(SHOP, "pathlib._local:PosixPath")
    assert (registry, code) == (SHOP, 301)
    registry, codes = life.add_all(SHOP, ["shop._fast:Basket", "new:X"], load_only=True)
    assert codes["shop._fast:Basket"] == 400
    assert life.find(SHOP, "pathlib._local:PosixPath") == 301
    assert life.find(SHOP, "shop._fast:Basket") == 400


def test_a_code_that_moves_to_its_alias_has_it_no_more():
    registry = life.move(SHOP, 301, "pathlib._local:PosixPath")
    assert registry.codes[301] == "pathlib._local:PosixPath"
    assert 301 not in registry.aliases
    assert registry.moved[301] == ("pathlib:PosixPath",)
    with pytest.raises(ExtregError, match="is an alias of code 301"):
        life.move(SHOP, 300, "pathlib._local:PosixPath")


def test_a_module_moves_with_all_that_is_below_it():
    registry = R(
        codes={300: "shop.models:Order", 301: "shop.models.lines:Line.Part", 302: "shop.modelship:Boat"},
        load_only={400: "shop.models:Basket"},
        retired={500: "shop.models:Cart"},
        moved={300: ("shop:Order",)},
        renamed={"shop.orders": "shop.models", "shop.orders.old:X": "shop.models.x:X"},
        reducers={"shop.models:Order": "shop.models.reducing:order", "z:Z": "z:z"},
        ranges={"shop": Range(first=300, last=599, modules=("shop.models", "shop.modelship"))},
    )
    moved = move_module(registry, "shop.models", "store")
    assert dict(moved.codes) == {300: "store:Order", 301: "store.lines:Line.Part", 302: "shop.modelship:Boat"}
    assert dict(moved.load_only) == {400: "store:Basket"}
    assert dict(moved.retired) == {500: "shop.models:Cart"}
    assert moved.moved[300] == ("shop:Order", "shop.models:Order")
    assert dict(moved.renamed) == {
        "shop.orders": "store",
        "shop.orders.old:X": "store.x:X",
        "shop.models": "store",
    }
    assert dict(moved.reducers) == {"store:Order": "store.reducing:order", "z:Z": "z:z"}
    assert moved.ranges["shop"].modules == ("store", "shop.modelship")
    for name in ("shop:Order", "shop.models:Order", "store:Order"):
        assert moved.current(name) == "store:Order"
    assert moved.current("shop.orders:Bag") == moved.current("shop.models:Bag") == "store:Bag"
    back = move_module(moved, "store", "shop.models")
    assert dict(back.codes) == dict(registry.codes)
    assert back.current("store.lines:Line.Part") == "shop.models.lines:Line.Part"
    assert dict(back.renamed) == {
        "shop.orders": "shop.models",
        "shop.orders.old:X": "shop.models.x:X",
        "store": "shop.models",
    }


def test_a_module_that_moves_below_itself_moves_once():
    registry = R(codes={300: "shop:Order", 301: "shop.models:Line"})
    moved = move_module(registry, "shop", "shop.models")
    assert dict(moved.codes) == {300: "shop.models:Order", 301: "shop.models:Line"}
    assert move_module(moved, "shop", "shop.models") == moved


def test_a_module_cannot_move_to_where_another_one_was():
    registry = move_module(R(), "a", "b")
    for new in ("a", "a.sub"):
        with pytest.raises(ExtregError, match=r"is recorded in \[renamed\] as a former name of b") as caught:
            move_module(registry, "c", new)
        assert caught.value.hint
    with pytest.raises(ExtregError, match="as a former name"):
        move_module(move_module(R(), "a", "b.q"), "b", "a")
    assert dict(move_module(registry, "b", "a").renamed) == {"b": "a"}


def test_a_module_cannot_move_onto_codes_of_others():
    registry = R(codes={300: "a:X", 301: "b:X"})
    with pytest.raises(ExtregError, match="b:X already has the live code 301"):
        move_module(registry, "a", "b")
    with pytest.raises(UnreadableError, match="expected a module, found 'a:X'"):
        move_module(registry, "a:X", "b")


@pytest.mark.parametrize("seed", range(100))
def test_whatever_moves_and_is_renamed_has_one_name_of_today(seed):
    """Random lives: what a code was ever called leads to what it is called, unless another one has the name now."""
    chance = random.Random(seed)
    registry = R()
    for number in range(30):
        module, other = (f"m{chance.randrange(4)}" for _ in range(2))
        try:
            match chance.randrange(5):
                case 0 | 1:
                    registry, _ = life.add(registry, f"{module}:C{number}")
                case 2:
                    registry = life.move(registry, chance.choice(sorted(registry.codes)), f"{module}:D{number}")
                case 3:
                    registry = alias(registry, chance.choice(sorted(registry.codes)), [f"{module}:E{number}"])
                case 4:
                    registry = move_module(registry, module, other)
        except (ExtregError, IndexError):
            continue
    for code, target in registry.codes.items():
        assert registry.current(target) == target
        for name in (*registry.moved.get(code, ()), *registry.aliases.get(code, ())):
            assert registry.current(name) == target
            assert name in registry.names(target)
