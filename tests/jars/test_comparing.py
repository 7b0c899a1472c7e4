"""Differences of trees, as trees."""

import pytest

from extreg.jar.comparing import difference

BEFORE = """\
shop:Order
  .lines: list (2)
    [0]: shop:Line
      .amount: 1
    [1]: shop:Line
      .amount: 2
  .number: 7""".splitlines()


def changed(old: str, new: str) -> "list[str]":
    return difference(BEFORE, "\n".join(BEFORE).replace(old, new).splitlines())


def test_what_changed_stands_below_what_it_is_part_of() -> None:
    assert changed(".amount: 2", ".amount: 3") == [
        "  shop:Order",
        "    .lines: list (2)",
        "      [1]: shop:Line",
        "-       .amount: 2",
        "+       .amount: 3",
    ]


def test_what_is_above_is_told_once() -> None:
    found = changed("amount", "count")
    assert found.count("  shop:Order") == 1
    assert found.count("    .lines: list (2)") == 1
    assert [line for line in found if line[0] == "+"] == ["+       .count: 1", "+       .count: 2"]


def test_what_was_taken_away_stands_where_it_was() -> None:
    assert changed("\n      .amount: 1", "") == [
        "  shop:Order",
        "    .lines: list (2)",
        "      [0]: shop:Line",
        "-       .amount: 1",
    ]


def test_another_root() -> None:
    assert changed("shop:Order", "shop:Basket") == ["- shop:Order", "+ shop:Basket"]


def test_no_difference() -> None:
    assert difference(BEFORE, BEFORE) == []
    assert difference([], []) == []


@pytest.mark.parametrize("sides", [([], BEFORE), (BEFORE, [])])
def test_all_is_different(sides: "tuple[list[str], list[str]]") -> None:
    assert len(difference(*sides)) == len(BEFORE)
