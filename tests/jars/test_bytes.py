"""[bytes]: what a pickle says, from its opcodes alone."""

import collections
import pickle
import struct

import pytest

from extreg.errors import MalformedPickleError
from extreg.jar import literals
from extreg.jar.symbols import read_pickle_as_symbols, tree_of_bytes


class Order:
    """An order."""


class Basket(list):
    """A list with attributes."""


def tree(data: bytes, codes: "dict[int, str] | None" = None) -> "list[str]":
    return tree_of_bytes(read_pickle_as_symbols(data), codes or {})


def dumped(value: object, protocol: int = 4) -> "list[str]":
    return tree(pickle.dumps(value, protocol))


def test_attributes_have_a_line_each_and_what_is_shared_says_so() -> None:
    order = Order()
    order.number = 7
    order.lines = [1.5, "a"]
    order.again = order.lines
    assert dumped(order) == [
        f"{__name__}:Order",
        "  .number: 7",
        "  .lines: list (2)",
        "    [0]: 1.5",
        '    [1]: "a"',
        "  .again: the same as .lines",
    ]


@pytest.mark.parametrize("protocol", range(6))
def test_every_protocol_shows_an_object_alike(protocol: int) -> None:
    order = Order()
    order.price = (1, None, True, b"\x00x", -3.5, 1 << 100)
    shown = dumped(order, protocol)
    assert shown[:2] == [f"{__name__}:Order", "  .price: tuple (6)"]
    assert shown[2:5] == ["    [0]: 1", "    [1]: None", "    [2]: True"]
    assert shown[-2:] == ["    [4]: -3.5", "    [5]: 1267650600228229401496703205376"]


def test_a_code_has_its_target_beside_it() -> None:
    assert tree(b"\x80\x04\x83\x2c\x01)\x81.", {300: "shop:Line"}) == ["shop:Line (code 300)"]
    assert tree(b"\x80\x04\x83\x2c\x01)\x81.") == ["code 300"]
    assert tree(b"\x80\x04\x83\x2c\x01.", {300: "shop:Line"}) == ["global shop:Line (code 300)"]


def test_sets_are_in_order_whatever_the_pickle_has() -> None:
    one, other = b"\x80\x04\x8f(K\x01\x8c\x01bK\x02\x90.", b"\x80\x04\x8f(K\x02K\x01\x8c\x01b\x90."
    assert tree(one) == tree(other) == ["set (3)", '  {}: "b"', "  {}: 1", "  {}: 2"]


def test_members_that_look_the_same_at_first_are_in_order_too() -> None:
    pairs = [frozenset({(2, "b")}), frozenset({(1, "a")})]
    shown = {tuple(dumped(frozenset(found))) for found in (pairs, pairs[::-1])}
    assert len(shown) == 1


@pytest.mark.parametrize("value", [0.1, 1e300, -0.0, 5e-324, float("inf")])
def test_floats_are_exact(value: float) -> None:
    (line,) = dumped(value)
    assert struct.pack(">d", float(line)) == struct.pack(">d", value)


def test_not_a_number_is_told_from_another() -> None:
    other = b"\x80\x04G" + bytes.fromhex("7ff8000000000001") + b"."
    assert (tree(other), dumped(float("nan"))) == (["nan (0x7ff8000000000001)"], ["nan"])


def test_long_values_are_cut_and_still_told_apart() -> None:
    one, other = dumped("x" * 5000), dumped("x" * 4999 + "y")
    assert one != other
    assert len(one[0]) < 200
    assert "(5000 characters, sha256 " in one[0]
    assert "(300 bytes, sha256 " in dumped(b"x" * 300)[0]
    assert dumped(1 << 5000)[0].startswith("integer of 5001 bits (sha256 ")
    assert "digits (sha256 " in tree(b"I" + b"1" * 100_000 + b"\n.")[0]
    many = dumped(list(range(5000)))
    assert len(many) == 1001
    assert many[-1].startswith("and 4001 more lines (sha256 ")


def test_what_a_terminal_would_obey_is_escaped() -> None:
    (line,) = dumped('"\\\x1b[31m\u202eé\ud800\U0001f600\U0001fae8')
    assert line == '"\\"\\\\\\x1b[31m\\u202eé\\ud800\U0001f600\\U0001fae8"'


def test_three_quotes_in_a_row_do_not_end_a_record() -> None:
    assert "'''" not in "".join(dumped(["'''", b"'''", {"''''": 1}]))


def test_items_pairs_and_states_are_told_apart() -> None:
    basket = Basket([1])
    basket.owner = "a"
    assert dumped(basket) == [f"{__name__}:Basket", '  .owner: "a"', "  [0]: 1"]
    found = collections.OrderedDict(a=1)
    assert dumped(found) == ["call collections:OrderedDict", '  ["a"]: 1']
    assert dumped({(1, "a"): 2, None: 3}) == ["dict (2)", '  [(1, "a")]: 2', "  [None]: 3"]


def test_a_value_in_itself_ends() -> None:
    loop: list[object] = []
    loop.append(loop)
    assert dumped(loop) == ["list (1)", "  [0]: the same as the whole"]


def test_depth_costs_no_recursion_and_no_squares() -> None:
    deep = b"\x80\x04" + b"]" * 50_000 + b"a" * 49_999 + b"."
    shown = tree(deep)
    assert len(shown) == 1001
    assert max(map(len, shown)) < 200


def test_a_pickle_that_doubles_itself_is_not_drawn_twice() -> None:
    """What is memoized and fetched ten times in each of a hundred lists would be 10 ** 100 lines."""
    data = b"\x80\x04]" + b"".join(b"q%c](" % slot + b"h%c" % slot * 10 + b"e" for slot in range(100)) + b"."
    assert len(tree(data)) <= 1001


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x80\x04K\x01",
        b"\x80\x04K\x01.more",
        b".",
        b"(.",
        b"K\x01a.",
        b"(e.",
        b"h\x05.",
        b"}(K\x01u.",
        b"Nb.",
        b"\x93.",
        b"1.",
        b"K\x01R.",
    ],
)
def test_what_no_unpickler_reads_is_refused(data: bytes) -> None:
    with pytest.raises(MalformedPickleError):
        read_pickle_as_symbols(data)


def test_nothing_is_imported() -> None:
    data = b"\x80\x04\x8c\x06nowher\x94\x8c\x05thing\x94\x93)R."
    assert tree(data) == ["call nowher:thing"]


def test_a_name_that_is_none_is_shown_as_text() -> None:
    data = b"\x80\x04\x8c\x02o\x1b\x8c\x03a:b\x93)R."
    assert tree(data) == ['call "o\\x1b:a:b"']


def test_literals_of_names() -> None:
    assert literals.name("größe") == "größe"
    assert literals.name("a b") == '"a b"'
    assert literals.target("a'b:c") == '"a\'b:c"'
