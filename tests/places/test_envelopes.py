"""Envelopes: what is told of each, how deep they go, and what too much is."""

import base64
import bz2
import gzip
import importlib
import json
import lzma
import pickle
import random
import struct
import subprocess
import sys
import zlib
from collections import OrderedDict

import pytest

from extreg.stores import Blob, Fault, Layer, Passed, PlaceError, open_store, unwrap
from extreg.stores.inside import read

PICKLE = b"\x80\x04\x95\x0e\x00\x00\x00\x00\x00\x00\x00\x83\x2c\x01)R\x94\x8c\x01a\x94K\x01s."
B64 = base64.b64encode(PICKLE)


def one(data, **options):
    """The only thing in a cell."""
    (item,) = list(unwrap(data, "key", **options))
    return item if not isinstance(item, Blob) else item._replace(data=bytes(item.data))


def urlsafe(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=")


SIGNED = urlsafe(zlib.compress(PICKLE)) + b":1tABCd:" + urlsafe(bytes(range(100, 132)))

# Each envelope: a cell, and the path to the pickle in it.
PATHS = {
    "raw": (PICKLE, ()),
    "gzip": (gzip.compress(PICKLE, 9), (Layer("gzip", 0, len(gzip.compress(PICKLE, 9)), "9"),)),
    "bz2": (bz2.compress(PICKLE, 3), (Layer("bz2", 0, len(bz2.compress(PICKLE, 3)), "3"),)),
    "xz": (lzma.compress(PICKLE), (Layer("xz", 0, len(lzma.compress(PICKLE))),)),
    "zlib": (zlib.compress(PICKLE, 1), (Layer("zlib", 0, len(zlib.compress(PICKLE, 1)), "0-1"),)),
    "base64": (B64, (Layer("base64", 0, len(B64), "+/="),)),
    "base64 for URLs": (urlsafe(b"\xff" * 3 + PICKLE), None),
    "JSON": (b'{"a": "' + B64 + b'"}', (Layer("JSON", 0, len(B64) + 9), Layer("base64", 7, 7 + len(B64), "+/="))),
    "header": (b"\x00\x01\x02\x03" + PICKLE, (Layer("header", 4, 4 + len(PICKLE)),)),
    "text in front": (b'{"v": 2}|' + PICKLE, (Layer("header", 9, 9 + len(PICKLE)),)),
    "length": (struct.pack(">L", len(PICKLE)) + PICKLE, (Layer("length", 4, 4 + len(PICKLE), ">I"),)),
    "signed": (
        b"." + SIGNED,
        (
            Layer("signed", 1, 1 + SIGNED.index(b":")),
            Layer("base64", 0, SIGNED.index(b":"), "-_"),
            Layer("zlib", 0, len(zlib.compress(PICKLE)), "6"),
        ),
    ),
}


@pytest.mark.parametrize("envelope", PATHS)
def test_the_path_says_how_to_wrap_again(envelope):
    data, path = PATHS[envelope]
    found = one(data)
    assert isinstance(found, Blob)
    assert found.data == PICKLE
    if path is not None:
        assert found.path == path
    assert found.member == "key"


def test_a_layer_is_where_it_says():
    """By its path alone, what is within is found again, layer by layer."""
    cell = json.dumps({"body": base64.b64encode(gzip.compress(PICKLE)).decode(), "n": 1}).encode()
    data = cell
    for layer in one(cell).path:
        data = data[layer.begin : layer.end]
        data = {"JSON": bytes, "base64": base64.b64decode, "gzip": gzip.decompress}[layer.name](data)
    assert data == PICKLE


def test_djangos_file_cache_is_an_expiry_and_the_value():
    for expiry in (1700000000.5, None, 1700000000):
        for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
            cell = pickle.dumps(expiry, protocol) + zlib.compress(PICKLE)
            first, second = list(unwrap(cell))
            assert (pickle.loads(first.data), second.data) == (expiry, PICKLE)
            assert [layer.name for layer in second.path] == ["expiry", "zlib"]


def test_many_records_behind_their_lengths():
    cell = b"".join(struct.pack("<H", len(row)) + row for row in (PICKLE, PICKLE * 3, b"\x80\x02N."))
    assert [bytes(item.data) for item in unwrap(cell)] == [PICKLE, PICKLE * 3, b"\x80\x02N."]
    assert one(cell + b"x") == Passed("key", "of unknown kind")
    assert one(cell[:-1]) == Passed("key", "of unknown kind")


def test_what_is_guessed_counts_only_if_it_is_whole():
    for cell in (b"\x00\x01" + PICKLE[:-1], b"\x00\x01" + PICKLE + b"x", bytes(17) + b"\xff" + PICKLE):
        assert one(cell) == Passed("key", "of unknown kind")
    for cell in (base64.b64encode(PICKLE[:-1]), b'{"a": "' + base64.b64encode(PICKLE + b"x") + b'"}'):
        assert one(cell) == Passed("key", "text that may be base64")
    # One that is understood, beside one that is not.
    found = list(unwrap(b'{"a": "' + B64 + b'", "b": "' + base64.b64encode(PICKLE[:-1]) + b'"}'))
    assert [type(item) for item in found] == [Blob, Passed]


def test_a_signature_is_none_of_a_pickle():
    for payload in (b"eyJhIjoxfQ", urlsafe(json.dumps({"user": 1, "name": "x" * 40}).encode())):
        assert list(unwrap(payload + b":1tABCd:" + urlsafe(bytes(range(100, 132))))) == []


def test_envelopes_within_envelopes_end_somewhere():
    data = PICKLE
    for _ in range(4):
        data = zlib.compress(data)
    assert one(data).data == PICKLE
    assert one(zlib.compress(data)) == Fault("key", "archives within archives, more than 4 deep")
    data = PICKLE
    for _ in range(40):
        data = base64.b64encode(data)
    assert isinstance(one(data), (Fault, Passed))
    data = PICKLE
    for _ in range(40):
        data = pickle.dumps(data)
    assert any(isinstance(item, (Fault, Passed)) for item in read(unwrap(data)))


@pytest.mark.parametrize("pack", [zlib.compress, gzip.compress, bz2.compress, lzma.compress])
def test_a_bomb_is_a_fault_and_takes_no_memory(pack, monkeypatch):
    monkeypatch.setattr(importlib.import_module("extreg.stores.bounded"), "MOST", 1 << 20)
    bomb = pack(pickle.dumps(bytes(1 << 22), 4))
    assert "more than 1048576 bytes" in one(bomb).message
    monkeypatch.setattr(importlib.import_module("extreg.stores.envelopes"), "_TRIED", 1 << 20)
    assert one(base64.b64encode(bomb)) == Passed("key", "text that may be base64")


@pytest.mark.parametrize("pack", [zlib.compress, gzip.compress, bz2.compress, lzma.compress])
def test_what_is_broken_is_a_fault(pack):
    packed = pack(PICKLE * 9)
    assert isinstance(one(packed[:-3]), Fault)
    assert isinstance(one(packed + b"\x01\x02\x03"), Fault)
    torn = bytearray(packed)
    torn[-1] ^= 0xFF
    assert isinstance(one(bytes(torn)), (Fault, Passed))


def test_carving_finds_what_nothing_else_does_and_says_so():
    cell = b"\xff" * 30 + PICKLE + b"\x80\x04junk" + PICKLE * 2 + b"\x00" * 9
    assert one(cell) == Passed("key", "of unknown kind")
    *found, passed = list(unwrap(cell, "key", carve=True))
    assert [bytes(item.data) for item in found] == [PICKLE, PICKLE * 2]
    assert [item.path[-1] for item in found] == [
        Layer("carved", 30, 30 + len(PICKLE)),
        Layer("carved", 36 + len(PICKLE), 36 + 3 * len(PICKLE)),
    ]
    assert passed == Passed("key", "of unknown kind, looked through at every offset")


def test_pickles_within_pickles_are_read_with_their_path():
    cell = pickle.dumps({"v": pickle.dumps([gzip.compress(PICKLE)], 4)}, 4)
    rows = [row for row in read(unwrap(cell)) if not isinstance(row, (Fault, Passed))]
    assert [[layer.name for layer in blob.path] for blob, _ in rows] == [
        [],
        ["pickled"],
        ["pickled", "pickled", "gzip"],
    ]
    assert rows[-1][1].codes.keys() == {300}


def test_what_a_missing_extra_takes_is_said(monkeypatch):
    places = {
        "redis://host": "redis",
        "sqlite://#t.c": "sql",
        "lmdb:base": "lmdb",
        "s3://bucket": "fsspec",
    }
    for module in ("redis", "sqlalchemy", "lmdb", "fsspec"):
        monkeypatch.setitem(sys.modules, module, None)
    for place, extra in places.items():
        with pytest.raises(PlaceError, match="not installed") as caught:
            open_store(place)
        assert caught.value.hint == f'pip install "extreg[{extra}]"'


def test_nothing_that_opens_a_place_is_imported_before_it_is_used():
    program = "import sys, extreg.stores.opening; print({'redis', 'sqlalchemy', 'lmdb', 'fsspec'} & sys.modules.keys())"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


# Every way to wrap bytes, and those among them that make text of them.
TEXTS = (
    base64.b64encode,
    base64.encodebytes,
    urlsafe,
    lambda data: json.dumps({"k": base64.b64encode(data).decode()}).encode(),
    lambda data: data.hex().encode(),
    lambda data: repr(data).encode(),
)
HEADERS = (
    lambda data: struct.pack("<I", random.randrange(1 << 32)) + data,
    lambda data: random.randbytes(random.randrange(1, 40)) + data,
)
WRAPS = (
    *TEXTS,
    zlib.compress,
    gzip.compress,
    bz2.compress,
    lzma.compress,
    lambda data: b"!" + data,
    *HEADERS,
    lambda data: data + random.randbytes(random.randrange(1, 9)),
    lambda data: pickle.dumps([data, 1], random.choice((2, 3, 4, 5))),
    lambda data: pickle.dumps(OrderedDict(v=data), 5) * 2,
    lambda data: struct.pack(">I", len(data)) + data,
)


def test_what_holds_a_code_in_whatever_lies_around_it_is_found_or_told():
    """In up to three envelopes, of which one makes text, and no random bytes stand in front of that."""
    random.seed(19)
    for _ in range(600):
        data, texts = PICKLE, 0
        for wrap in random.choices(WRAPS, k=random.randrange(1, 4)):
            if texts and (wrap in TEXTS or wrap in HEADERS):
                continue
            data, texts = wrap(data), texts + (wrap in TEXTS)
        rows = list(read(unwrap(data)))
        found = any(300 in row[1].codes for row in rows if not isinstance(row, (Fault, Passed)))
        assert found or any(isinstance(row, (Fault, Passed)) for row in rows), data
