"""The compiled core says what the reference in Python says, to the last word."""

import mmap

import pytest

from extreg.compiled import core
from extreg.errors import MalformedPickleError
from extreg.pickles import scan, walk
from extreg.pickles.walking.opcodes import TABLE

from . import corpus, differential

pytestmark = [pytest.mark.slow, pytest.mark.skipif(core is None, reason="there is no compiled core")]

HOLDS = ("", "signed length", "integer", "long", "float", "quoted", "escaped", "name", "text")


def layout(argument):
    """Return the layout and the width of an argument as the core has them."""
    if argument[0] == "\n":
        return len(argument) + 1, 0
    return (1, int(argument[1])) if argument[0] == "<" else (0, int(argument))


def test_the_core_has_the_same_table():
    rows = [
        (op.byte, op.name, *layout(op.argument), HOLDS.index(op.holds), op.takes, op.gives) for op in TABLE.values()
    ]
    assert core.table == sorted(rows)


@pytest.mark.parametrize("source", [corpus.dumped, corpus.handmade, corpus.malformed])
def test_it_finds_in_the_corpus_what_the_reference_finds(source):
    assert {name: differential.difference(data) for name, data in source()} == dict.fromkeys(dict(source()))


def test_it_finds_in_mutants_and_rows_of_them_what_the_reference_finds():
    assert differential.fuzz(1, 1_500) is None


@pytest.mark.soak
def test_it_finds_in_a_hundred_thousand_mutants_what_the_reference_finds():
    assert differential.fuzz(2, 100_000) is None


ONE = b"\x80\x04\x8c\x02os\x94\x8c\x06system\x93."


def test_it_reads_whatever_holds_bytes(tmp_path):
    (tmp_path / "file").write_bytes(ONE)
    with open(tmp_path / "file", "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        kinds = [ONE, bytearray(ONE), memoryview(ONE), memoryview(ONE * 2)[len(ONE) :], mapped]
        assert [dict(scan(data).globals) for data in kinds] == [{"os:system": 1}] * len(kinds)
    for wrong in ("text", None, memoryview(ONE)[::2]):
        with pytest.raises(TypeError):
            scan(wrong)


def test_bytes_can_be_resized_between_events_and_the_walk_ends():
    data = bytearray(ONE * 5_000)
    events = walk(data)
    next(events)
    del data[100:]
    with pytest.raises(RuntimeError, match="changed their size"):
        list(events)
    assert list(events) == []


@pytest.mark.parametrize(
    "data",
    [
        b"\x80\x04X\xff\xff\xff\xff",
        b"\x80\x04\x8d" + b"\xff" * 8,
        b"\x80\x05\x96" + b"\xff" * 7 + b"\x7f",
        b"\x80\x02Nr\xff\xff\xff\xff" + b"j\xff\xff\xff\x7f" * 10 + b".",
        b"Np" + b"9" * 10_000 + b"\ng" + b"9" * 10_000 + b"\n\x8c\x01a\x93.",
        b"Np99999999999999999999\ng99999999999999999999\n\x8c\x01a\x93.",
    ],
)
def test_no_length_or_slot_asks_for_memory(data):
    import tracemalloc

    tracemalloc.start()
    try:
        with pytest.raises(MalformedPickleError) if data[-1:] != b"." else pytest.MonkeyPatch.context():
            scan(data)
        assert tracemalloc.get_traced_memory()[1] < 5_000_000
    finally:
        tracemalloc.stop()
    assert differential.difference(data) is None
