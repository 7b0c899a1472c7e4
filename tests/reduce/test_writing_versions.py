"""`versioned(..., write=n)`: what is written for readers that know no newer version, and what never goes that way."""

import copy
import pickle
import pickletools

import pytest

from extreg.errors import MigrationError
from extreg.reduce import register, versioned
from tests.reduce.kinds import (
    CODED,
    IMPLEMENTATIONS,
    KINDS,
    c_dumps,
    data,
    dict_without_attributes,
    facts,
    frozen_slots,
    getstate_only,
    mapping_like,
    plain,
    py_dumps,
    same,
    slotted,
    slotted_with_dict,
    stateless,
)


def never(state):
    raise AssertionError("no copy goes through an old form")


@pytest.mark.parametrize("dump", [c_dumps, py_dumps])
@pytest.mark.parametrize("protocol", CODED)
@pytest.mark.parametrize("kind", KINDS)
def test_what_undecorated_readers_know_is_what_the_undecorated_class_writes(release, kind, protocol, dump):
    bare = dump(release(kind())(), protocol)
    first = release(versioned(1, write=1)(kind()))
    assert dump(first(), protocol) == bare
    second = release(versioned(2, {1: same}, write=1, reverse={1: same})(kind()))
    if kind in (stateless, dict_without_attributes):  # no state at all would leave a migration nothing to migrate
        added = ["EMPTY_DICT", "MEMOIZE" if protocol >= 4 else "BINPUT", "BUILD", "STOP"]
        assert opcodes(dump(second(), protocol)) == [*opcodes(bare)[:-1], *added]
    else:
        assert dump(second(), protocol) == bare


def opcodes(data):
    return [op.name for op, _, _ in pickletools.genops(data) if op.name != "FRAME"]


@pytest.mark.parametrize("protocol", CODED)
@pytest.mark.parametrize("kind", KINDS)
def test_a_marked_version_is_what_its_own_release_wrote(release, kind, protocol):
    then = release(versioned(7, {6: same}, unversioned=6)(kind()))
    data = pickle.dumps(then(), protocol)
    now = release(versioned(9, {6: same, 7: same, 8: same}, unversioned=6, write=7, reverse={7: same, 8: same})(kind()))
    written = pickle.dumps(now(), protocol)
    assert written == data
    assert facts(pickle.loads(written)) == facts(now())


@pytest.mark.parametrize("code", [240, 4711, 70_000])
@pytest.mark.parametrize("protocol", CODED)
def test_it_costs_two_bytes_or_none(release, coded, protocol, code):
    coded("Thing", code)
    bare = len(pickle.dumps(release(plain())(), protocol))
    steps = {1: same, 2: same}
    for write, more in ((None, 2), (3, 2), (2, 2), (1, 0)):
        cls = release(versioned(3, steps, write=write, reverse=steps)(plain()))
        assert len(pickle.dumps(cls(), protocol)) == bare + more


@pytest.mark.parametrize("how", [copy.copy, copy.deepcopy])
@pytest.mark.parametrize("write", [1, 2])
@pytest.mark.parametrize("kind", KINDS)
def test_copies_do_not_go_through_the_old_form(release, kind, write, how):
    steps = dict.fromkeys((1, 2), never)
    cls = release(versioned(3, steps, write=write, reverse=steps)(kind()))
    thing = cls()
    copied = how(thing)
    assert copied is not thing
    assert facts(copied) == facts(thing)
    if isinstance(thing, (dict, list)):
        assert copied == thing
    with pytest.raises(AssertionError):
        pickle.dumps(thing)


def lossy(cls, **more):
    return versioned(2, {1: never}, write=1, reverse={1: never}, **more)(cls)


def test_a_deep_copy_keeps_cycles_and_what_is_shared(release):
    cls = release(lossy(plain()))
    thing = cls()
    thing.me, thing.list, thing.other = thing, [], cls()
    deep, again = copy.deepcopy([thing, thing])
    assert deep is again
    assert deep.me is deep
    assert deep.list is not thing.list
    assert deep.other is not thing.other
    shallow = copy.copy(thing)
    assert shallow.me is thing
    assert shallow.list is thing.list


@pytest.mark.parametrize("inherited", [False, True])
def test_what_a_class_does_for_its_copies_is_done(release, inherited):
    class Base:
        def __init__(self):
            self.a, self.b = 1, "two"

        def __copy__(self):
            made = pickle.loads(pickle.dumps(self))
            made.b = "shallow"
            return made

        def __deepcopy__(self, memo):
            # A usual way to copy as if there were no __deepcopy__.
            self.__deepcopy__ = None
            try:
                made = copy.deepcopy(self, memo)
            finally:
                del self.__deepcopy__
            made.b = "deep"
            return made

    if inherited:

        class Thing(Base):
            pass
    else:
        Thing = Base
    cls = release(versioned(2, {1: never}, write=1, reverse={1: never})(Thing), "Thing")
    assert facts(copy.copy(cls())) == {"a": 1, "b": "shallow"}
    assert facts(copy.deepcopy(cls())) == {"a": 1, "b": "deep"}
    assert "__deepcopy__" not in vars(cls())
    with pytest.raises(AssertionError):
        pickle.dumps(cls())


def test_a_subclass_copies_and_writes_as_its_base(release):
    base = release(versioned(2, {1: same}, write=1, reverse={1: lambda state: {**state, "a": 0}})(plain()), "Base")

    @release
    class Sub(base):
        def __copy__(self):
            made = super().__copy__()
            made.b = "copied"
            return made

    assert facts(copy.copy(Sub())) == {"a": 1, "b": "copied"}
    assert facts(copy.deepcopy(Sub())) == {"a": 1, "b": "two"}
    assert facts(pickle.loads(pickle.dumps(Sub()))) == {"a": 0, "b": "two"}


def test_a_decorated_subclass_writes_its_own_version(release):
    def back(state):
        return {**state, "a": 0}

    base = release(versioned(2, {1: same}, write=1, reverse={1: back})(plain()), "Base")

    @release
    @versioned(5, {4: same}, 4)
    class Sub(base):
        pass

    assert facts(pickle.loads(pickle.dumps(Sub()))) == facts(copy.copy(Sub())) == {"a": 1, "b": "two"}
    assert opcodes(pickle.dumps(Sub()))[-2:] == ["SETITEM", "STOP"]
    assert opcodes(pickle.dumps(base()))[-2:] == ["BUILD", "STOP"]


def test_a_copy_asks_a_reducer_that_was_registered_for_the_class(release):
    cls = release(lossy(plain()))
    with register(cls, lambda thing: (complex, (thing.a, 5))):
        assert copy.copy(cls()) == copy.deepcopy(cls()) == pickle.loads(pickle.dumps(cls())) == 1 + 5j


def test_an_object_that_reduces_to_a_name_is_its_own_copy(release):
    class Thing:
        def __reduce__(self):
            return "only"

    only = release(lossy(Thing))()
    assert copy.copy(only) is copy.deepcopy(only) is only


@pytest.mark.parametrize("dump", [c_dumps, py_dumps])
@pytest.mark.parametrize("kind", [plain, slotted, slotted_with_dict, data, frozen_slots, getstate_only, mapping_like])
def test_the_way_back_may_change_the_state_that_it_gets(release, kind, dump):
    def back(state):
        for part in state if isinstance(state, tuple) else (state,):
            if isinstance(part, dict) and "a" in part:
                part["a"] += 10
            elif isinstance(part, list):
                part[0] += 10
        return state

    cls = release(versioned(2, {1: same}, write=1, reverse={1: back})(kind()))
    living = cls()
    stored = dump(living, 4)
    assert facts(living) == {"a": 1, "b": "two"}
    assert facts(pickle.loads(stored)) == {"a": 11, "b": "two"}


@pytest.mark.parametrize(("dump", "load"), IMPLEMENTATIONS)
@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_what_is_lost_on_the_way_back_is_what_the_migration_gives(release, protocol, dump, load):
    def gain(state):
        return {**state, "active": True}

    def lose(state):
        return {"name": state["name"]}

    @release
    @versioned(2, {1: gain}, write=1, reverse={1: lose})
    class User:
        def __init__(self):
            self.name, self.active = "Ada", False

    user = User()
    assert vars(load(dump(user, protocol))) == {"name": "Ada", "active": True}
    assert vars(copy.copy(user)) == vars(user) == {"name": "Ada", "active": False}


@pytest.mark.parametrize("protocol", CODED)
@pytest.mark.parametrize("slots", [None, (), ("a",)])
def test_an_object_without_state_goes_back_and_forth(release, protocol, slots):
    def thing():
        return type("Thing", (), {} if slots is None else {"__slots__": slots})

    got = []

    def back(state):
        got.append(state)
        return state

    cls = release(versioned(2, {1: back}, write=1, reverse={1: back})(thing()))
    data = pickle.dumps(cls(), protocol)
    empty = {} if slots is None else (None, {})
    pickle.loads(data)
    assert got == [empty, empty]
    release(thing())
    assert pickle.loads(data)  # undecorated readers set nothing


def test_a_way_back_that_forgets_to_return_is_named(release):
    cls = release(versioned(2, {1: same}, write=1, reverse={1: lambda state: state.update(a=2)})(plain()))
    with pytest.raises(MigrationError, match="shop:Thing: the way back to version 1 returned None"):
        pickle.dumps(cls())


@pytest.mark.parametrize(
    ("arguments", "more", "message"),
    [
        ((2, {1: same}), {"write": 1}, r"no way back from version 2 to 1\n.*reverse=\{1: function, \.\.\.\}"),
        ((4, dict.fromkeys((1, 2, 3), same)), {"write": 1, "reverse": {2: same}}, "version 4 to 3, 2 to 1"),
        ((2, {1: same}), {"write": 3}, "version 3 cannot be written: the class has version 2"),
        ((3, {2: same}, 2), {"write": 1}, r"version 1 would be written, and nothing would read it"),
        ((2, {1: same}), {"write": 0}, "write must be an int from 1 to 255, not 0"),
        ((2, {1: same}), {"write": True}, "write must be an int"),
        ((2, {1: same}), {"write": "1"}, "write must be an int"),
        ((2, {1: same}), {"reverse": {1: "same"}}, "reverse must map"),
        ((2, {1: same}), {"reverse": {"1": same}}, "reverse must map"),
        ((2, {1: same}), {"reverse": {2: same}}, "back to version 2, from which no migration leads on"),
        ((3, {2: same}, 2), {"reverse": {1: same}}, "back to version 1, from which no migration leads on"),
    ],
)
def test_a_version_that_cannot_be_written_is_an_error_at_decoration(arguments, more, message):
    with pytest.raises(MigrationError, match=message):
        versioned(*arguments, **more)


def test_a_way_back_may_stay_where_it_is_not_in_use(release):
    """`write` is turned on and off from outside, as an operator does; the ways lie there."""
    for write, found in ((None, 1), (2, 1), (1, 11)):
        cls = release(
            versioned(2, {1: same}, write=write, reverse={1: lambda state: {**state, "a": state["a"] + 10}})(plain())
        )
        assert pickle.loads(pickle.dumps(cls())).a == found
