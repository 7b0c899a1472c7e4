import collections
import copyreg
import dataclasses
import datetime
import io
import os
import pickle
import random
import sys
import sysconfig
import threading
import types

import pytest

import extreg
from extreg.errors import ForbiddenGlobalError, MalformedPickleError, Offender
from extreg.pickles import walk
from extreg.pickles.walking.walker import batches
from extreg.registry.model import Registry
from extreg.scoped import Pickler, Unpickler, feeding, permits, private
from extreg.scoped.basics import BASICS

from ..pickles.test_walk import mutated


@dataclasses.dataclass
class Order:
    id: int
    lines: list

    @dataclasses.dataclass
    class Line:
        price: float

    @staticmethod
    def zero():
        return 0


@dataclasses.dataclass
class Basket:
    orders: list


REGISTRY = Registry(
    codes={300: f"{__name__}:Order", 70000: f"{__name__}:Order.Line", 301: f"{__name__}:Basket"},
    load_only={400: "datetime:date"},
    retired={500: "decimal:Decimal"},
)
VALUE = Basket([Order(n, [Order.Line(1.5)]) for n in range(3)])
FLAT = Basket([1, "ä", b"b", {"c"}, frozenset("d"), 1j, bytearray(b"e"), range(3), ..., {"k": (None, True, 2.5)}])


@pytest.mark.parametrize("protocol", range(6))
def test_what_is_dumped_is_loaded(protocol):
    data = extreg.dumps(FLAT, REGISTRY, protocol)
    smallest = extreg.dumps(FLAT, REGISTRY, protocol, optimize=True)
    for check in ("before", "each"):
        assert extreg.loads(data, REGISTRY, check=check) == extreg.loads(smallest, REGISTRY, check=check) == FLAT
    assert len(smallest) <= len(pickle.dumps(FLAT, protocol))
    assert protocol in (2, 3) or len(smallest) <= len(data)
    assert not copyreg._extension_cache


@pytest.mark.parametrize("protocol", [4, 5])
def test_nested_classes_have_codes_and_are_written_once(protocol):
    data = extreg.dumps(VALUE, REGISTRY, protocol, optimize=True)
    assert [event.number for event in walk(data) if event.kind == "code"] == [301, 300, 70000]
    assert extreg.loads(data, REGISTRY) == VALUE


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_whatever_holds_bytes_is_loaded(wrap):
    assert extreg.loads(wrap(extreg.dumps(VALUE, REGISTRY)), REGISTRY) == VALUE


def test_a_load_only_code_is_loaded_and_not_dumped():
    day = datetime.date(2024, 1, 2)
    data = extreg.dumps(day, REGISTRY)
    assert data == pickle.dumps(day)
    coded = extreg.dumps(day, Registry(codes={400: "datetime:date"}))
    assert coded != data
    assert extreg.loads(coded, REGISTRY) == extreg.loads(data, REGISTRY) == day


def test_a_retired_code_is_refused_by_code_and_by_name():
    assert REGISTRY.state(500) == "retired"
    for data in (b"\x80\x02\x83\xf4\x01.", b"cdecimal\nDecimal\n."):
        with pytest.raises(ForbiddenGlobalError) as caught:
            extreg.loads(data, REGISTRY)
        assert caught.value.offenders[0].target == "decimal:Decimal"


@pytest.mark.parametrize("protocol", range(2, 6))
def test_codes_installed_for_the_process_are_not_those_of_the_pickle(protocol):
    """They mean something else to whoever reads it."""
    copyreg.add_extension(__name__, "Order", 301)
    copyreg.add_extension(__name__, "Basket", 9)
    value = Basket([Order(1, [])])
    assert b"\x82\x09" in pickle.dumps(value, protocol)
    data = extreg.dumps(value, REGISTRY, protocol)
    assert [event.number for event in walk(data) if event.kind == "code"] == [301, 300]
    copyreg._extension_cache[300] = dict
    assert extreg.loads(data, REGISTRY) == value
    assert copyreg._extension_cache == {300: dict}


@pytest.mark.parametrize("protocol", range(2, 6))
def test_the_same_codes_installed_for_the_process_make_no_difference(protocol):
    values = [FLAT, VALUE] if protocol > 3 else [FLAT]
    named = [len(pickle.dumps(value, protocol)) for value in values]
    for code, target in REGISTRY.codes.items():
        copyreg.add_extension(*target.split(":"), code)
    for value, most in zip(values, named, strict=True):
        for optimize in (False, True):
            data = extreg.dumps(value, REGISTRY, protocol, optimize=optimize)
            assert [event.number for event in walk(data) if event.kind == "code"][:1] == [301]
            assert extreg.loads(data, REGISTRY) == value
            assert len(data) <= most
    assert not copyreg._extension_cache


@pytest.mark.skipif(private.bare() is not None, reason="where there is a private instance, none is seen")
def test_an_installed_code_that_cannot_be_named_is_an_error():
    copyreg.add_extension("dbm", "open", 9)
    import dbm

    with pytest.raises(pickle.PicklingError):
        extreg.dumps(dbm.open, REGISTRY, 2)


def test_what_a_persistent_id_or_an_override_writes_is_kept():
    class Mine(Pickler):
        def persistent_id(self, obj):
            return "the one" if obj is VALUE else None

    class Its(Unpickler):
        def persistent_load(self, pid):
            return pid, VALUE

    file = io.BytesIO()
    Mine(file, REGISTRY).dump([VALUE, Order(1, [])])
    assert Its(io.BytesIO(file.getvalue()), REGISTRY).load() == [("the one", VALUE), Order(1, [])]
    with pytest.raises(pickle.UnpicklingError):
        Unpickler(io.BytesIO(file.getvalue()), REGISTRY).load()
    with pytest.raises(pickle.UnpicklingError):
        extreg.loads(file.getvalue(), REGISTRY)


def test_pythons_that_are_known_to_give_a_private_instance_do():
    """Were the trial of it to fail on one of them, its tests would be skipped, and nobody would notice."""
    with_a_lock = not sysconfig.get_config_var("Py_GIL_DISABLED")
    known = sys.implementation.name == "cpython" and sys.version_info >= (3, 12) and with_a_lock
    assert (private.bare() is not None) == known


def test_a_check_is_before_or_each():
    with pytest.raises(ValueError, match="'before' or 'each'"):
        extreg.loads(b"N.", REGISTRY, check="after")


class Pipe:
    """A file that cannot be wound back, and gives little at a time."""

    def __init__(self, data):
        self.file = io.BytesIO(data)

    def read(self, size):
        return self.file.read(min(size, 7))

    def readline(self):
        return self.file.readline()


@pytest.mark.parametrize("kind", [io.BytesIO, Pipe])
@pytest.mark.parametrize("protocol", range(6))
def test_pickles_in_a_row_are_read_one_by_one(kind, protocol):
    file = io.BytesIO()
    pickler = Pickler(file, REGISTRY, protocol)
    values = [FLAT, Order(1, ["x" * 200_000]), FLAT, None]
    for value in values:
        pickler.dump(value)
    extreg.dump(7, file, REGISTRY, protocol)
    source = kind(file.getvalue() + b"the rest")
    unpickler = Unpickler(source, REGISTRY)
    assert [unpickler.load() for _ in values] == values
    assert extreg.load(source, REGISTRY) == 7
    assert source.read(3) == b"the"


@pytest.mark.parametrize("kind", [io.BytesIO, Pipe])
def test_the_end_of_a_file_is_an_eof_error_and_half_a_pickle_is_malformed(kind):
    with pytest.raises(EOFError):
        extreg.load(kind(b""), REGISTRY)
    data = extreg.dumps(FLAT, REGISTRY)
    for size in range(1, len(data)):
        with pytest.raises(MalformedPickleError) as caught:
            extreg.load(kind(data[:size]), REGISTRY)
        assert isinstance(caught.value, pickle.UnpicklingError)


def test_empty_bytes_are_an_eof_error_and_no_registry_a_type_error():
    with pytest.raises(EOFError):
        extreg.loads(b"", REGISTRY)
    with pytest.raises(TypeError, match=r"Registry\.load"):
        extreg.loads(b"N.", "registry.toml")
    with pytest.raises(TypeError, match=r"Registry\.load"):
        extreg.dumps(1, "registry.toml")


def test_the_memo_of_one_pickle_is_not_seen_by_the_next():
    first = b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94."
    unpickler = Unpickler(io.BytesIO(first + b"\x80\x04h\x00h\x01\x93."), REGISTRY)
    unpickler.load()
    with pytest.raises(ForbiddenGlobalError):
        unpickler.load()


def test_a_load_that_fails_leaves_nothing_for_the_next():
    """What is left of the bytes that failed would be read on from, and by then nobody checks it."""
    unpickler = Unpickler(io.BytesIO(b"\x80\x04NNRC\x02\x82\x09." + b"N."), REGISTRY)
    with pytest.raises(TypeError):
        unpickler.load()
    assert unpickler.load() is None


def test_a_frame_that_ends_within_an_opcode_does_not_change_what_is_read():
    """In a file, the unpickler in C would forget what is left of such a frame and read on behind it.

    Later ones refuse such a frame.
    """
    body = b"C\x0a\x82\x09" + b"." * 8 + b"."
    for length in range(len(body) + 1):
        data = b"\x80\x04\x95" + length.to_bytes(8, "little") + body
        for check in ("before", "each"):
            try:
                found = extreg.loads(data, REGISTRY, check=check)
            except pickle.UnpicklingError:
                with pytest.raises(pickle.UnpicklingError):
                    pickle.loads(data)
            else:
                assert found == b"\x82\x09" + b"." * 8


def test_buffers_go_out_of_band():
    buffers = []
    data = extreg.dumps([pickle.PickleBuffer(b"abc"), Order(1, [])], REGISTRY, 5, buffer_callback=buffers.append)
    buffer, order = extreg.loads(data, REGISTRY, buffers=buffers)
    assert (bytes(buffer), order) == (b"abc", Order(1, []))
    assert bytes(Unpickler(io.BytesIO(data), REGISTRY, buffers=buffers).load()[0]) == b"abc"


def test_a_modules_getattr_is_not_asked(monkeypatch):
    module = types.ModuleType("made_up")
    module.__getattr__ = lambda name: os.system
    monkeypatch.setitem(sys.modules, "made_up", module)
    with pytest.raises(AttributeError):
        extreg.loads(b"cmade_up\nThing\n.", Registry(codes={300: "made_up:Thing"}))


def test_a_metaclass_s_getattr_is_not_asked_and_a_base_is():
    class Meta(type):
        def __getattr__(cls, name):
            return os.system

    class Base:
        class Inner:
            pass

    class Made(Base, metaclass=Meta):
        __module__ = __name__

    globals()["Made"] = Made
    found = extreg.loads(f"c{__name__}\nMade.Inner\n.".encode(), Registry(codes={300: f"{__name__}:Made.Inner"}))
    assert found is Base.Inner
    for name in ("Made.thing", "Made.__class__", "Made.__dict__", "Made.Inner.__module__.x"):
        with pytest.raises(AttributeError):
            extreg.loads(f"c{__name__}\n{name}\n.".encode(), Registry(codes={300: f"{__name__}:{name}"}))
    del globals()["Made"]


def test_a_static_method_is_found():
    data = extreg.dumps(Order.zero, Registry(codes={300: f"{__name__}:Order.zero"}), 4)
    assert extreg.loads(data, Registry(codes={300: f"{__name__}:Order.zero"})) is Order.zero


def test_basics_do_only_what_pickle_writes_them_for():
    assert not {name for _, name in BASICS} & {"getattr", "type", "map", "filter", "eval", "property", "super"}
    empty = Registry()
    for data, error in (
        (b"\x80\x02c_codecs\nencode\n(Vabc\nVidna\ntR.", ValueError),
        (b"\x80\x02c_codecs\nencode\n(Vabc\nVlatin1\nVignore\ntR.", TypeError),
        (b"ccopyreg\n_reconstructor\n(cbuiltins\nset\ncbuiltins\nrange\nNtR.", TypeError),
        (b"ccopyreg\n_reconstructor\n(Vtext\ncbuiltins\nobject\nNtR.", TypeError),
        (b"\x80\x04cbuiltins\nset\nN}\x8c\x01aNs\x86b.", TypeError),  # state put on the type itself
    ):
        with pytest.raises(error):
            extreg.loads(data, empty)
    assert extreg.loads(b"\x80\x02c_codecs\nencode\n(Vab\xe9\nVlatin1\ntR.", empty) == b"ab\xe9"


def test_a_registry_s_own_line_comes_before_a_basic():
    registry = Registry(codes={300: "_codecs:encode"})
    assert extreg.loads(b"\x80\x02c_codecs\nencode\n(Vabc\nVascii\ntR.", registry) == b"abc"


@pytest.mark.parametrize("check", ["before", "each"])
@pytest.mark.parametrize("length", [2, 70, 300])
def test_a_text_that_cannot_be_decoded_is_an_error(check, length):
    text = b"\xff" * length
    for data in (b"X" + length.to_bytes(4, "little") + text, b"\x8c" + bytes([length % 256]) + text[: length % 256]):
        with pytest.raises(ValueError, match=r"UTF-8|utf-8|utf8"):
            extreg.loads(b"\x80\x04" + data + b".", REGISTRY, check=check)
        # As a name it is refused with the pickle that has it.
        named = b"\x80\x04" + data + b"\x94\x8c\x01n\x94\x930h\x00h\x01\x93."
        with pytest.raises(ValueError, match=r"UTF-8|utf-8|utf8|cannot be"):
            extreg.loads(named, REGISTRY, check=check)


def test_the_error_survives_a_pickle():
    error = ForbiddenGlobalError((Offender("a:b", (1, 2), "a:b", "extreg add a:b"),))
    again = pickle.loads(pickle.dumps(error))
    assert (str(again), again.offenders) == (str(error), error.offenders)
    assert isinstance(again, extreg.ExtregError)
    assert isinstance(again, pickle.UnpicklingError)


def test_threads_share_a_registry():
    data = extreg.dumps(VALUE, REGISTRY)
    registry = Registry(codes=dict(REGISTRY.codes))
    found = []
    threads = [
        threading.Thread(target=lambda: found.extend(extreg.loads(data, registry) for _ in range(50))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [VALUE] * 400


DATES = Registry(codes={300: "datetime:date", 301: "collections:OrderedDict", 70_000: "datetime:timedelta"})


def dated():
    day, hours = datetime.date(2020, 1, 1), datetime.timedelta(hours=3)
    for value in ([day, hours, "x" * 70, day], collections.OrderedDict(a=hours, b=[day] * 3), [hours] * 200):
        for protocol in (2, 3, 4, 5):
            yield value, extreg.dumps(value, DATES, protocol)


def outcome(data):
    try:
        return repr(extreg.loads(data, DATES))
    except Exception as error:
        return type(error)


def test_the_unpickler_reads_the_same_from_pieces_as_in_one(monkeypatch):
    """What is large is not copied, but read in two pieces where it has codes."""
    pool, rng = [data for _, data in dated()], random.Random(5)
    # A frame that ends in the spelled part, in the other, beyond both, and within an opcode.
    for length in (3, 40, 60, 10_000):
        pool += [data[:2] + b"\x95" + length.to_bytes(8, "little") + data[2:] for data in pool[:12]]
    pool += [bytes(mutated(rng, pool)) for _ in range(4_000)]
    whole = list(map(outcome, pool))
    for module in (feeding, permits):
        monkeypatch.setattr(module, "SMALL", 8)
    again = list(map(outcome, pool))
    for data, one, two in zip(pool, whole, again, strict=True):
        assert one == two, data
    assert sum(type(one) is str for one in whole) > 200


def test_a_file_of_many_small_pickles_is_loaded_one_by_one(monkeypatch):
    """Each load looks at its own pickle only, however many follow."""
    pickles = [extreg.dumps([datetime.date(2020, 1, 1), number], DATES) for number in range(1_000)]
    looked_at = 0

    def counted(*arguments):
        nonlocal looked_at
        for batch in batches(*arguments):
            looked_at += len(batch)
            yield batch

    monkeypatch.setattr("extreg.scoped.reading.batches", counted)
    assert [extreg.load(io.BytesIO(data), DATES)[1] for data in pickles] == list(range(1_000))
    alone, looked_at = looked_at, 0
    assert alone >= len(pickles)
    file = io.BytesIO(b"".join(pickles))
    assert [extreg.load(file, DATES)[1] for _ in pickles] == list(range(1_000))
    assert looked_at == alone


def test_a_pickle_whose_end_comes_with_a_full_batch_is_read_to_its_end():
    """The symbolic machine finds as much as is handed on at a time, its STOP the last of it."""
    for count in range(1_020, 1_027):
        data = b"\x80\x04]N0\x8c\x08datetime\x94N0\x8c\x04date\x93" + b"0\x83\x2c\x01" * count + b"."
        file = io.BytesIO(data + b"rest")
        assert extreg.load(file, DATES) is datetime.date
        assert file.read() == b"rest"


def test_large_data_is_not_copied_before_it_is_loaded():
    tracemalloc = pytest.importorskip("tracemalloc", reason="this Python does not trace memory")
    value = [datetime.date(2020, 1, 1), b"x" * 10_000_000]
    data = extreg.dumps([*value, collections.OrderedDict()], DATES, 4)
    extreg.loads(data, DATES)
    tracemalloc.start()
    try:
        assert extreg.loads(data, DATES)[:2] == value
        # The object itself takes ten million.
        assert tracemalloc.get_traced_memory()[1] < 11_000_000
    finally:
        tracemalloc.stop()


def test_long_texts_and_payloads_are_passed():
    value = [Order("x" * n, [b"y" * n, "é" * n]) for n in (0, 15, 16, 63, 64, 255, 256, 70000)]
    for protocol in (2, 3, 4, 5):
        data = pickle.dumps(value, protocol)
        assert extreg.loads(data, REGISTRY) == value
        assert extreg.loads(extreg.dumps(value, REGISTRY, protocol), REGISTRY) == value


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize(
    "size", [0, 3, 65_000, 1 << 16, 70_000, 1 << 20, (1 << 20) + 1, pytest.param(3 << 20, marks=pytest.mark.slow)]
)
def test_pickles_of_every_size_load(protocol, size):
    """With payloads around what pickle puts outside its frames (64 KiB) and what it reads at once (1 MiB)."""
    day = datetime.date(2020, 1, 1)
    for payload in (b"\x95" * size, "ä" * (size // 2), [b"\x95" * 1000] * (size // 1000), bytearray(size)):
        value = [day, payload, day, payload]
        for data in (pickle.dumps(value, protocol), extreg.dumps(value, DATES, protocol)):
            assert extreg.loads(data, DATES) == value
            assert extreg.load(io.BytesIO(data), DATES) == value


def test_many_frames_load():
    value = [[datetime.date(2020, 1, 1), str(number)] for number in range(20_000)]
    for data in (pickle.dumps(value, 4), extreg.dumps(value, DATES, 4)):
        assert data.count(b"\x95") > 1
        assert extreg.loads(data, DATES) == value
        # A small one in several frames, as pickle in Python makes them of small pieces.
    small = b"\x80\x04\x95\x04\x00\x00\x00\x00\x00\x00\x00](K\x01\x95\x03\x00\x00\x00\x00\x00\x00\x00K\x95e."
    assert extreg.loads(small, DATES) == [1, 0x95]
