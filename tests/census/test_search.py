"""`scan --code`: by the bytes of the opcode first, with the same answer as the full census; and how much faster."""

import base64
import bz2
import datetime
import gzip
import lzma
import pickle
import random
import time
import zlib
from collections import OrderedDict

import pytest

from extreg.census import search
from extreg.census.examine import CLEAR, examine
from extreg.census.naming import Naming
from extreg.census.position import Options, Position
from extreg.census.search import Search, opcodes_of
from extreg.census.steps import steps
from extreg.stores.store import Cell

from .conftest import ran

CODES = (5, 255, 256, 300, 65535, 65536, 2**31 - 1)


def with_code(code, protocol=4):
    """A framed pickle of a list of texts in which the code stands among other things."""
    opcode = {1: b"\x82", 2: b"\x83", 4: b"\x84"}
    width = 1 if code < 256 else 2 if code < 65536 else 4
    body = b"]\x94(\x8c\x05hello" + opcode[width] + code.to_bytes(width, "little") + b"K\x01e."
    return b"\x80" + bytes([protocol]) + b"\x95" + len(body).to_bytes(8, "little") + body


# Each way to keep a pickle of which the code must not be missed: what it is in, or the bytes it becomes.
WRAPPED = {
    "as it is": lambda data: data,
    "zlib": zlib.compress,
    "zlib, stored": lambda data: zlib.compress(data, 0),
    "zlib, best": lambda data: zlib.compress(data, 9),
    "gzip": gzip.compress,
    "bz2": bz2.compress,
    "xz": lzma.compress,
    "base64": base64.b64encode,
    "urlsafe base64": base64.urlsafe_b64encode,
    "in a row": lambda data: pickle.dumps(1, 4) + data + pickle.dumps({"a": 1.5}, 5),
    "behind an expiry": lambda data: pickle.dumps(1.7e9, 5) + zlib.compress(data),
    **{
        f"{name} in a pickle of protocol {protocol}": lambda data, wrap=wrap, protocol=protocol: pickle.dumps(
            ["x", wrap(data)], protocol
        )
        for protocol in (2, 3, 4, 5)
        for name, wrap in (("as it is", bytes), ("zlib", zlib.compress), ("base64", base64.b64encode))
    },
    "twice in pickles of protocol 2": lambda data: pickle.dumps(pickle.dumps(data, 2), 2),
    "in a pickle in a pickle": lambda data: pickle.dumps(pickle.dumps({"a": data}, 5), 4),
    "a header of four bytes": lambda data: b"\x01\x02\x03\x04" + data,
    "protocol 2": lambda data: b"\x80\x02" + data[11:].replace(b"\x94", b"").replace(b"\x8c\x05hello", b""),
}


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("name", WRAPPED)
def test_a_code_is_never_missed(name, code):
    """Either it is counted, or something is said not to be understood: as in the full census."""
    cell = WRAPPED[name](with_code(code))
    found, full = Search(code).look(cell), examine(cell)
    assert found is not CLEAR
    assert found.codes == {key: use for key, use in full.codes.items() if key == code}
    assert (found.faults, found.passed) == (full.faults, full.passed)
    assert found.codes or found.passed or found.faults


@pytest.mark.parametrize("name", WRAPPED)
def test_what_does_not_hold_it_is_clear_or_read(name):
    cell = WRAPPED[name](pickle.dumps([OrderedDict(a=1), "text"], 4))
    found = Search(300).look(cell)
    assert not found.codes
    assert found is CLEAR or (found.faults, found.passed) == (examine(cell).faults, examine(cell).passed)


def test_what_only_looks_like_a_pickle_is_read():
    whole = pickle.dumps({"a": [1, 2, "text"]}, 4)
    assert Search(300).look(whole) is CLEAR
    for cell in (
        whole[:-1],
        whole[:-5] + b".",  # cut short, and with a STOP by chance
        whole + b"\x00\x99.",  # and something behind it
        whole + whole,
        b"\x80\x04" + b"\x07" * 20 + b".",
        pickle.dumps({"a": 1}, 2),
        b"",
        b".",
    ):
        assert Search(300).look(cell) is not CLEAR


def test_large_ones_are_looked_through_piece_by_piece(monkeypatch):
    data = pickle.dumps(["x" * 50_000, list(range(30_000)), "y" * 100_000], 5)
    full = examine(data)
    monkeypatch.setattr(search, "_WINDOW", 1 << 12)
    for begin in range(0, len(data), 997):
        holed = data[:begin] + b"\x83\x2c\x01" + data[begin + 3 :]
        assert Search(300)._shows(holed)
    assert not full.codes


@pytest.mark.parametrize("code", CODES)
def test_opcodes_are_those_that_pickle_writes(code):
    import copyreg

    copyreg.add_extension("collections", "OrderedDict", code)
    try:
        written = pickle.dumps(OrderedDict, 2)
    finally:
        copyreg.remove_extension("collections", "OrderedDict", code)
    assert any(opcode in written for opcode in opcodes_of(code))
    assert any(opcode in pickle.dumps(written, 2) for opcode in opcodes_of(code))


class Memory:
    """Cells in memory."""

    place = "memory:"

    def __init__(self, count):
        chance = random.Random(1)
        self.cells_ = [
            pickle.dumps(
                {
                    "id": number,
                    "name": f"user{chance.randrange(10**6)}",
                    "at": datetime.datetime(2026, 1, 1 + number % 28),
                    "items": OrderedDict((str(key), key * 1.5) for key in range(number % 4)),
                }
            )
            for number in range(count)
        ]

    def cells(self, part, cursor=None):
        for number, data in enumerate(self.cells_):
            yield Cell(str(number), data, str(number))


def seconds(store, options):
    """The processor time that a census of all cells takes, and how many held pickles."""
    begun, holding = time.process_time(), 0
    for step in steps(store, Position(0, "1/1"), options, naming=Naming("memory:", False), every=1.0):
        holding += step.counts.holding
    return time.process_time() - begun, holding


@pytest.mark.soak
def test_to_look_for_one_code_is_eight_times_as_fast_as_the_full_census():
    store = Memory(200_000)
    full, holding = seconds(store, Options())
    one, clear = seconds(store, Options(300))
    print(f"full {200_000 / full:,.0f}/s, --code {200_000 / one:,.0f}/s: {full / one:.1f} times")
    assert holding == clear == 200_000
    assert full / one >= 8


def test_hardly_a_cell_is_read(monkeypatch):
    """What makes it fast, as a count: of ordinary small pickles next to none is parsed."""
    store, read = Memory(3000), []
    monkeypatch.setattr(search, "examine", lambda data, **options: read.append(data) or examine(data, **options))
    assert seconds(store, Options(300))[1] == 3000
    assert len(read) < 30


@pytest.mark.slow
@pytest.mark.once
def test_of_what_is_not_understood_nobody_says_that_it_is_not_in_use(project):
    (project / "data" / "fine").write_bytes(pickle.dumps([1], 4))
    assert ran("scan", "--code", "300", cwd=project).stdout == "code 300 is not in use (1 file read)\n"
    (project / "data" / "opaque").write_bytes(b"\x00\x01 nobody knows")
    assert "not in use" not in ran("scan", "--code", "300", cwd=project, code=2).stdout
    done = ran("scan", "--code", "300", "--allow-opaque", cwd=project)
    assert "not all could be" in done.stdout
    (project / "data" / "torn").write_bytes(pickle.dumps([1], 4)[:-1])
    ran("scan", "--code", "300", "--allow-opaque", cwd=project, code=2)
