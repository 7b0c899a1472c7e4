"""The short way of `loads`: what a pattern proves of small pickles, and what is loaded then."""

import collections
import datetime
import importlib
import os
import pickle
import pickletools
import random
import sys

import pytest

import extreg
from extreg.compiled import core
from extreg.pickles import engines
from extreg.pickles.walking.patterns import harmless
from extreg.registry.model import Registry
from extreg.scoped import quick
from extreg.scoped.permits import SHORT, permits_of

from ..pickles import reference
from ..pickles.test_walk import DUMPED, HANDMADE, mutated
from .test_check import texts_of_any_bytes

REGISTRY = Registry(codes={7: "datetime:date", 300: "collections:OrderedDict", 70_000: "datetime:timedelta"})
VALUE = [datetime.date(2020, 1, 2), collections.OrderedDict(a=datetime.timedelta(1)), "text", 2.5]
NAMES = tuple(sorted(tuple(target.split(":")) for target in REGISTRY.codes.values()))
DAYS = [datetime.date(2020, 1, 2), datetime.timedelta(1), datetime.date(2020, 1, 3)]


def forms(value, registry=REGISTRY):
    """Yield `value` as picklers write it from protocol 3 on, by name and by code."""
    for protocol in (3, 4, 5):
        yield pickle.dumps(value, protocol)
        for optimize in (False, True):
            yield extreg.dumps(value, registry, protocol, optimize=optimize)


def proved(registry):
    """Load until there is a short way."""
    data = extreg.dumps(VALUE, registry)
    while permits_of(registry).quick is None:
        assert extreg.loads(data, registry) == VALUE
    return permits_of(registry).quick


def test_small_pickles_are_proved_and_load_the_same():
    registry = Registry(codes=dict(REGISTRY.codes))
    short = proved(registry)
    values = [VALUE, *VALUE, DAYS, tuple(DAYS), {7: DAYS[0]}, {"Привет": "界" * 50}]
    for value in values:
        for data in forms(value):
            if value is not VALUE or data[1] < 4 or b"h\x01\x8c" in data or b"\x83" in data:
                assert short.proves(data), data
            for check in ("before", "each"):
                assert extreg.loads(data, registry, check=check) == value
                assert extreg.loads(data + b"more", registry, check=check) == value
    assert permits_of(registry).quick is short


def test_what_an_unpickler_says_of_what_is_proved_is_pickle_s_own():
    registry = Registry(codes=dict(REGISTRY.codes))
    short = proved(registry)
    for check in ("before", "each"):
        with pytest.raises((pickle.UnpicklingError, IndexError)):  # PyPy's is the second
            extreg.loads(b"\x80\x040.", registry, check=check)
        with pytest.raises(UnicodeDecodeError):
            extreg.loads(b"\x80\x04\x8c\x01\xff.", registry, check=check)
    assert short.proves(b"\x80\x040.")


def test_nothing_that_is_referred_to_by_name_only_is_a_name_of_something_else():
    """The module is fetched from a slot: from protocol 4 on, out of the first two, and nobody can have changed it."""
    proves = harmless((), (("datetime", "date"), ("datetime", "timedelta"), ("os", "path")))
    begin = b"\x80\x04\x8c\x08datetime\x94\x8c\x04date\x94\x93\x940"
    assert proves(begin + b"h\x00\x8c\x09timedelta\x93.")
    assert proves(b"\x80\x04]\x94(" + begin[2:] + b"h\x01\x8c\x09timedelta\x93e.")
    for data in (
        begin + b"h\x00\x8c\x04path\x93.",
        begin + b"h\x01\x8c\x09timedelta\x93.",
        begin + b"\x8c\x02osq\x000h\x00\x8c\x09timedelta\x93.",
        begin + b"\x8c\x02osr\x00\x00\x00\x000h\x00\x8c\x09timedelta\x93.",
        b"\x80\x04\x8c\x02os\x940" + begin[2:] + b"h\x00\x8c\x09timedelta\x93.",
        b"\x80\x04\x8c\x08datetime\x8c\x02os\x94\x8c\x04date\x93.",
        b"\x80\x02\x8c\x08datetime\x8c\x04date\x93.",
    ):
        assert not proves(data), data


def test_python_2_s_names_are_left_to_the_long_way():
    import queue

    registry = Registry(codes={7: "queue:Queue", 8: "datetime:date"})
    for _ in range(200):
        assert extreg.loads(b"\x80\x02cQueue\nQueue\n.", registry) is queue.Queue
        assert extreg.loads(b"\x80\x02cqueue\nQueue\n.", registry, fix_imports=False) is queue.Queue
        assert extreg.loads(b"\x80\x02cdatetime\ndate\n.", registry) is datetime.date
    assert permits_of(registry).quick.proves(b"\x80\x02cdatetime\ndate\n.")
    assert not permits_of(registry).quick.proves(b"\x80\x02cQueue\nQueue\n.")


@pytest.mark.parametrize("form", ["by name", "by code"])
def test_a_frame_that_lies_is_for_the_unpickler_to_find(form):
    registry = Registry(codes=dict(REGISTRY.codes))
    day = b"C\x04\x07\xe4\x01\x02\x85R"
    named = b"](" + (b"\x8c\x08datetime\x8c\x04date\x93" + day) * 3 + b"e."
    body = named if form == "by name" else b"](" + (b"\x82\x07" + day) * 3 + b"e."
    proved(registry)
    for length in (0, 3, len(body), 1000):
        outcomes = [
            outcome(load, b"\x80\x04\x95" + length.to_bytes(8, "little") + told)
            for load, told in ((engines.loads, named), (lambda data: extreg.loads(data, registry), body))
        ]
        if length != len(body):
            # In Python, an unpickler takes a frame that is too long.
            lenient = sys.implementation.name != "cpython" and outcomes[1] == "refused"
            assert outcomes[0] == outcomes[1] or lenient, length
        else:
            assert outcomes[1] == DAYS[:1] * 3


def outcome(load, data):
    try:
        return load(data)
    except pickle.UnpicklingError:
        return "refused"


@pytest.mark.parametrize("check", ["before", "each"])
@pytest.mark.parametrize("how", ["reloaded", "replaced", "assigned", "deleted"])
def test_a_class_that_is_another_now_is_the_new_one(how, check, tmp_path, monkeypatch):
    (tmp_path / "changed.py").write_text("class Thing:\n    pass\n")
    monkeypatch.syspath_prepend(tmp_path)
    module = importlib.import_module("changed")
    registry = Registry(codes={7: "changed:Thing"})
    try:
        data, named = extreg.dumps(module.Thing, registry), pickle.dumps(module.Thing)
        for _ in range(100):
            assert extreg.loads(data, registry, check=check) is extreg.loads(named, registry, check=check)
        old = module.Thing
        assert permits_of(registry).quick.proves(named)
        if how == "reloaded":
            importlib.reload(module)
        elif how == "replaced":
            del sys.modules["changed"]
            module = importlib.import_module("changed")
        elif how == "assigned":
            module.Thing = type("Thing", (), {})
        else:
            del module.Thing
            for form in (data, named):
                with pytest.raises(AttributeError):
                    extreg.loads(form, registry, check=check)
            return
        for form in (data, named):
            assert extreg.loads(form, registry, check=check) is module.Thing is not old
    finally:
        del sys.modules["changed"]


def test_a_module_of_a_class_of_its_own_is_left_to_the_long_way():
    """What it answers may be another thing than what it holds."""

    class Answering(type(sys)):
        @property
        def Thing(self):
            return os.system

    module = Answering("answering")
    module.__dict__["Thing"] = own = type("Thing", (), {"__module__": "answering"})
    sys.modules["answering"] = module
    try:
        registry = Registry(codes={7: "answering:Thing"})
        for _ in range(100):
            assert extreg.loads(b"\x80\x04\x82\x07.", registry) is own
            assert extreg.loads(b"\x80\x04\x8c\x09answering\x8c\x05Thing\x93.", registry) is own
        assert permits_of(registry).quick is None
    finally:
        del sys.modules["answering"]


def test_no_more_than_a_few_globals_are_watched():
    names = [name for name in dir(collections.abc) if name[0].isupper()]
    registry = Registry(codes={300 + n: f"collections.abc:{name}" for n, name in enumerate(names)})
    assert len(names) > quick.MOST
    for _ in range(100):
        for name in names:
            found = getattr(collections.abc, name)
            assert extreg.loads(f"\x80\x03ccollections.abc\n{name}\n.".encode("latin1"), registry) is found
    assert sum(len(watched[-1]) for watched in permits_of(registry).quick.watched) == quick.MOST


@pytest.mark.parametrize("way", ["by pattern", "by the core"][: 1 if core is None else 2])
def test_nothing_is_let_through_that_refers_to_anything_else(way):
    assert fuzz(1, 20_000, way) > 1000


@pytest.mark.soak
@pytest.mark.parametrize("way", ["by pattern", "by the core"][: 1 if core is None else 2])
def test_nothing_is_let_through_in_a_million_mutants(way):
    print(fuzz(2, 1_000_000, way))


def fuzz(seed, count, way):
    """Read what is let through opcode by opcode, and its codes as they are spelled; return how many."""
    rng, short = random.Random(seed), proved(Registry(codes=dict(REGISTRY.codes)))
    codes = {code: tuple(target.split(":")) for code, target in REGISTRY.codes.items()}
    if way == "by pattern":
        proves, spell = harmless(tuple(REGISTRY.codes), NAMES), quick._speller(codes)
        assert (proves is short.proves) == (core is None)
    else:
        proves, spell = short.proves, quick._core_speller(codes, NAMES)
    pool = [data for data in (*DUMPED.values(), *HANDMADE.values()) if len(data) < SHORT]
    for value in (VALUE, *VALUE, DAYS, tuple(DAYS)):
        pool += [*forms(value)] * 8
    passed = 0
    for _ in range(count):
        data = bytes(mutated(rng, pool))
        match = proves(data) if len(data) <= SHORT else None
        if match is None:
            continue
        passed += 1
        with texts_of_any_bytes():
            referred = list(references(data))
            assert set(referred) <= {*REGISTRY.codes.values()}, data
            spelled = match if match is data else spell(match)
            if spelled:
                assert [*references(spelled)] == referred, data
                assert not any(name.startswith("EXT") for name, _ in opcodes(spelled)), data
    return passed


def references(data):
    """Yield the targets that the first pickle in `data` refers to, in order."""
    for kind, _, _, module, name, number in reference.events(data)[0]:
        if kind == "stop":
            return
        assert kind in {"global", "code", "proto", "frame"}, data
        if kind == "global":
            yield f"{module}:{name}"
        elif kind == "code":
            yield REGISTRY.codes[number]


def opcodes(data):
    """Yield the name and the argument of each opcode, text undecoded: that it can be is not for the pattern to know.

    Raises IndexError where there is no STOP.
    """
    position, name = 0, ""
    widths = {pickletools.TAKEN_FROM_ARGUMENT1: 1, pickletools.TAKEN_FROM_ARGUMENT4: 4}
    widths |= {pickletools.TAKEN_FROM_ARGUMENT4U: 4, pickletools.TAKEN_FROM_ARGUMENT8U: 8}
    while name != "STOP":
        opcode = pickletools.code2op[chr(data[position])]
        name, layout = opcode.name, 0 if opcode.arg is None else opcode.arg.n
        position += 1
        if layout == pickletools.UP_TO_NEWLINE:
            size = 0
            for _ in range(2 if name in {"GLOBAL", "INST"} else 1):
                size = data.index(b"\n", position + size) + 1 - position
        elif layout in widths:
            position += widths[layout]
            size = int.from_bytes(data[position - widths[layout] : position], "little")
        else:
            size = layout
        argument = data[position : position + size]
        assert len(argument) == size
        position += size
        yield name, argument


def test_each_opcode_that_refers_is_kept_out():
    proves = harmless((7,))
    assert proves(b"\x80\x04\x82\x07.")
    for data in (b"\x80\x04\x82\x08.", b"\x80\x04cos\nsystem\n.", b"\x80\x04(ios\nsystem\n.", b"\x80\x04\x83\x07\x00."):
        assert not proves(data)
    assert not proves(b"\x80\x04\x8c\x02os\x8c\x06system\x93.")
    for opcode in pickletools.opcodes:
        if opcode.name in {"STACK_GLOBAL", "GLOBAL", "INST", "EXT1", "EXT2", "EXT4", "PERSID"}:
            assert not proves(b"\x80\x04" + opcode.code.encode("latin1") + b"a\nb\n\x00\x00.")
