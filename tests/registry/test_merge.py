"""The three-way merge of registries as values."""

import random
from dataclasses import replace

import pytest

from extreg.errors import ExtregError
from extreg.merging.merge import common, merge, merge_ancestors
from extreg.merging.sides import Upstream
from extreg.registry import life
from extreg.registry.allocation import allocate
from extreg.registry.difference import Row, rows, same_meaning
from extreg.registry.model import Registry
from extreg.registry.ranges import Range

R = Registry
BASE = R(codes={300: "shop:Money"}, load_only={400: "shop:Basket"}, retired={500: "shop:Cart"})


def grown(registry: Registry = BASE, **tables: dict) -> Registry:
    """Return `registry` with more rows."""
    return replace(registry, **{name: {**getattr(registry, name), **more} for name, more in tables.items()})


def without(registry: Registry, code: int) -> Registry:
    tables = ("codes", "load_only", "retired", "moved")
    return replace(registry, **{n: {c: t for c, t in getattr(registry, n).items() if c != code} for n in tables})


def merged(ours: Registry, theirs: Registry, base: Registry = BASE, **upstream) -> Registry:
    found = merge(base, ours, theirs, Upstream(**upstream))
    assert not found.contradictions
    assert found.registry is not None
    return found.registry


def contradictions(ours: Registry, theirs: Registry, base: Registry = BASE, **upstream) -> list[str]:
    found = merge(base, ours, theirs, Upstream(**upstream))
    assert found.registry is None
    return [contradiction.where for contradiction in found.contradictions]


def test_independent_additions_are_both_there():
    found = merged(grown(codes={600: "shop:A"}), grown(codes={700: "shop:B"}))
    assert found == grown(codes={600: "shop:A", 700: "shop:B"})


def test_the_same_addition_twice_is_one_line_and_nothing_to_speak_of():
    found = merge(BASE, grown(codes={600: "shop:A"}), grown(codes={600: "shop:A"}))
    assert found.registry == grown(codes={600: "shop:A"})
    assert found.notes == ()


@pytest.mark.parametrize(("side", "code"), [("ours", 600), ("theirs", 601)])
def test_one_target_under_two_codes_takes_the_code_of_upstream(side, code):
    found = merge(BASE, grown(codes={600: "shop:A"}), grown(codes={601: "shop:A"}), Upstream(side=side))
    assert found.registry == grown(codes={code: "shop:A"})
    assert "which is upstream" in found.notes[0]


def test_a_code_given_to_two_targets_stays_with_upstream_and_the_other_is_allocated_anew():
    ours, theirs = grown(codes={600: "shop:A"}), grown(codes={600: "shop:B"})
    found = merge(BASE, ours, theirs)
    code = allocate(ours, "shop:B")
    assert found.registry == grown(codes={600: "shop:A", code: "shop:B"})
    assert found.codes("theirs") == {600: code}
    assert found.codes("ours") == {}


@pytest.mark.parametrize("direction", ["ours", "theirs"])
def test_what_is_published_wins_whichever_side_it_is_on(direction):
    main, topic = grown(codes={600: "shop:Main"}), grown(codes={600: "shop:Topic"})
    ours, theirs = (main, topic) if direction == "ours" else (topic, main)
    found = merged(ours, theirs, published=(main,))
    assert found.codes[600] == "shop:Main"
    assert "shop:Topic" in found.codes.values()


def test_what_was_pushed_wins_where_nothing_is_published():
    ours, theirs = grown(codes={600: "shop:A"}), grown(codes={600: "shop:B"})
    assert merged(ours, theirs, pushed=(theirs,), published=(BASE,)).codes[600] == "shop:B"
    assert merged(ours, theirs, pushed=(theirs,), published=(ours,)).codes[600] == "shop:A"


def test_a_code_published_with_two_meanings_is_a_contradiction():
    ours, theirs = grown(codes={600: "shop:A"}), grown(codes={600: "shop:B"})
    assert contradictions(ours, theirs, published=(ours, theirs)) == ["code 600"]


def test_a_renumbered_code_avoids_every_code_that_upstream_spent():
    topic, other = grown(codes={600: "shop:A"}), grown(codes={600: "shop:B"})
    fresh = allocate(topic, "shop:B")
    main = grown(codes={fresh: "shop:Taken"})
    assert merged(topic, other, published=(main,)).code("shop:B") not in (fresh, None)


def test_a_renumbered_code_stays_in_its_range():
    ours, theirs = grown(codes={240: "shop:A"}), grown(codes={240: "shop:B", 241: "shop:C"})
    assert merged(ours, theirs).codes[242] == "shop:B"


def test_a_target_that_loses_its_code_joins_its_twin_on_the_other_side():
    ours = grown(codes={600: "shop:A"})
    theirs = grown(codes={600: "shop:B", 700: "shop:A"})
    assert merged(ours, theirs, side="theirs") == theirs


def test_two_targets_that_exchange_codes_end_with_upstreams():
    ours = grown(codes={600: "shop:A", 700: "shop:B"})
    theirs = grown(codes={600: "shop:B", 700: "shop:A"})
    assert merged(ours, theirs) == ours


def test_a_branch_that_has_not_heard_of_a_renumbering_follows_it():
    base = grown(load_only={600: "shop:A"})
    ours = grown(codes={600: "shop:Main"}, load_only={700: "shop:A"})  # renumbered when main was merged
    theirs = life.promote(base, 600)
    assert merged(ours, theirs, base) == grown(codes={600: "shop:Main", 700: "shop:A"})
    assert merged(theirs, ours, base) == grown(codes={600: "shop:Main", 700: "shop:A"})


def test_each_step_of_a_life_is_taken_from_the_side_that_made_it():
    assert merged(life.promote(BASE, 400), grown(codes={600: "shop:A"})).state(400) == "live"
    assert merged(BASE, life.demote(BASE, 300)).state(300) == "load-only"
    assert merged(life.retire(BASE, 400), BASE).state(400) == "retired"
    moved = life.move(BASE, 300, "shop.money:Money")
    assert merged(moved, life.demote(BASE, 300)) == life.demote(moved, 300)


def test_demoted_here_and_retired_there_is_retired():
    assert merged(life.demote(BASE, 300), life.retire(BASE, 300, now=True)).state(300) == "retired"


def test_promoted_here_and_retired_there_is_a_contradiction():
    assert contradictions(life.promote(BASE, 400), life.retire(BASE, 400)) == ["code 400"]


def test_a_class_that_moved_on_goes_where_the_further_side_has_it():
    once = life.move(BASE, 300, "shop.money:Money")
    twice = life.move(once, 300, "shop.cash:Money")
    assert merged(once, twice) == twice
    assert merged(twice, once) == twice


def test_a_cherry_pick_of_a_later_move_keeps_where_the_class_was_here():
    once = life.move(BASE, 300, "shop.money:Money")
    twice = life.move(once, 300, "shop.cash:Money")
    assert merged(BASE, twice, once).moved[300] == ("shop:Money", "shop.money:Money")


def test_a_class_that_moved_to_two_places_is_a_contradiction():
    assert contradictions(life.move(BASE, 300, "a:Money"), life.move(BASE, 300, "b:Money")) == ["code 300"]


def test_a_code_whose_target_changed_without_a_move_is_a_contradiction():
    assert contradictions(BASE, grown(codes={300: "shop:Else", 600: "shop:A"})) == ["code 300"]


def test_a_deleted_line_that_was_never_upstreams_is_gone_and_is_spoken_of():
    """A cherry-pick's ancestor is not ours: what ours lacks of it was never there."""
    topic = grown(codes={600: "shop:A"})
    picked = grown(topic, codes={700: "shop:B"})
    found = merge(topic, BASE, picked, Upstream(published=(BASE,)))
    assert found.registry == grown(codes={700: "shop:B"})
    assert found.notes == ("code 600 (shop:A) is gone, as ours has it; it was never upstream's",)


def test_a_line_deleted_here_and_changed_there_stays():
    topic = grown(load_only={600: "shop:A"})
    assert merged(BASE, life.promote(topic, 600), topic, published=(BASE,)) == grown(codes={600: "shop:A"})


def test_a_code_that_upstream_never_had_may_get_another_class_where_the_other_side_left_it():
    topic, ours = grown(codes={600: "shop:A"}), grown(codes={600: "shop:Main"})
    picked = grown(topic, codes={700: "shop:B"})
    assert merged(ours, picked, topic, published=(ours,)) == grown(ours, codes={700: "shop:B"})
    assert contradictions(ours, picked, topic, published=(topic,)) == ["code 600"]


def test_a_deleted_line_stays_and_is_spoken_of():
    found = merge(BASE, without(BASE, 300), grown(codes={600: "shop:A"}))
    assert found.registry == grown(codes={600: "shop:A"})
    assert found.notes == ("code 300 stays, though ours deleted it: a code is retired, never deleted",)


def test_a_retired_code_is_not_brought_back():
    revived = grown(without(BASE, 500), codes={500: "shop:Cart"})
    assert merged(revived, BASE).state(500) == "retired"


def test_added_as_load_only_here_and_live_there_is_as_upstream_has_it():
    live, staged = grown(codes={600: "shop:A"}), grown(load_only={600: "shop:A"})
    assert merged(live, staged) == live
    assert merged(live, staged, published=(staged,)) == staged


def test_a_target_added_here_while_an_older_code_moved_to_it_there_has_the_older_code():
    moved = life.move(BASE, 300, "shop.money:Money")
    added = grown(codes={600: "shop.money:Money"})
    assert merged(moved, added) == moved
    assert merged(added, moved) == moved
    assert contradictions(added, moved, published=(added,)) == ["shop.money:Money"]


def test_two_codes_of_one_target_made_live_by_one_side_each_are_a_contradiction():
    base = R(load_only={600: "shop:A", 700: "shop:A"})
    assert contradictions(life.promote(base, 600), life.promote(base, 700), base) == ["shop:A"]


def test_settings_merge_one_by_one():
    billing, stock = Range(first=40000, last=40999, modules=("a",)), Range(first=50000, last=50999)
    base = R(include=("x", "y"), ranges={"billing": billing}, reducers={"m:A": "m:a", "m:B": "m:b"})
    ours = R(
        include=("x", "y", "z"),
        ranges={"billing": Range(first=40000, last=40999, modules=("a", "b")), "stock": stock},
        reducers={"m:A": "m:a2", "m:B": "m:b"},
    )
    theirs = R(
        include=("y", "w"),
        ranges={"billing": Range(first=40000, last=40999, modules=("a", "c"))},
        reducers={"m:A": "m:a"},
    )
    assert merged(ours, theirs, base) == R(
        include=("y", "z", "w"),
        ranges={"billing": Range(first=40000, last=40999, modules=("a", "b", "c")), "stock": stock},
        reducers={"m:A": "m:a2"},
    )


def test_settings_changed_on_both_sides_are_contradictions():
    ours = R(ranges={"a": Range(first=1000, last=1999)}, reducers={"m:A": "m:a"})
    theirs = R(ranges={"a": Range(first=1000, last=2999)}, reducers={"m:A": "m:b"})
    assert contradictions(ours, theirs, R()) == ["ranges.a", "reducers.m:A"]


def test_ranges_that_overlap_only_once_they_are_merged_are_a_contradiction():
    ours, theirs = R(ranges={"a": Range(first=1000, last=1999)}), R(ranges={"b": Range(first=1500, last=2500)})
    found = merge(R(), ours, theirs)
    assert found.contradictions
    assert found.answers.ours is None


def test_a_full_range_is_a_contradiction():
    ranges = {"tiny": Range(first=600, last=600)}
    ours, theirs = R(ranges=ranges, codes={600: "shop:A"}), R(ranges=ranges, codes={600: "shop:B"})
    assert contradictions(ours, theirs, R(ranges=ranges)) == ["code 600"]


def test_a_common_ancestor_of_several_claims_only_what_is_sure():
    ours, theirs = grown(codes={600: "shop:A", 700: "shop:C"}), grown(codes={600: "shop:B", 800: "shop:D"})
    assert merge_ancestors(BASE, ours, theirs) == grown(codes={700: "shop:C", 800: "shop:D"})
    assert merge_ancestors(BASE, life.demote(BASE, 300), BASE) == life.demote(BASE, 300)
    assert common(ours, theirs) == BASE


@pytest.mark.parametrize("seed", range(300))
def test_random_merges_lose_nothing_and_change_nothing_that_upstream_has(seed):
    chance = random.Random(seed)
    tight = {"default": Range(first=256, last=290)}
    base = edited(R(ranges=tight), chance, 6)
    main, topic = edited(base, chance, 5), edited(base, chance, 5)
    published = (main,) if chance.random() < 0.5 else ()
    for ours, theirs, side in ((main, topic, "ours"), (topic, main, "theirs")):
        found = merge(base, ours, theirs, Upstream(published=published, side=side))
        if found.registry is None:
            continue
        result = rows(found.registry)
        names = {name for row in result.values() for name in (row.target, *row.former)}
        assert {row.target for registry in (main, topic) for row in rows(registry).values()} <= names
        for code, row in rows(main).items():
            assert same_meaning(row, result[code])
        again = merge(base, ours, theirs, Upstream(published=published, side=side))
        assert again == found
    both = [merge(base, *sides, Upstream(published=(main,))).registry for sides in ((main, topic), (topic, main))]
    if None not in both:
        assert dict(rows_by_meaning(both[0])) == dict(rows_by_meaning(both[1]))


def rows_by_meaning(registry: Registry) -> dict[int, tuple[str, str]]:
    return {code: (row.state, row.target) for code, row in rows(registry).items()}


def edited(registry: Registry, chance: random.Random, count: int) -> Registry:
    for _ in range(count):
        target = f"shop:C{chance.randrange(12)}"
        code = chance.choice(sorted(registry.spent) or [1])
        step = chance.randrange(7)
        try:
            if step < 3:
                registry, _ = life.add(registry, target, load_only=step == 0)
            elif step == 3:
                registry, _ = life.add(registry, target, code=chance.randrange(256, 291))
            elif step == 4:
                registry = life.move(registry, code, f"{target}Moved{chance.randrange(3)}")
            else:
                registry = (life.promote if step == 5 else life.retire)(registry, code)
        except ExtregError:
            continue
    return registry


def test_a_row_is_its_state_its_target_and_where_it_was():
    assert rows(life.move(BASE, 300, "m:New"))[300] == Row("live", "m:New", ("shop:Money",))


def test_a_contradiction_can_be_answered_by_either_side():
    ours, theirs = grown(codes={600: "shop:A"}), grown(codes={600: "other:B"})
    found = merge(BASE, ours, theirs, Upstream(published=(ours, theirs)))
    assert found.registry is None
    assert (found.answers.ours, found.answers.theirs) == (ours, theirs)


def test_answers_to_two_live_codes_of_one_target_keep_one_live():
    base = grown(load_only={600: "shop:A", 601: "shop:A"})
    ours, theirs = life.promote(base, 600), life.promote(base, 601)
    found = merge(base, ours, theirs)
    assert (found.answers.ours, found.answers.theirs) == (ours, theirs)


def test_a_row_that_only_the_answering_side_has_is_in_its_answer():
    base = grown(codes={600: "shop:A"})
    ours, theirs = without(base, 300), replace(base, codes={**base.codes, 600: "other:A"})
    ours = replace(ours, codes={**ours.codes, 600: "another:A"})
    found = merge(base, ours, theirs)
    assert [one.where for one in found.contradictions] == ["code 600"]
    assert found.answers.ours.codes[600] == "another:A"
    assert found.answers.theirs.codes[600] == "other:A"
    assert found.answers.ours.codes[300] == found.answers.theirs.codes[300] == "shop:Money"


def test_what_follows_upstream_is_spoken_of_where_the_sides_differ_and_only_there():
    ours, theirs = grown(load_only={600: "shop:A"}), grown(codes={600: "shop:A"})
    assert merge(BASE, ours, theirs).notes == ("code 600 (shop:A) is load-only, as upstream has it",)
    base = grown(load_only={600: "shop:A"})
    assert merge(base, life.promote(base, 600), base).notes == ()


def test_a_class_given_to_an_unpublished_code_is_spoken_of():
    base = grown(codes={600: "shop:A"})
    theirs = replace(base, codes={**base.codes, 600: "shop:B"})
    found = merge(base, base, theirs, Upstream(published=(BASE,)))
    assert found.registry == theirs
    assert found.notes == ("code 600 means shop:B, as theirs has it; shop:A was never upstream's",)


def test_of_two_registries_only_what_both_have_is_common():
    ours = replace(
        BASE, include=("a", "b"), reducers={"shop:Money": "shop:f"}, ranges={"x": Range(first=70000, last=70009)}
    )
    theirs = replace(
        BASE, include=("b", "c"), reducers={"shop:Money": "shop:g"}, ranges={"x": Range(first=70000, last=70010)}
    )
    assert common(ours, theirs) == replace(BASE, include=("b",))
    assert common(ours, ours) == ours


def test_other_names_add_up_and_follow_their_code():
    ours = grown(aliases={300: ("shop.c:Money",)}, codes={600: "shop:A"})
    theirs = grown(aliases={300: ("shop.d:Money",), 600: ("shop.c:B",)}, codes={600: "shop:B"})
    found = merge(BASE, ours, theirs)
    code = allocate(ours, "shop:B")
    assert found.registry is not None
    assert dict(found.registry.aliases) == {300: ("shop.c:Money", "shop.d:Money"), code: ("shop.c:B",)}
    base = grown(aliases={300: ("shop.c:Money", "shop.e:Money")})
    assert merged(base, grown(aliases={300: ("shop.c:Money",)}), base).aliases[300] == ("shop.c:Money",)


def test_one_target_added_twice_keeps_the_aliases_of_both():
    ours = grown(codes={600: "shop:A"}, aliases={600: ("shop.c:A",)})
    theirs = grown(codes={601: "shop:A"}, aliases={601: ("shop.d:A",)})
    found = merged(ours, theirs)
    assert dict(found.aliases) == {600: ("shop.c:A", "shop.d:A")}


@pytest.mark.parametrize(
    ("mine", "other"),
    [
        ({"aliases": {300: ("shop:X",)}}, {"aliases": {400: ("shop:X",)}}),
        ({"aliases": {300: ("shop:X",)}}, {"codes": {600: "shop:X"}}),
        ({"aliases": {300: ("shop:X",)}}, {"load_only": {600: "shop:X"}}),
    ],
)
def test_an_alias_that_leads_to_two_codes_once_merged_is_a_contradiction(mine, other):
    for ours, theirs in ((grown(**mine), grown(**other)), (grown(**other), grown(**mine))):
        found = merge(BASE, ours, theirs)
        assert [one.where for one in found.contradictions] == ["shop:X"]
        assert (found.answers.ours, found.answers.theirs) == (ours, theirs)


def test_a_code_that_stays_retired_keeps_its_names_on_record():
    base = grown(retired={600: "shop:A"})
    ours = grown(load_only={600: "shop:A"}, aliases={600: ("shop.c:A",)}, moved={600: ("shop.old:A",)})
    found = merged(ours, grown(base, codes={700: "shop:B"}), base)
    assert found.state(600) == "retired"
    assert (found.aliases[600], found.moved[600]) == (("shop.c:A",), ("shop.old:A",))


def test_renames_merge_one_by_one_and_the_one_that_leads_further_stands():
    ours = R(renamed={"a": "b", "b": "c", "x:X": "y:X"})
    theirs = R(renamed={"a": "c", "b": "c", "z": "w"})
    both = {"a": "c", "b": "c", "x:X": "y:X", "z": "w"}
    assert dict(merged(ours, R(renamed={"a": "b", "z": "w"}), R(renamed={"a": "b"})).renamed)["b"] == "c"
    for found in (merged(ours, theirs, R()), merged(theirs, ours, R())):
        assert dict(found.renamed) == both
    base = R(renamed={"a": "b", "c": "d"})
    assert dict(merged(base, R(renamed={"a": "b"}), base).renamed) == {"a": "b"}


def test_a_name_renamed_differently_and_a_circle_are_contradictions():
    assert contradictions(R(renamed={"a": "b"}), R(renamed={"a": "c"}), R()) == ["renamed.a"]
    found = merge(R(), R(renamed={"a": "b"}), R(renamed={"b": "a"}))
    assert [one.where for one in found.contradictions] == ["renamed.a"]
    assert (found.answers.ours, found.answers.theirs) == (R(renamed={"a": "b"}), R(renamed={"b": "a"}))
