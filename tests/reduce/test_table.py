"""Reducers in copyreg.dispatch_table: conflicts, owners, undo."""

import copy
import copyreg
import decimal
import os
import pickle
import threading

import pytest

from extreg.errors import ExtregError, ReducerError
from extreg.reduce import register


class Money:
    def __init__(self, amount):
        self.amount = amount


class SubMoney(Money):
    pass


def reduce_money(money):
    return Money, (money.amount,)


def reduce_otherwise(money):
    return Money, (money.amount * 100,)


@pytest.fixture(autouse=True)
def _table():
    before = dict(copyreg.dispatch_table)
    yield
    assert copyreg.dispatch_table == before


@pytest.fixture
def by_others():
    copyreg.pickle(Money, reduce_otherwise)
    yield
    copyreg.dispatch_table.pop(Money, None)


def test_a_registered_reducer_is_used_until_it_is_undone():
    registration = register(Money, reduce_money)
    assert pickle.loads(pickle.dumps(Money(5))).amount == 5
    assert copyreg.dispatch_table[Money] is reduce_money
    registration.undo()
    assert Money not in copyreg.dispatch_table


def test_it_serves_copy_too_and_the_exact_type_only():
    with register(Money, reduce_otherwise):
        assert copy.copy(Money(1)).amount == 100
        assert copy.copy(SubMoney(1)).amount == 1


def test_a_second_reducer_is_a_conflict_that_names_both_places():
    with register(Money, reduce_money), pytest.raises(ReducerError) as caught:
        register(Money, reduce_otherwise)
    text = str(caught.value)
    assert text.count(__file__) == 2
    assert "reduce_money" in text
    assert "reduce_otherwise" in text
    assert len(caught.value.places) == 2
    assert isinstance(caught.value, ExtregError)
    assert isinstance(caught.value, pickle.PicklingError)
    assert pickle.loads(pickle.dumps(caught.value)).places == caught.value.places


def test_a_reducer_that_copyreg_holds_is_named_with_its_file_and_line(by_others):
    with pytest.raises(ReducerError, match="outside extreg") as caught:
        register(Money, reduce_money)
    assert f"{__file__}:{reduce_otherwise.__code__.co_firstlineno}" in str(caught.value)
    assert copyreg.dispatch_table[Money] is reduce_otherwise


def test_replacing_covers_the_other_until_undo(by_others):
    with register(Money, reduce_money, on_conflict="replace"):
        assert copy.copy(Money(1)).amount == 1
    assert copyreg.dispatch_table[Money] is reduce_otherwise


def test_keeping_leaves_the_other(by_others):
    registration = register(Money, reduce_money, on_conflict="keep")
    assert not registration.held
    registration.undo()
    assert copyreg.dispatch_table[Money] is reduce_otherwise


def test_the_same_reducer_may_have_two_owners():
    first, second = register(Money, reduce_money), register(Money, reduce_money)
    first.undo()
    first.undo()
    assert copy.copy(Money(1)).amount == 1
    assert Money in copyreg.dispatch_table
    second.undo()
    assert Money not in copyreg.dispatch_table


def test_what_others_registered_as_well_is_not_taken_away(by_others):
    registration = register(Money, reduce_otherwise)
    assert registration.held
    registration.undo()
    assert copyreg.dispatch_table[Money] is reduce_otherwise


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
def test_covered_reducers_come_back_in_whatever_order_they_are_undone(by_others, order):
    both = [register(Money, reduce_money, on_conflict="replace")]
    both.append(register(Money, lambda money: (Money, (7,)), on_conflict="replace"))
    assert copy.copy(Money(1)).amount == 7
    both[order[0]].undo()
    assert copy.copy(Money(1)).amount == (7 if order[0] == 0 else 1)
    both[order[1]].undo()
    assert copyreg.dispatch_table[Money] is reduce_otherwise


def test_what_others_stored_over_ours_is_left_to_them():
    registration = register(Money, reduce_money)
    copyreg.pickle(Money, reduce_otherwise)
    with pytest.raises(ReducerError, match="outside extreg"):
        register(Money, reduce_money)
    registration.undo()
    assert copyreg.dispatch_table.pop(Money) is reduce_otherwise


def test_a_table_that_was_emptied_can_be_registered_in_again():
    stale = register(Money, reduce_money)
    del copyreg.dispatch_table[Money]
    with register(Money, reduce_otherwise):
        stale.undo()
        assert copy.copy(Money(1)).amount == 100


def test_arguments_that_copyreg_refuses_are_refused_alike():
    with pytest.raises(TypeError, match="reduction functions must be callable"):
        register(Money, "reduce_money")
    with pytest.raises(TypeError, match="expected a type"):
        register(Money(1), reduce_money)


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (None, "None, not a string or a tuple"),
        ([Money, ()], "not a string or a tuple"),
        ((Money,), "a tuple of 1 items"),
        ((Money, (), 0, None, None, None, None), "a tuple of 7 items"),
        (("Money", ()), "first item is not callable: 'Money'"),
        ((Money, [1]), "second item is not a tuple"),
        ((Money, (1,), None, [1]), "fourth item is not an iterator"),
        ((Money, (1,), None, None, {}), "fifth item is not an iterator"),
        ((Money, (1,), None, None, None, 5), "sixth item is not callable"),
    ],
)
def test_a_wrong_result_is_an_error_that_names_the_place(result, message):
    with register(Money, lambda money: result), pytest.raises(ReducerError, match=message) as caught:
        pickle.dumps(Money(1))
    assert __file__ in str(caught.value)


@pytest.mark.parametrize(
    "result",
    [
        "SOME_GLOBAL",
        (decimal.Decimal, ()),
        (decimal.Decimal, (), None),
        (list, (), None, iter([1])),
        (dict, (), None, None, iter([(1, 2)])),
        (decimal.Decimal, (), None, None, None, None),
        (decimal.Decimal, (), 1, None, None, lambda obj, state: None),
    ],
)
def test_every_right_result_is_let_through(result):
    from extreg.reduce.firstuse import fault

    assert fault(result) is None


def test_what_the_function_raises_is_left_as_it_is():
    def broken(money):
        raise LookupError("mine")

    with register(Money, broken), pytest.raises(LookupError, match="mine"):
        pickle.dumps(Money(1))


def test_threads_that_use_a_reducer_for_the_first_time_all_get_it():
    errors = []
    barrier = threading.Barrier(8)

    def dump():
        barrier.wait()
        for _ in range(200):
            if pickle.loads(pickle.dumps(Money(3))).amount != 3:
                errors.append("wrong")

    with register(Money, reduce_money):
        threads = [threading.Thread(target=dump) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert errors == []


@pytest.mark.skipif(not hasattr(os, "fork"), reason="needs fork")
def test_a_child_forked_while_the_lock_is_held_can_register():
    from extreg.reduce import table

    held, release = threading.Event(), threading.Event()

    def hold():
        with table._lock:
            held.set()
            release.wait()

    thread = threading.Thread(target=hold)
    thread.start()
    held.wait()
    import warnings

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # 3.12 warns of fork with threads, which is the point
        child = os.fork()
    if child == 0:
        register(Money, reduce_money)
        os._exit(0)
    release.set()
    thread.join()
    assert os.waitpid(child, 0)[1] == 0
