"""Every kind of class that a version is put on, and the ways to dump and load it."""

import dataclasses
import io
import pickle

import pytest

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
CODED = range(2, pickle.HIGHEST_PROTOCOL + 1)


def c_dumps(obj, protocol):
    return pickle.dumps(obj, protocol)


def py_dumps(obj, protocol):
    file = io.BytesIO()
    pickle._Pickler(file, protocol).dump(obj)
    return file.getvalue()


def c_loads(data):
    return pickle.loads(data)


def py_loads(data):
    return pickle._Unpickler(io.BytesIO(data)).load()


IMPLEMENTATIONS = [
    pytest.param(dump, load, id=f"{dump.__name__}-{load.__name__}")
    for dump in (c_dumps, py_dumps)
    for load in (c_loads, py_loads)
]


def plain():
    class Thing:
        def __init__(self):
            self.a, self.b = 1, "two"

    return Thing


def one_attribute():
    class Thing:
        def __init__(self):
            self.a = 1

    return Thing


def slotted():
    class Thing:
        __slots__ = ("a", "b")

        def __init__(self):
            self.a, self.b = 1, "two"

    return Thing


def slotted_with_dict():
    class Base:
        pass

    class Thing(Base):
        __slots__ = ("a",)

        def __init__(self):
            self.a, self.b = 1, "two"

    return Thing


def data():
    @dataclasses.dataclass
    class Thing:
        a: int = 1
        b: str = "two"

    return Thing


def frozen():
    return dataclasses.dataclass(frozen=True)(_annotated())


def slotted_data():
    return dataclasses.dataclass(slots=True)(_annotated())


def frozen_slots():
    return dataclasses.dataclass(frozen=True, slots=True)(_annotated())


def _annotated():
    class Thing:
        a: int = 1
        b: str = "two"

    return Thing


def _own_state(get):
    class Thing:
        def __init__(self):
            self.a, self.b = 1, "two"

        def __getstate__(self):
            return get

        def __setstate__(self, state):
            assert state == get
            self.a, self.b = 1, "two"

    return Thing


def own_dict():
    return _own_state({"x": 1, "y": 2})


def own_tuple():
    return _own_state((1, 2))


def own_list():
    return _own_state([1, 2, 3])


def own_text():
    return _own_state("text")


def own_int():
    return _own_state(7)


def own_zero():
    return _own_state(0)


def own_empty_tuple():
    return _own_state(())


def own_empty_dict():
    return _own_state({})


def own_false():
    return _own_state(False)


def own_big_list():
    return _own_state(list(range(1000)))


def getstate_only():
    class Thing:
        def __init__(self):
            self.a, self.b = 1, "two"

        def __getstate__(self):
            return dict(vars(self))

    return Thing


def with_new_arguments():
    class Thing:
        def __new__(cls, a):
            self = super().__new__(cls)
            self.a = a
            return self

        def __init__(self, a=1):
            self.b = "two"

        def __getnewargs__(self):
            return (self.a,)

    return lambda: Thing(1), Thing


def stateless():
    class Thing:
        a, b = 1, "two"

    return Thing


def mapping_like():
    class Thing:
        def __init__(self):
            self.a, self.b = 1, "two"

        def __setitem__(self, key, value):
            raise AssertionError

    return Thing


def slotted_mapping_like():
    class Thing(mapping_like()):
        __slots__ = ("a", "b")

    return Thing


def slots_alone_mapping_like():
    class Thing:
        __slots__ = ("a", "b")
        __init__ = mapping_like().__init__
        __setitem__ = mapping_like().__setitem__

    return Thing


def dict_with_attributes():
    class Thing(dict):
        def __init__(self):
            self.a, self.b = 1, "two"
            self["key"] = 3

    return Thing


def dict_without_attributes():
    class Thing(dict):
        a = 1

    return Thing


def list_with_an_attribute():
    class Thing(list):
        def __init__(self):
            self.a = 1
            self.append(3)

    return Thing


KINDS = [
    mapping_like,
    slotted_mapping_like,
    slots_alone_mapping_like,
    dict_with_attributes,
    dict_without_attributes,
    list_with_an_attribute,
    plain,
    one_attribute,
    slotted,
    slotted_with_dict,
    data,
    frozen,
    slotted_data,
    frozen_slots,
    own_dict,
    own_tuple,
    own_list,
    own_text,
    own_int,
    own_zero,
    own_empty_tuple,
    own_empty_dict,
    own_false,
    own_big_list,
    getstate_only,
    stateless,
]


def facts(obj):
    return {name: getattr(obj, name) for name in ("a", "b") if hasattr(obj, name)}


def same(state):
    return state
