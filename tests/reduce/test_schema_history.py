"""State that knows its version: releases, subclasses and errors."""

import copy
import pickle
import subprocess
import sys

import pytest

from extreg.errors import ExtregError, MigrationError, ReducerError, StateVersionError
from extreg.reduce import versioned

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)


CODED = range(2, pickle.HIGHEST_PROTOCOL + 1)


def plain():
    class Thing:
        def __init__(self):
            self.a, self.b = 1, "two"

    return Thing


def facts(obj):
    return {name: getattr(obj, name) for name in ("a", "b") if hasattr(obj, name)}


def same(state):
    return state


@pytest.mark.parametrize("protocol", CODED)
def test_what_every_release_wrote_is_loaded_by_the_newest(release, protocol):
    class UserRecord:
        def __init__(self, name):
            self.name = name

    release(UserRecord)
    first = pickle.dumps(UserRecord("Ada Lovelace"), protocol)

    def split(state):
        given, _, family = state["name"].partition(" ")
        return {"given": given, "family": family}

    @release
    @versioned(2, {1: split})
    class UserRecord:
        def __init__(self, given, family):
            self.given, self.family = given, family

    second = pickle.dumps(UserRecord("Grace", "Hopper"), protocol)

    def slots(state):
        return None, {**state, "active": True}

    @release
    @versioned(3, {1: split, 2: slots})
    class UserRecord:
        __slots__ = ("active", "family", "given")

        def __init__(self, given, family, active):
            self.given, self.family, self.active = given, family, active

    third = pickle.dumps(UserRecord("Barbara", "Liskov", False), protocol)
    users = [pickle.loads(data) for data in (first, second, third)]
    assert [(user.given, user.family, user.active) for user in users] == [
        ("Ada", "Lovelace", True),
        ("Grace", "Hopper", True),
        ("Barbara", "Liskov", False),
    ]


def test_a_pickle_of_a_newer_release_names_the_class_and_both_versions(release):
    release(versioned(3, {1: same, 2: same})(plain()))
    data = pickle.dumps(sys.modules["shop"].Thing())
    release(versioned(2, {1: same})(plain()))
    with pytest.raises(StateVersionError, match=r"shop:Thing.* version 3, .* has 2") as caught:
        pickle.loads(data)
    assert (caught.value.target, caught.value.found, caught.value.ours) == ("shop:Thing", 3, 2)
    assert isinstance(caught.value, pickle.UnpicklingError)
    assert isinstance(caught.value, ExtregError)
    assert vars(pickle.loads(pickle.dumps(caught.value))) == vars(caught.value)


def test_a_pickle_older_than_the_first_migration_is_refused(release):
    cls = release(versioned(1)(plain()))
    data = pickle.dumps(cls())
    release(versioned(3, {2: same}, unversioned=2)(plain()))
    with pytest.raises(StateVersionError, match=r"version 1, .* has 3"):
        pickle.loads(data)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((3, {2: same}), "no migration from version 1 to 2"),
        ((4, {1: same, 3: same}), "no migration from version 2 to 3"),
        ((5, {}, 3), "3 to 4, 4 to 5"),
        ((2, {1: same, 2: same}), "from version 2 never runs"),
        ((2, {1: same}, 3), "unversioned pickles cannot be newer"),
        ((0,), "from 1 to 255"),
        ((256,), "from 1 to 255"),
        ((True,), "from 1 to 255"),
        ((2, {"1": same}), "must map"),
        ((2, {1: "same"}), "must map"),
        ((2, {1: same}, 0), "unversioned must be"),
    ],
)
def test_migrations_that_do_not_lead_to_the_version_are_an_error_at_decoration(arguments, message):
    with pytest.raises(MigrationError, match=message):
        versioned(*arguments)
    assert issubclass(MigrationError, ValueError)


def test_a_class_is_versioned_once():
    with pytest.raises(MigrationError, match="twice"):
        versioned(1)(versioned(1)(plain()))


def test_a_migration_that_forgets_to_return_is_named(release):
    cls = release(plain())
    data = pickle.dumps(cls())
    release(versioned(2, {1: lambda state: state.update(a=2)})(plain()))
    with pytest.raises(MigrationError, match="version 1 returned None"):
        pickle.loads(data)


def test_a_deep_copy_keeps_cycles_and_a_shallow_one_shares(release):
    cls = release(versioned(1)(plain()))
    thing = cls()
    thing.me, thing.list = thing, []
    deep, shallow = copy.deepcopy(thing), copy.copy(thing)
    assert deep.me is deep
    assert deep.list is not thing.list
    assert shallow.me is thing
    assert shallow.list is thing.list


def test_an_undecorated_subclass_shares_the_version_of_its_base(release):
    class Base:
        def __init__(self):
            self.a = 1

    class Sub(Base):
        def __init__(self):
            super().__init__()
            self.b = "old"

    release(Base)
    old = pickle.dumps(release(Sub)())

    @release
    @versioned(2, {1: lambda state: {**state, "a": 2}})
    class Base:
        pass

    @release
    class Sub(Base):
        pass

    assert vars(pickle.loads(old)) == {"a": 2, "b": "old"}
    new = pickle.loads(pickle.dumps(pickle.loads(old)))
    assert type(new) is Sub
    assert vars(new) == {"a": 2, "b": "old"}


def test_a_decorated_subclass_has_its_own_version_and_sees_the_whole_state(release):
    @release
    @versioned(2, {1: same})
    class Base:
        def __init__(self):
            self.a = 1

    @release
    @versioned(7, {5: same, 6: same}, unversioned=5)
    class Sub(Base):
        pass

    data = pickle.dumps(Sub())
    base = pickle.dumps(Base())

    @release
    @versioned(8, {5: same, 6: same, 7: lambda state: {"renamed": state["a"]}}, unversioned=5)
    class Sub(Base):
        pass

    assert vars(pickle.loads(data)) == {"renamed": 1}
    assert vars(pickle.loads(base)) == {"a": 1}


@pytest.mark.parametrize("decorate_base", [True, False])
@pytest.mark.parametrize("decorate_sub", [True, False])
@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_methods_that_call_super_migrate_once(release, decorate_base, decorate_sub, protocol):
    runs = []

    def step(state):
        runs.append(state)
        return state

    class Base:
        def __init__(self):
            self.a = 1

        def __getstate__(self):
            return {"a": self.a}

        def __setstate__(self, state):
            self.a = state["a"]

    def maybe(cls, really):
        return release(versioned(2, {1: step})(cls) if really else cls)

    base = maybe(Base, decorate_base)

    class Sub(base):
        def __init__(self):
            super().__init__()
            self.b = 2

        def __getstate__(self):
            return {**super().__getstate__(), "b": self.b}

        def __setstate__(self, state):
            super().__setstate__(state)
            self.b = state["b"]

        def __reduce_ex__(self, protocol):
            return super().__reduce_ex__(protocol)

    sub = maybe(Sub, decorate_sub)
    back = pickle.loads(pickle.dumps(sub(), protocol))
    assert vars(back) == vars(copy.copy(back)) == {"a": 1, "b": 2}
    assert runs == []
    back = sub.__new__(sub)
    back.__setstate__({"a": 1, "b": 2})
    assert vars(back) == {"a": 1, "b": 2}
    assert len(runs) == (decorate_base or decorate_sub)


@pytest.mark.parametrize("protocol", CODED)
@pytest.mark.parametrize("container", [dict, list, set])
def test_containers_keep_their_items(release, container, protocol):
    @release
    @versioned(1)
    class Bag(container):
        pass

    bag = Bag({1: 2, 3: 4})
    bag.label = "x"
    data = pickle.dumps(bag, protocol)
    assert pickle.loads(data) == bag
    assert copy.copy(bag) == copy.deepcopy(bag) == bag

    @release
    @versioned(2, {1: lambda state: {"label": state["label"] * 2}})
    class Bag(container):
        pass

    if container is not set:  # set has a __reduce__ of its own, with the state under BUILD all the same
        assert pickle.loads(data).label == "xx"
        assert pickle.loads(data) == bag


def test_a_class_that_gains_item_assignment_still_loads_what_it_wrote_before(release):
    cls = release(versioned(1)(plain()))
    data = pickle.dumps(cls())

    @release
    @versioned(2, {1: lambda state: {"items": dict(state)}})
    class Thing:
        def __init__(self):
            self.items = {}

        def __setitem__(self, key, value):
            self.items[key] = value

    assert pickle.loads(data).items == {"a": 1, "b": "two"}
    thing = Thing()
    thing[1] = {"x": 1}
    assert thing.items == {1: {"x": 1}}
    assert pickle.loads(pickle.dumps(thing)).items == copy.copy(thing).items == thing.items


def test_an_undecorated_subclass_with_item_assignment_is_versioned_without_it(release):
    base = release(versioned(1)(plain()), "Base")

    @release
    class Sub(base):
        def __setitem__(self, key, value):
            raise AssertionError

    assert facts(pickle.loads(pickle.dumps(Sub()))) == {"a": 1, "b": "two"}


def test_an_own_state_is_wrapped_where_item_assignment_is_taken(release):
    class Thing:
        def __init__(self, state):
            self.state = state

        def __getstate__(self):
            return self.state

        def __setstate__(self, state):
            self.state = state

        def __setitem__(self, key, value):
            raise AssertionError

    release(versioned(1)(Thing))
    for state in (0, "text", ("name", 1, 2), (1, {None: "x"}), [], {}, None):
        assert getattr(pickle.loads(pickle.dumps(Thing(state))), "state", None) == state
        assert getattr(copy.copy(Thing(state)), "state", None) == state


@pytest.mark.parametrize("slots", [(), ("a", "b"), ("a", "__dict__")])
def test_a_getattr_that_bears_no_empty_object_is_not_asked(release, slots):
    class Thing:
        if slots:
            __slots__ = slots

        def __init__(self):
            self.a, self.b = 1, "two"

        def __getattr__(self, name):
            if name.startswith("__"):
                raise AttributeError(name)
            return self.a[name]

    cls = release(versioned(1)(Thing))
    assert facts(pickle.loads(pickle.dumps(cls()))) == facts(copy.deepcopy(cls())) == {"a": 1, "b": "two"}


@pytest.mark.parametrize("key", [0, 1, 2, "a", None, 256])
def test_item_assignment_stays_an_error_for_a_living_object(release, key):
    cls = release(versioned(1)(plain()))
    thing = cls()
    with pytest.raises(TypeError, match="'Thing' object does not support item assignment"):
        thing[key] = 7.5
    assert facts(thing) == {"a": 1, "b": "two"}


@pytest.mark.parametrize("protocol", CODED)
def test_an_object_without_state_has_its_version_too(release, protocol):
    class Thing:
        pass

    release(versioned(1)(Thing))
    data = pickle.dumps(Thing(), protocol)

    @release
    @versioned(2, {1: lambda state: {**state, "new": 5}})
    class Thing:
        pass

    assert vars(pickle.loads(data)) == {"new": 5}


def test_exceptions_with_attributes_are_versioned(release):
    @release
    @versioned(1)
    class Failure(Exception):
        pass

    error = Failure("text")
    error.detail = 5
    data = pickle.dumps(error)

    @release
    @versioned(2, {1: lambda state: {"detail": state["detail"] + 1}})
    class Failure(Exception):
        pass

    back = pickle.loads(data)
    assert back.args == ("text",)
    assert back.detail == 6
    assert pickle.loads(pickle.dumps(Failure("no state"))).args == ("no state",)


def test_a_state_setter_of_its_own_is_refused_rather_than_lost(release):
    class Thing:
        def __reduce__(self):
            return Thing, (), {"a": 1}, None, None, setattr

    release(versioned(1)(Thing))
    with pytest.raises(ReducerError, match="shop:Thing"):
        pickle.dumps(Thing())


def test_importing_it_needs_no_registry_and_extreg_does_not_import_it():
    code = """
import sys, extreg
assert not any(name.startswith("extreg.reduce") for name in sys.modules)
import extreg.reduce
assert "pickle" not in sys.modules
from extreg.reduce import versioned
assert "extreg.registry" not in sys.modules and "tomli" not in sys.modules
assert set(extreg.reduce.__all__) <= set(dir(extreg.reduce))
"""
    subprocess.run([sys.executable, "-W", "error", "-c", code], check=True)
