import copyreg
import io
import itertools
import pickle
import pickletools
import random
from contextlib import contextmanager

import pytest

from extreg.errors import MalformedPickleError
from extreg.pickles import scan, to_codes, to_names
from extreg.pickles.rewriting import shorten, splice
from extreg.pickles.rewriting.rewriter import rewrite
from extreg.pickles.walking import memo
from extreg.pickles.walking.names import loaded
from extreg.registry.model import Registry

from . import corpus, reference
from .test_walk import mutated

pytestmark = pytest.mark.slow

DUMPED = {name: data for name, data in corpus.dumped() if data[:1] == b"\x80"}


def targets(pickles):
    return sorted({":".join(loaded(*name.split(":"), data[1])) for data in pickles for name in scan(data).globals})


def registry(first, names):
    return Registry(codes=dict(enumerate(names, first)))


@contextmanager
def installed(codes):
    for code, target in codes.items():
        copyreg.add_extension(*target.split(":"), code)
    try:
        yield
    finally:
        for code, target in codes.items():
            copyreg.remove_extension(*target.split(":"), code)


def assert_same(one, other):
    # repr() first: it stands what holds itself, and what has no __eq__ or is nan.
    assert repr(one) == repr(other) or one == other


@pytest.mark.parametrize("first", [1, 300, 70_000])
def test_codes_and_names_load_equal_under_both_unpicklers_and_are_never_longer(first):
    codes = registry(first, targets(DUMPED.values()))
    changed = 0
    with installed(codes.codes), reference.readers_put_right():
        for name, data in DUMPED.items():
            coded = rewrite(data, codes, to="codes")
            named = rewrite(coded.data, codes, to="names")
            assert len(coded.data) <= len(data), name
            assert not coded.refused, name
            assert not named.refused, name
            assert named.references == coded.references
            assert not scan(named.data).codes
            changed += coded.changed
            if len(data) < 20_000:
                for result in (coded.data, named.data):
                    pickletools.dis(result, io.StringIO())
            for result, load in itertools.product((coded.data, named.data), (pickle.loads, pickle._loads)):
                copyreg.clear_extension_cache()
                with reference.readers_put_right():
                    pickletools.dis(result, io.StringIO())
                assert_same(load(result), pickle.loads(data))
    assert changed > 100


def test_scientific_pickles_load_equal():
    numpy = pytest.importorskip("numpy", reason='pip install ".[test-full]"')
    for (name, value), protocol in itertools.product(corpus.scientific(), (2, 3, 4, 5)):
        data = pickle.dumps(value, protocol)
        codes = registry(300, targets([data]))
        with installed(codes.codes):
            coded = to_codes(data, codes)
            assert len(coded) < len(data), name
            for result in (coded, to_names(coded, codes)):
                made = pickle.loads(result)
                assert pickle.dumps(made, protocol) == pickle.dumps(pickle.loads(data), protocol), name
    assert numpy


def test_a_global_that_recurs_has_its_code_once_and_is_fetched_from_the_memo():
    data = pickle.dumps([corpus.Point(i, i) for i in range(100)], 4)
    coded = to_codes(data, registry(70_000, targets([data])))
    assert list(scan(coded).codes.values()) == [1]


def test_a_string_that_is_data_too_stays():
    data = pickle.dumps([corpus.Point(1, 2), corpus.Point.__module__, "Point"], 4)
    codes = registry(300, targets([data]))
    with installed(codes.codes):
        assert pickle.loads(to_codes(data, codes)) == pickle.loads(data)


def test_memo_slots_far_in_keep_their_numbers():
    values = [[str(i) for i in range(300)], corpus.Point(1, 2), [str(i) for i in range(300, 900)]]
    data = pickle.dumps([values, values[2], values[1], *values[2]], 5)
    codes = registry(300, targets([data]))
    with installed(codes.codes):
        coded = to_codes(data, codes)
        made = pickle.loads(coded)
    assert len(coded) < len(data)
    assert made == pickle.loads(data)
    assert made[1] is made[0][2]


def test_frames_of_a_large_pickle_are_kept_and_fit():
    data = pickle.dumps([corpus.Point(i, i, f"label {i}") for i in range(20_000)], 4)
    codes = registry(300, targets([data]))
    with installed(codes.codes):
        assert pickle._loads(to_codes(data, codes)) == pickle.loads(data)
    assert to_codes(data, codes).count(b"\x95") >= 2


def test_python_2_names_are_mapped_and_mapped_back():
    data = pickle.dumps({1}, 2)
    assert scan(data).globals == {"__builtin__:set": 1}
    codes = Registry(codes={300: "builtins:set"})
    coded = to_codes(data, codes)
    assert scan(coded).codes == {300: 1}
    assert scan(to_names(coded, codes)).globals == {"__builtin__:set": 1}
    assert pickle.loads(to_names(coded, codes)) == {1}


def test_a_nested_name_has_a_code_from_protocol_4_on_only():
    codes = Registry(codes={300: f"{corpus.__name__}:Outer.Inner"})
    assert scan(to_codes(pickle.dumps(corpus.Outer.Inner, 4), codes)).codes == {300: 1}
    assert to_codes(pickle.dumps(corpus.Outer.Inner, 2), codes) == pickle.dumps(corpus.Outer.Inner, 2)
    by_hand = b"\x80\x03\x83\x2c\x01."
    assert pickle.loads(to_names(by_hand, codes)) is corpus.Outer.Inner


def test_retired_and_load_only_codes_are_expanded_and_never_given():
    codes = Registry(load_only={300: "datetime:date"}, retired={301: "datetime:time"})
    data = b"\x80\x04\x83\x2c\x01\x83\x2d\x01\x86."
    assert scan(to_names(data, codes)).globals == {"datetime:date": 1, "datetime:time": 1}
    assert to_codes(to_names(data, codes), codes) == to_names(data, codes)


def test_an_unknown_code_is_left_and_counted():
    result = rewrite(b"\x80\x04\x82\xf0.", Registry(), to="names")
    assert (result.data, dict(result.left)) == (b"\x80\x04\x82\xf0.", {"unknown code": 1})


def test_what_follows_the_last_pickle_is_kept():
    data = pickle.dumps({1}, 2)
    result = rewrite(data + b"\0 no pickle", Registry(codes={300: "builtins:set"}), to="codes")
    assert result.data.endswith(b".\0 no pickle")
    assert (result.changed, dict(result.refused)) == (1, {"malformed": 1})


def test_what_is_no_pickle_is_refused():
    with pytest.raises(MalformedPickleError):
        to_codes(b"no pickle", Registry())


def test_a_place_that_a_frame_ends_within_is_left_alone():
    body = b"\x8c\x08datetime\x94\x8c\x04date\x94\x93\x94."
    data = b"\x80\x04\x95" + (12).to_bytes(8, "little") + body
    result = rewrite(data, Registry(codes={300: "datetime:date"}), to="codes")
    assert result.data == data
    assert sum(result.refused.values()) == 1


def test_an_explicit_memo_number_keeps_the_name():
    data = b"\x80\x04\x8c\x08datetimeq\x00\x8c\x04date\x94\x93\x94h\x00\x86."
    assert to_codes(data, Registry(codes={300: "datetime:date"})) == data


HARMLESS = {"collections:OrderedDict", "datetime:date", "datetime:timedelta", "builtins:range", "builtins:int"}


class Harmless(pickle._Unpickler):
    def find_class(self, module, name):
        if f"{module}:{name}" not in HARMLESS | {"__builtin__:xrange", "_codecs:encode"}:
            raise pickle.UnpicklingError(name)
        return super().find_class(module, name)


def fuzz(seed, count):
    """Rewrite mutated pickles; what can be loaded, as far as it is built of harmless globals, has to load equal."""
    values = [[range(3), dates, "datetime", "date"] for dates in corpus.OBJECTS["dates"][1:3]]
    values.append(corpus.OBJECTS["collections"][0])
    pool = [
        dump(value, protocol) for value in values for protocol in (2, 3, 4, 5) for dump in (pickle.dumps, pickle._dumps)
    ]
    codes = registry(300, sorted(HARMLESS))
    rng = random.Random(seed)
    loadable = 0
    with installed(codes.codes):
        for _ in range(count):
            data = mutated(rng, pool)
            try:
                result = to_codes(data, codes)
                back = to_names(result, codes)
            except MalformedPickleError:
                continue
            assert len(result) <= len(data)
            copyreg.clear_extension_cache()
            try:
                expected = Harmless(io.BytesIO(data)).load()
            except Exception:
                continue
            loadable += 1
            assert_same(Harmless(io.BytesIO(result)).load(), expected)
            assert_same(Harmless(io.BytesIO(back)).load(), expected)
    return loadable


# How a pickle is rewritten depends on its size, and on how far its names are from its end.
WAYS = pytest.mark.parametrize(
    ("small", "far", "dense"),
    [(1024, 1 << 14, 256), (0, 1 << 14, 4), (0, 0, 4)],
    ids=["small", "not small", "far from small"],
)


def go(small, far, dense, monkeypatch):
    monkeypatch.setattr(shorten, "UNFRAMED", small)
    for module in (shorten, splice):
        monkeypatch.setattr(module, "FAR", far)
    monkeypatch.setattr(memo, "_DENSE", dense)


@WAYS
def test_mutated_pickles_stay_what_they_are_to_an_unpickler(small, far, dense, monkeypatch):
    go(small, far, dense, monkeypatch)
    assert fuzz(3, 4_000) > 300


@pytest.mark.soak
@WAYS
def test_half_a_million_mutated_pickles_stay_what_they_are_to_an_unpickler(small, far, dense, monkeypatch):
    go(small, far, dense, monkeypatch)
    print(fuzz(4, 500_000))


def test_a_stack_global_below_protocol_4_is_left_alone():
    """Nobody writes one, and the memo is counted in another way there."""
    body = b"]\x94\x8c\x08datetime\x94\x8c\x04date\x94\x93\x94h\x01\x87."
    result = rewrite(b"\x80\x03" + body, Registry(codes={300: "datetime:date"}), to="codes")
    assert (result.data, sum(result.left.values())) == (b"\x80\x03" + body, 1)
    assert rewrite(b"\x80\x04" + body, Registry(codes={300: "datetime:date"}), to="codes").references == 1


def test_a_small_message_that_fetches_nothing_loses_its_memo_and_one_that_does_keeps_it():
    codes = Registry(codes={300: f"{corpus.__name__}:Point"})
    plain = to_codes(pickle.dumps(corpus.Point(1, 2), 4), codes)
    assert b"\x94" not in plain
    with installed(codes.codes):
        assert pickle.loads(plain) == corpus.Point(1, 2)
        shared = pickle.loads(to_codes(pickle.dumps([corpus.Point(1, 2)] * 2, 4), codes))
    assert shared[0] is shared[1]
