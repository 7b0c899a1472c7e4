"""Cells that the compiled core counts by itself: the same counts, and whatever may hold more is left to Python."""

import base64
import bz2
import gzip
import lzma
import pickle
import random
import zlib
from collections import OrderedDict
from datetime import date, timedelta

import pytest

from extreg.census import adder as adder_module
from extreg.census.examine import examine
from extreg.census.naming import Naming
from extreg.census.position import Options, Position
from extreg.census.steps import steps
from extreg.compiled import core
from extreg.pickles.hidden import hidden_places
from extreg.stores.store import Cell

from ..pickles.differential import row
from ..pickles.test_walk import small_pool

pytestmark = [pytest.mark.slow, pytest.mark.skipif(core is None, reason="there is no compiled core")]

VALUES = [date(2024, 1, 2), [timedelta(1), timedelta(2)], OrderedDict(a=1), {"text": "user-80078-42"}, [b"\x80\x04N."]]
INSIDE = pickle.dumps(date(2024, 1, 2), 4)
PACKED = [
    *(INSIDE, zlib.compress(INSIDE), zlib.compress(INSIDE, 1), zlib.compress(INSIDE, 9), gzip.compress(INSIDE)),
    *(bz2.compress(INSIDE), lzma.compress(INSIDE), base64.b64encode(INSIDE), INSIDE.hex().encode()),
    *(INSIDE.hex().upper().encode(), base64.b64encode(zlib.compress(INSIDE)), repr(INSIDE).encode()),
    *(base64.b64encode(b"a" + INSIDE), base64.b64encode(b"ab" + INSIDE), base64.b64encode(gzip.compress(INSIDE))),
    *(zlib.compress(INSIDE).hex().encode(), gzip.compress(INSIDE).hex().encode(), b"(\xb5/\xfd", b"\x04\x22\x4d\x18"),
    *(
        base64.b64encode(bz2.compress(INSIDE)),
        base64.b64encode(lzma.compress(INSIDE)),
        bz2.compress(INSIDE).hex().encode(),
    ),
    *(
        lzma.compress(INSIDE).hex().encode(),
        lzma.compress(INSIDE).hex().upper().encode(),
        b"\\200\\004",
        b"\\u0080\\u0004",
    ),
]


class Memory:
    place = "memory:"

    def __init__(self, cells):
        self._cells = cells

    def cells(self, part, cursor):
        for number, data in enumerate(self._cells):
            yield Cell(f"key{number}", data, str(number))


def counted(cells):
    (step,) = steps(Memory(cells), Position(0, "1/1"), Options(), naming=Naming("memory:", False), every=1000)
    return step


def assert_same(cells, monkeypatch):
    with monkeypatch.context() as patch:
        patch.setattr(adder_module, "core", None)
        expected = counted(cells)
    assert counted(cells) == expected


def test_cells_add_up_to_the_same(monkeypatch):
    cells = [pickle.dumps(value, protocol) for value in VALUES for protocol in range(6)] * 2
    cells += [b"", b"text", b"\x80\x04", cells[2] + cells[3], cells[4] * 3, cells[0] + cells[2], cells[5][:-1]]
    cells += [pickle.dumps(1.5, 2) + zlib.compress(cells[3]), b"\x80\x04cos\nsystem\n\x82\xf0\x93."]
    assert_same(cells, monkeypatch)


def test_whatever_may_be_packed_in_values_is_left_to_python(monkeypatch):
    found = 0
    for packed in PACKED:
        for around in (packed, b"head" + packed, packed + b"tail"):
            for protocol in (2, 3, 4, 5):
                cells = [pickle.dumps([around], protocol)]
                if around.isascii():
                    cells.append(pickle.dumps([around.decode()], protocol))
                for data in cells:
                    hidden = list(hidden_places(data, 1, [0]))
                    assert not (hidden and core.Cells().add(data)), data
                    found += bool(hidden)
                    assert_same([data], monkeypatch)
    assert found > 150


def test_mutants_add_up_to_the_same(monkeypatch):
    rng, pool = random.Random(7), small_pool()
    pool += [pickle.dumps([packed], protocol) for packed in PACKED for protocol in (2, 4)]
    for _ in range(60):
        assert_same([row(rng, pool) for _ in range(20)], monkeypatch)


def test_most_cells_are_counted_by_the_core():
    cells = core.Cells()
    assert all(cells.add(pickle.dumps(value, 4)) for value in VALUES[:4])
    assert not cells.add(pickle.dumps(VALUES[4], 4))
    assert cells.take()[0] == 4
    assert cells.take()[:4] == (0, 0, 0, 0)
    assert examine(pickle.dumps(VALUES[0], 4)).pickles == 1
