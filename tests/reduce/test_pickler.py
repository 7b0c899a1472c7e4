"""Picklers with private reducers."""

import copyreg
import io
import pickle
import re
import sys
import threading

import pytest

from extreg.reduce import Pickler, dumps


class Point:
    def __init__(self, x):
        self.x = x


class SubPoint(Point):
    pass


def tenfold(point):
    return Point, (point.x * 10,)


def hundredfold(point):
    return Point, (point.x * 100,)


@pytest.fixture
def registered():
    copyreg.pickle(Point, hundredfold)
    yield
    del copyreg.dispatch_table[Point]


@pytest.mark.parametrize("protocol", [None, *range(pickle.HIGHEST_PROTOCOL + 1)])
@pytest.mark.parametrize("inherit", [True, False])
def test_private_reducers_apply_to_this_pickler_alone(protocol, inherit):
    before = dict(copyreg.dispatch_table)
    assert pickle.loads(dumps(Point(1), protocol, reducers={Point: tenfold}, inherit=inherit)).x == 10
    assert copyreg.dispatch_table == before
    assert pickle.loads(pickle.dumps(Point(1))).x == 1


def test_without_arguments_it_writes_what_pickle_writes():
    value = [Point(1), {"a": re.compile("x")}, 1 + 2j, (), None]
    assert dumps(value) == pickle.dumps(value)


def test_an_object_of_a_subclass_is_not_reduced_by_it():
    assert pickle.loads(dumps(SubPoint(1), reducers={Point: tenfold})).x == 1


def test_own_reducers_come_before_the_inherited(registered):
    assert pickle.loads(dumps(Point(1))).x == 100
    assert pickle.loads(dumps(Point(1), reducers={Point: tenfold})).x == 10


def test_without_inheritance_the_global_table_is_not_asked(registered):
    assert pickle.loads(dumps(Point(1), inherit=False)).x == 1


def test_the_inherited_table_is_live():
    file = io.BytesIO()
    pickler = Pickler(file)
    copyreg.pickle(Point, hundredfold)
    try:
        pickler.dump(Point(1))
    finally:
        del copyreg.dispatch_table[Point]
    assert pickle.loads(file.getvalue()).x == 100


def test_the_mapping_is_copied():
    reducers = {Point: tenfold}
    file = io.BytesIO()
    pickler = Pickler(file, reducers=reducers)
    reducers.clear()
    pickler.dump(Point(1))
    assert pickle.loads(file.getvalue()).x == 10


def test_the_options_of_pickle_reach_it():
    buffers = []
    data = dumps(pickle.PickleBuffer(b"xyz"), 5, buffer_callback=buffers.append)
    assert bytes(buffers[0]) == b"xyz"
    assert bytes(pickle.loads(data, buffers=buffers)) == b"xyz"
    assert b"__builtin__" in dumps(print, 2)
    assert b"builtins" in dumps(print, 2, fix_imports=False)


def test_a_subclass_may_override_reduction_and_ids():
    class Mine(Pickler):
        def reducer_override(self, obj):
            return (Point, (7,)) if isinstance(obj, Point) else NotImplemented

        def persistent_id(self, obj):
            return "five" if obj == 5 else None

    file = io.BytesIO()
    Mine(file, reducers={Point: tenfold}).dump([Point(1), 5])

    class Load(pickle.Unpickler):
        def persistent_load(self, pid):
            return pid

    point, five = Load(io.BytesIO(file.getvalue())).load()
    assert (point.x, five) == (7, "five")


def test_the_pickler_in_python_can_use_the_same_table():
    file = io.BytesIO()
    pickler = pickle._Pickler(file)
    pickler.dispatch_table = Pickler(io.BytesIO(), reducers={Point: tenfold}).dispatch_table
    pickler.dump([Point(1), re.compile("x"), 1j])
    assert pickle.loads(file.getvalue())[0].x == 10


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="PyPy's own takes no subclass's arguments")
def test_it_is_the_pickler_in_c():
    import _pickle

    assert issubclass(Pickler, _pickle.Pickler)


@pytest.mark.parametrize(
    ("reducers", "message"),
    [({"Point": tenfold}, "must map types, not 'Point'"), ({Point: "tenfold"}, "must be callable")],
)
def test_what_cannot_be_a_reducer_is_refused(reducers, message):
    with pytest.raises(TypeError, match=message):
        dumps(1, reducers=reducers)


def test_threads_with_different_reducers_do_not_meet():
    errors = []

    def work(factor):
        for _ in range(500):
            data = dumps([Point(1)], reducers={Point: lambda point: (Point, (factor,))}, inherit=factor % 2 == 0)
            if pickle.loads(data)[0].x != factor:
                errors.append(factor)

    threads = [threading.Thread(target=work, args=(factor,)) for factor in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
