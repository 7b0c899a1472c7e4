import mmap
import pickle
import subprocess
import sys
import time
from contextlib import suppress

import pytest

from extreg.errors import MalformedPickleError
from extreg.pickles import disassemble, price, scan, to_codes, walk
from extreg.registry.model import Registry

from . import corpus

pytestmark = pytest.mark.slow

DATE = Registry(codes={300: "datetime:date"})


def test_a_scan_counts_globals_codes_and_pickles():
    data = pickle.dumps(corpus.Point(1, 2), 4) + b"\x80\x02\x82\xf0\x83\x00\x01\x82\xf0\x87." + b"\x80\x04NN\x93."
    found = scan(data)
    assert found.globals == {f"{corpus.__name__}:Point": 1}
    assert found.codes == {0xF0: 2, 256: 1}
    assert found.unresolved == (len(data) - 2,)
    assert found.pickles == 3


@pytest.mark.parametrize("length", [1, 15, 16, 17, 40, 63, 64, 127, 128, 255, 256, 1000])
@pytest.mark.parametrize("letter", ["a", "é", "я", "界", "😀"])
def test_texts_of_every_length_and_script_are_passed(letter, length):
    texts = [letter * (length // len(letter.encode())) or letter] * 3 + [f"{letter}{n}" for n in range(3)]
    for protocol in range(2, 6):
        data = pickle.dumps([*texts, corpus.Point(1, 2), *texts, bytes(length), b"x" * length, *texts], protocol)
        found = scan(data)
        assert found.pickles == 1
        names = [f"{corpus.__name__}:Point"] + ["_codecs:encode"] * (protocol < 3)
        assert sorted(found.globals) == sorted(names)
        assert scan(data + data).globals == dict.fromkeys(names, 2)
        with pytest.raises(MalformedPickleError):
            scan(data[:-1])


def test_a_text_that_cannot_be_decoded_is_told_where_it_is_a_name():
    for text in (b"\x8c\x02\xff\xff", b"X\x02\x00\x00\x00\xff\xff", b"X\x2c\x01\x00\x00" + b"\xff" * 300):
        assert scan(b"\x80\x04" + text + b".").pickles == 1
        with pytest.raises(MalformedPickleError):
            list(walk(b"\x80\x04" + text + b"."))
        with pytest.raises(MalformedPickleError):
            scan(b"\x80\x04" + text + b"\x8c\x01a\x93.")


def test_a_row_of_long_texts_that_is_cut_is_an_error():
    data = pickle.dumps(["x" * 300] * 2 + ["y" * 400], 4)
    for end in range(1, len(data)):
        with pytest.raises(MalformedPickleError):
            scan(data[:end])


def test_the_memo_of_one_pickle_is_not_that_of_the_next():
    assert scan(b"\x80\x04\x8c\x02os\x94.\x80\x04h\x00\x8c\x06system\x93.").globals == {}


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview, lambda data: memoryview(bytearray(data))[:]])
@pytest.mark.parametrize("size", [1, 400])
def test_whatever_holds_bytes_can_be_scanned(wrap, size):
    data = pickle.dumps([corpus.Point(i, i) for i in range(size)], 4)
    assert scan(wrap(data)) == scan(data)
    assert scan(memoryview(data).cast("b")) == scan(data)


def test_a_mapped_file_can_be_scanned_and_rewritten(tmp_path):
    data = pickle.dumps([corpus.Point(i, i) for i in range(400)], 4)
    (tmp_path / "p").write_bytes(data)
    codes = Registry(codes={300: f"{corpus.__name__}:Point"})
    with open(tmp_path / "p", "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as mapped:
        assert scan(mapped) == scan(data)
        assert to_codes(mapped, codes) == to_codes(data, codes)


def test_what_holds_no_bytes_is_a_type_error():
    with pytest.raises(TypeError):
        scan("text")


@pytest.mark.parametrize("protocol", range(6))
def test_every_truncation_is_an_error(protocol):
    data = pickle.dumps([corpus.Point(1, 2), "x" * 70, 1.5, 10**30], protocol)
    for size in range(len(data)):
        with pytest.raises(MalformedPickleError):
            scan(data[:size])


def test_events_before_a_fault_are_told():
    events = walk(b"cos\nsystem\n\xff")
    assert next(events).target == "os:system"
    with pytest.raises(MalformedPickleError) as caught:
        next(events)
    assert caught.value.offset == 11


@pytest.mark.parametrize(
    "unit",
    [
        b"N",
        b"(",
        b"\x94",
        b"\x8c\x00",
        b"\x8c\x00\x94",
        b"h\x00",
        b"\x82\x01",
        b"\x93",
        b"2",
        b"c\n\n",
        b"\x80\x04N.",
        b"q\x00",
        b"\x95" * 9,
        # Runs that a pattern goes back over, with and without operands at their end.
        b"NNN\x93",
        b"N" * 20 + b"K\x01",
        b"NK\x01\x8c\x01a\x8c\x01b\x93",
        b"h\x00h\x01\x93",
        # What looks like GETs of the names in front, and is text.
        b"\x8c\x08h\x00h\x01h\x00h\x01\x94",
        b"\x8c\x02\xc3\xa9",
    ],
    ids=repr,
)
@pytest.mark.parametrize("work", [scan, lambda data: to_codes(data, DATE)], ids=["scan", "to_codes"])
def test_time_is_linear(work, unit):
    head = b"\x80\x04\x8c\x08datetime\x94\x8c\x04date\x94\x93\x94"

    def seconds(count):
        data = head + unit * count + b"N."
        best = 9.0
        for _ in range(3):
            begin = time.process_time()
            with suppress(MalformedPickleError):
                work(data)
            best = min(best, time.process_time() - begin)
        return best

    assert seconds(40_000) < 12 * seconds(10_000) + 0.05


def test_a_mapped_pickle_of_two_gigabytes_takes_little_memory(tmp_path):
    resource = pytest.importorskip("resource")
    assert resource
    path = tmp_path / "large"
    chunk = 200_000_000
    with open(path, "wb") as file:
        # Holes: nothing of this is written to the disk.
        file.write(b"\x80\x04(")
        for _ in range(11):
            file.write(b"\x8e" + chunk.to_bytes(8, "little"))
            file.seek(chunk, 1)
        file.write(b"\x8c\x08datetime\x94\x8c\x04date\x94\x93t.")
    program = (
        "import mmap, resource, sys\n"
        "from extreg.pickles import scan\n"
        "file = open(sys.argv[1], 'rb')\n"
        "with file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:\n"
        "    assert scan(data).globals == {'datetime:date': 1}\n"
        # What getrusage() says on Linux begins with the peak of the process that started this one.
        "try:\n"
        "    print(next(line.split()[1] for line in open('/proc/self/status') if line.startswith('VmHWM')))\n"
        "except OSError:\n"
        "    print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(path)], capture_output=True, text=True, check=True)
    kilobytes = int(done.stdout) / (1024 if sys.platform == "darwin" else 1)
    assert kilobytes < 300_000


def test_a_disassembly_says_what_codes_and_names_mean():
    codes = Registry(codes={300: "datetime:date"}, retired={301: "shop:Old"})
    data = b"\x80\x04\x83\x2c\x01\x94\x83\x2d\x01\x82\xf0\x8c\x08datetime\x94\x8c\x04date\x94\x93(N\x85t."
    lines = list(disassemble(data, codes))
    assert lines[1].split() == ["2:", "\\x83", "EXT2", "300", "datetime:date", "[live]"]
    assert lines[2].split() == ["5:", "\\x94", "MEMOIZE", "(as", "0)"]
    assert lines[3].endswith("301 shop:Old [retired]")
    assert lines[4].endswith("240 [unknown]")
    assert lines[9].endswith("STACK_GLOBAL   datetime:date [code 300]")
    assert lines[-2].endswith("TUPLE          (MARK at 30)")


def test_every_pickle_can_be_disassembled_and_each_opcode_has_a_line():
    for _, data in [*corpus.dumped(), *corpus.handmade()]:
        assert all(line.isprintable() for line in disassemble(data))


def test_python_2_names_stand_beside_what_they_load_as():
    assert any(line.endswith("__builtin__ set -> builtins:set") for line in disassemble(pickle.dumps({1}, 2)))


def test_a_live_code_that_loses_is_not_proposed_and_a_scoped_one_does_not_lose():
    data = [pickle.dumps([corpus.Point(i, i) for i in range(500)], 4)]
    assert price(data, use="live", one_byte=0).proposals == ()
    (scoped,) = price(data, use="scoped", one_byte=0).proposals
    assert scoped.saved > 0


def test_the_narrow_code_goes_where_it_pays_most():
    data = [pickle.dumps(corpus.Point(1, 2), 4)] * 5 + [pickle.dumps(corpus.Slotted(1), 4)]
    first, second = price(data, one_byte=1).proposals
    assert (first.target.endswith(":Point"), first.width, first.pickles) == (True, 2, 5)
    assert (second.target.endswith(":Slotted"), second.width, second.pickles) == (True, 3, 1)


@pytest.mark.skipif(sys.implementation.name != "cpython", reason="PyPy's pickle memoizes equal strings apart")
@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
def test_the_price_of_live_codes_is_what_pickle_saves(protocol):
    from .test_rewrite import installed

    values = [
        corpus.Point(1, 2),
        [corpus.Point(i, i) for i in range(4)],
        corpus.OBJECTS["dates"],
        corpus.OBJECTS["uuid"],
    ]
    data = [pickle.dumps(value, protocol) for value in values]
    prices = price(data, one_byte=2)
    narrow, wide = iter(range(240, 256)), iter(range(300, 400))
    codes = {next(narrow if item.width == 2 else wide): item.target for item in prices.proposals}
    assert codes
    assert prices.saved == sum(item.saved for item in prices.proposals)
    with installed(codes):
        assert sum(map(len, data)) - prices.saved == sum(len(pickle.dumps(value, protocol)) for value in values)


def test_only_what_is_allowed_is_proposed():
    data = [pickle.dumps(corpus.Point(1, 2), 4)]
    assert price(data, allowed=lambda target: False).proposals == ()
