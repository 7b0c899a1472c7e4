"""What the tests of stored pickles share: one kind of object, a registry, and files of every kind that hold it."""

import bz2
import dbm.dumb
import gzip
import io
import lzma
import pickle
import sqlite3
import zipfile
from collections import OrderedDict
from contextlib import closing

import pytest

REGISTRY = """\
format = 1

[codes]
240 = "collections:OrderedDict"
300 = "fractions:Fraction"

[load-only]
301 = "collections:Counter"

[retired]
9120 = "shop.legacy:Cart"
"""


def by_name(protocol=4):
    return pickle.dumps(OrderedDict(a=1), protocol)


def by_code(code):
    """A pickle that loads what the code stands for."""
    return b"\x80\x02" + (b"\x82%c" % code if code < 256 else b"\x83" + code.to_bytes(2, "little")) + b"."


def zipped(members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return stream.getvalue()


def array_of_objects(payload):
    header = b"{'descr': '|O', 'fortran_order': False, 'shape': (1,), }".ljust(117) + b"\n"
    return b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header + payload


def database(path, *values, journal="DELETE"):
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA journal_mode = {journal}").fetchall()  # PyPy commits nothing before
        connection.execute('CREATE TABLE "my ""cache" (id INTEGER PRIMARY KEY, value, "other value")')
        connection.executemany(
            'INSERT INTO "my ""cache" (value, "other value") VALUES (?, ?)', [(v, "x") for v in values]
        )
        connection.commit()


def shelf(path, data):
    with closing(dbm.dumb.open(str(path), "n")) as files:
        files["key"] = data
        files["none"] = b"no pickle"


# Each kind of file: how to write one that holds the given pickle.
KINDS = {
    "plain.pickle": lambda path, data: path.write_bytes(data),
    "packed.gz": lambda path, data: path.write_bytes(gzip.compress(data)),
    "packed.bz2": lambda path, data: path.write_bytes(bz2.compress(data)),
    "packed.xz": lambda path, data: path.write_bytes(lzma.compress(data)),
    "model.pt": lambda path, data: path.write_bytes(
        zipped({"model/data.pkl": data, "model/data/0": b"\x80\x02N" + bytes(9), "model/version": b"3\n"})
    ),
    "arrays.npz": lambda path, data: path.write_bytes(zipped({"a.npy": array_of_objects(data)})),
    "array.npy": lambda path, data: path.write_bytes(array_of_objects(data)),
    "nested.zip": lambda path, data: path.write_bytes(zipped({"inner.zip": zipped({"x.gz": gzip.compress(data)})})),
    "cache.sqlite": database,
    "shelf": shelf,
}


@pytest.fixture
def registry(tmp_path):
    path = tmp_path / "registry.toml"
    path.write_text(REGISTRY)
    return path


@pytest.fixture
def data(tmp_path):
    folder = tmp_path / "data"
    folder.mkdir()
    return folder


@pytest.fixture
def every_kind(data):
    for name, write in KINDS.items():
        write(data / name, by_name())
    return data


def ok(done, code=0):
    assert "Traceback" not in done.stderr, done.stderr
    assert done.returncode == code, (done.stdout, done.stderr)
    return done
