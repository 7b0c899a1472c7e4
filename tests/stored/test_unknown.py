"""What nobody here understands is never said to be free of a code; and what is known to hold no pickle is."""

import base64
import bz2
import dbm.dumb
import gzip
import io
import json
import lzma
import mmap
import os
import pickle
import re
import signal
import struct
import subprocess
import sys
import tarfile
import time
import uuid
import zlib
from contextlib import closing
from pathlib import Path

import pytest

from .conftest import array_of_objects, by_code, by_name, database, ok, zipped

pytestmark = [pytest.mark.slow, pytest.mark.once]

CODE = 300
# As pickle writes it: an object whose class has the code.
PICKLE = b"\x80\x04\x95\x0e\x00\x00\x00\x00\x00\x00\x00\x83\x2c\x01)R\x94\x8c\x01a\x94K\x01s."
# What is not understood here.
ZSTD = b"\x28\xb5\x2f\xfd\x20\x22" + bytes(9)
FERNET = base64.urlsafe_b64encode(b"\x80" + bytes(4) + b"\x65\x43\x21\x10" + bytes(range(64)))
LONG = b"\x80\x04\x95\x19\x01\x00\x00\x00\x00\x00\x00]\x94(" + b"\x83\x2c\x01" * 92 + b"e."
B64 = base64.b64encode(PICKLE)


def put(data):
    return lambda path: path.write_bytes(data)


def tar(mode):
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode=mode) as archive:
        member = tarfile.TarInfo("a.pickle")
        member.size = len(PICKLE)
        archive.addfile(member, io.BytesIO(PICKLE))
    return stream.getvalue()


def keyed(value, key="key"):
    def write(path):
        with closing(dbm.dumb.open(str(path), "n")) as base:
            base[key] = value

    return write


def redis_dump():
    value = b"\x00\x01k" + bytes([len(PICKLE)]) + PICKLE
    return b"REDIS0011\xfa\x09redis-ver\x057.2.4\xfe\x00" + value + b"\xff" + bytes(8)


def wrapped(data):
    return b"-----\n" + base64.encodebytes(data) + b"-----\n"


def latin1(data):
    """As protocols below 3 keep bytes: a text with a character for each."""
    return pickle.dumps({"v": data}, 2)


def torch_like():
    return zipped(
        {"m/data.pkl": by_name(), "m/version": b"3\n", "m/data/0": bytes(64), "m/extra/blob": b"\x00" + PICKLE}
    )


def encrypted_zip():
    """A member whose flag says that it is encrypted."""
    raw = bytearray(zipped({"a": PICKLE}))
    raw[6] |= 1
    raw[raw.index(b"PK\x01\x02") + 8] |= 1
    return bytes(raw)


def member_after_the_stream():
    return bz2.compress(by_name()) + PICKLE


# Nothing in these is by code: protocol 0 has none.
WITHOUT_THE_CODE = {"protocol 0 in a TEXT cell"}

# Each shape of stored data that is read: how to write it.
READ = {
    "zlib (joblib, Django)": put(zlib.compress(PICKLE)),
    "zlib of little effort": put(zlib.compress(PICKLE, 1)),
    "gzip in a BLOB": lambda path: database(path, gzip.compress(PICKLE)),
    "zlib in a BLOB": lambda path: database(path, zlib.compress(PICKLE)),
    "base64 text": put(B64),
    "base64 in lines": put(wrapped(LONG)),
    "base64 for URLs": put(base64.urlsafe_b64encode(LONG).rstrip(b"=")),
    "base64 of zlib": put(b"session=" + base64.b64encode(zlib.compress(LONG))),
    "base64 of gzip": put(base64.b64encode(gzip.compress(LONG))),
    "base64 in JSON": put(json.dumps({"v": B64.decode()}).encode()),
    "base64 in lines in JSON": put(json.dumps({"v": base64.encodebytes(LONG).decode()}).encode()),
    "base64 of expiry and pickle": put(base64.b64encode(struct.pack("<I", 1900000000) + by_name() + PICKLE)),
    "base64 behind a megabyte of text": put(b"some words\n" * 200_000 + B64),
    "base64 across a window": put(b"a " * ((1 << 19) - 4) + B64),
    "4 bytes of expiry (Flask, cachelib)": put(struct.pack("I", 1900000000) + PICKLE),
    "4 bytes of an expiry of never": put(struct.pack("I", 0) + PICKLE),
    "a length before it": put(struct.pack(">Q", len(PICKLE)) + PICKLE),
    "zlib behind a header that says so (Celery)": put(
        b"\0celery-compressed\0application/x-gzip\0" + zlib.compress(PICKLE)
    ),
    "bz2 behind a byte": put(b"\x07" + bz2.compress(PICKLE)),
    ".lzma": put(lzma.compress(PICKLE, lzma.FORMAT_ALONE)),
    "a leading NUL": put(b"\x00" + PICKLE),
    "a pickle in pickled bytes": put(pickle.dumps({"v": PICKLE}, 4)),
    "a pickle in a row in pickled bytes": put(by_name() * 9 + pickle.dumps([1, LONG], 5) * 2),
    "a pickle behind an opcode in pickled bytes": put(
        pickle.dumps([b"\x80\x04X" + struct.pack("<I", 36) + b"x" * 36 + b"0\x83\x2c\x01."], 4)
    ),
    "a pickle in pickled bytes of protocol 2": put(latin1(PICKLE)),
    "a pickle behind a prefix in pickled bytes": put(pickle.dumps({"v": b"1:" + PICKLE}, 4)),
    "zlib in pickled bytes": put(pickle.dumps({"v": zlib.compress(LONG)}, 4)),
    "gzip in pickled bytes": put(pickle.dumps({"v": gzip.compress(LONG)}, 4)),
    "base64 in a pickled text": put(pickle.dumps({"v": B64.decode()}, 4)),
    "base64 in a TEXT cell": lambda path: database(path, B64.decode()),
    "protocol 0 in a TEXT cell": lambda path: database(path, by_name(0).decode()),
    "a BLOB with a prefix": lambda path: database(path, b"v1\x00" + PICKLE),
    "a value with a prefix in a dbm": keyed(b"\x00\x01" + PICKLE),
    "zlib in a dbm": keyed(zlib.compress(PICKLE)),
    "a pickle for a key in a dbm": keyed(b"text", PICKLE),
    ".xz in a zip": put(zipped({"a": lzma.compress(b"\x00" + PICKLE)})),
    "a file beside the pickle of a torch archive": put(torch_like()),
}

# Each shape of stored data that is not: how to write it, and what it is called.
SHAPES = {
    "Fernet token": (
        put(FERNET),
        "text that may be base64",
    ),
    "a log with a header before each": (
        put(b"".join(b"\x01rec\x00\x22" + PICKLE for _ in range(9))),
        "of unknown kind",
    ),
    "tar": (put(tar("w")), "tar"),
    "tar.gz": (put(tar("w:gz")), "tar"),
    "a pickle in pickled bytes of protocol 0": (put(pickle.dumps({"v": PICKLE}, 0)), "pickles in pickles"),
    "a pickle in many pickled bytes": (
        put(pickle.dumps({"v": bytes(1 << 20) + PICKLE + bytes(1 << 20)}, 4)),
        "pickles in pickles",
    ),
    "protocol 1 behind a header": (put(b"\x01\x02" + by_name(1)), "of unknown kind"),
    "base64 between control characters": (put(b"\x01\x02" + FERNET), "text that may be base64"),
    "base64 in UTF-16": (put(B64.decode().encode("utf-16-le")), "of unknown kind"),
    "ZODB": (put(b"FS21" + bytes(8) + PICKLE), "ZODB"),
    "Redis dump": (put(redis_dump()), "Redis dump"),
    "zstd": (put(ZSTD), "zstd"),
    "lz4": (put(b"\x04\x22\x4d\x18\x64\x40\xa7" + bytes(9)), "lz4"),
    "snappy": (put(b"\xff\x06\x00\x00sNaPpY\x01" + bytes(9)), "snappy"),
    "HDF5": (put(b"\x89HDF\r\n\x1a\n" + bytes(90)), "HDF5"),
    "parquet": (put(b"PAR1\x15\x04" + PICKLE + b"PAR1"), "parquet"),
    "LMDB": (put(bytes(16) + b"\xde\xc0\xef\xbe\x01" + bytes(99)), "LMDB"),
    "hex": (put(PICKLE.hex().encode()), "text that may be hex"),
    "hex in SQL": (put(b"INSERT INTO t VALUES (X'" + PICKLE.hex().upper().encode() + b"');\n"), "text that may be hex"),
    "hex of zlib": (put(b"v,\\x" + zlib.compress(LONG).hex().encode()), "text that may be hex"),
    "repr of bytes": (put(repr({"v": PICKLE}).encode()), "text with escaped bytes"),
    "text of latin-1 in JSON": (put(json.dumps(PICKLE.decode("latin-1")).encode()), "text with escaped bytes"),
    "text of latin-1 in UTF-8": (put(PICKLE.decode("latin-1").encode()), "of unknown kind"),
    "SQLite in a gzip file": (put(gzip.compress(b"SQLite format 3\x00" + bytes(99))), "SQLite"),
    "base64 under a prefix": (put(b"cache:key_of_a_rather_long_name/gAJO" + b"Li" * 9), "text that may be base64"),
    "an array of pickled bytes": (
        put(array_of_objects(PICKLE).replace(b"'|O', ", b"'|S36',")),
        "arrays of bytes or text",
    ),
    "a PNG with something behind it": (
        put(b"\x89PNG\r\n\x1a\n" + bytes(50) + b"IEND\xaeB`\x82" + PICKLE),
        "of unknown kind",
    ),
    "encrypted": (put(bytes(range(255, 5, -1))), "of unknown kind"),
    "uuencoded": (put(b"begin 644 a.pickle\n" + b"M@`25#P``\n" + b"`\nend\n"), "uuencoded text"),
}


@pytest.mark.parametrize("shape", READ)
def test_what_is_wrapped_is_read_and_the_code_in_it_found(shape, run_extreg, data, registry):
    READ[shape](data / "stored")
    done = run_extreg("scan", str(data))
    assert "unreadable" not in done.stderr
    assert "unknown" not in done.stderr
    if shape in WITHOUT_THE_CODE:
        assert "collections:OrderedDict" in ok(done).stdout
    else:
        assert f"code {CODE} is in use in 1 file" in ok(run_extreg("scan", str(data), "--code", str(CODE)), 1).stdout


@pytest.mark.parametrize("shape", SHAPES)
def test_what_is_not_understood_is_never_said_to_be_free_of_a_code(shape, run_extreg, data, registry):
    write, kind = SHAPES[shape]
    write(data / "stored")
    (data / "ordinary").write_bytes(by_name())
    done = ok(run_extreg("scan", str(data), "--code", str(CODE)), 2)
    assert "not in use" not in done.stdout
    assert done.stderr == f"unknown: 1 passed over (1 {kind}), the first in {data / 'stored'}\n"
    answer = json.loads(ok(run_extreg("scan", "--format", "json", str(data), "--code", str(CODE)), 2).stdout)
    assert answer["used"] is None
    assert answer["unknown"] == [{"path": str(data / "stored"), "kind": kind, "count": 1}]


def test_the_pickle_of_these_tests_is_one(run_extreg, data, registry):
    (data / "a").write_bytes(PICKLE + LONG)
    assert ok(run_extreg("scan", str(data), "--code", str(CODE)), 1).stdout.split("\n")[2].split()[:2] == ["2", "93"]


PLAIN = (
    "Where x^2 < 640, see https://example.org/a/rather/long/path/to/Some/Page and call some_function_of_a_long_name.\n"
)

HARMLESS = {
    "nothing": b"",
    "text": PLAIN.encode() * 5000,
    "text in UTF-8": "Grüße, 你好, \N{GRINNING FACE}\n".encode() * 50_000,
    "text in latin-1": "Grüße aus Köln\n".encode("latin-1"),
    "CSV": b"a,b\n1,0x8004\n2,da39a3ee5e6b4b0d3255bfef95601890afd80709\n",
    "JSON": json.dumps({"id": str(uuid.UUID(int=1 << 127)), "n": [1.5, None], "on": "2024-01-31T10:00:00Z"}).encode(),
    "source": b"class TestHTTPServerOfTheStandardLibrary:\n    def test_a_name_that_is_long(self):\n        pass\n",
    "zeros": bytes(5000),
    "ASCII with control characters between": b"celery\x06\x16\x06\x16celery\x01\x02",
    "an empty zip": zipped({}),
    "a zip of texts": zipped({"a.txt": b"text", "b/c.md": PLAIN.encode()}),
    "text.gz": gzip.compress(PLAIN.encode()),
    "an array of numbers": array_of_objects(bytes(80)).replace(b"'|O', ", b"'<f8',"),
    "PNG": b"\x89PNG\r\n\x1a\n" + bytes(range(256)) + b"\x00\x00\x00\x00IEND\xaeB`\x82",
    "JPEG": b"\xff\xd8\xff\xe0" + bytes(range(256)) + b"\xff\xd9",
    "pickles of numbers": pickle.dumps([640, 896, 1152, 0x5802, 128, 1e300, 2**70], 4) * 3,
    "pickles of texts": b"".join(pickle.dumps({"a": PLAIN, "é": "x\x9c", "eJwx": "gAIX"}, p) for p in range(2, 6)),
    "pickles of bytes": pickle.dumps([bytes(range(256)), uuid.UUID(int=5).bytes, b"x\x9c", b"\x80\x04", b"gAJ"], 4),
}


@pytest.mark.parametrize("what", HARMLESS)
def test_what_is_known_to_hold_no_code_is_said_to(what, run_extreg, data, registry):
    (data / "stored").write_bytes(HARMLESS[what])
    (data / "ordinary").write_bytes(by_name())
    done = ok(run_extreg("scan", str(data), "--code", str(CODE)))
    assert (done.stdout, done.stderr) == (f"code {CODE} is not in use (2 files read)\n", "")


def test_what_is_passed_over_is_told_in_one_line_by_kind(run_extreg, data, registry):
    for number in range(3):
        (data / f"z{number}").write_bytes(ZSTD)
    database(data / "cache", b"\x00\x81", b"\x00\x82", FERNET.decode(), by_name(), "text", 5, None)
    (data / "text").write_bytes(b"text")
    line = (
        "unknown: 6 passed over (3 zstd, 2 of unknown kind, 1 text that may be base64), "
        f"the first in {data / 'cache'}\n"
    )
    done = ok(run_extreg("scan", str(data)), 2)
    assert done.stderr == line
    assert done.stdout.startswith("1 pickle (")
    assert "in 1 file; 1 without\n" in done.stdout
    assert ok(run_extreg("scan", str(data), "--jobs", "2"), 2).stderr == line
    assert ok(run_extreg("suggest", str(data))).stderr.endswith(line)
    unknown = json.loads(ok(run_extreg("scan", "--format", "json", str(data)), 2).stdout)["unknown"]
    assert sum(item["count"] for item in unknown) == 6
    registry.unlink()
    assert ok(run_extreg("scan", str(data))).stderr == line


def test_a_link_that_leads_nowhere_may_lead_to_a_use_of_the_code(run_extreg, data, registry):
    (data / "ordinary").write_bytes(by_name())
    (data / ".#ordinary").symlink_to("user@host.123:456")  # which is how Emacs locks a file
    assert ok(run_extreg("scan", str(data), "--code", str(CODE))).stderr == ""
    (data / "archive").symlink_to("/nowhere/at/all")
    done = ok(run_extreg("scan", str(data), "--code", str(CODE)), 2)
    assert done.stderr == f"unreadable: {data / 'archive'}: a symlink that leads nowhere\n"


def test_whoever_names_such_a_file_is_told_what_it_is(run_extreg, data):
    (data / "z").write_bytes(ZSTD)
    done = ok(run_extreg("scan", str(data / "z")), 2)
    assert done.stderr.startswith(f"unreadable: {data / 'z'}: holds no pickle that is read (zstd)\n")


def test_a_code_that_is_found_is_in_use_whatever_else_there_is(run_extreg, data, registry):
    (data / "z").write_bytes(ZSTD)
    (data / "p").write_bytes(by_code(CODE))
    done = ok(run_extreg("scan", str(data), "--code", str(CODE)), 1)
    assert done.stderr.startswith("unknown: 1 passed over (1 zstd)")


@pytest.mark.skipif(not hasattr(os, "fork"), reason="a file that is mapped cannot be made shorter there")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_a_file_that_is_made_shorter_while_it_is_read_is_named(data, registry, jobs, tmp_path):
    """It was mapped, and whoever reads beyond its end is killed (SIGBUS)."""
    row = b"".join(pickle.dumps({"a": number, "b": "x" * 9, "c": [1.5, None]}, 4) for number in range(20_000))
    large = data / "large"
    large.write_bytes(row * (1 + (60 << 20) // len(row)))
    for number in range(20):
        (data / f"small{number:02}").write_bytes(by_code(CODE + number))
    command = [sys.executable, "-m", "extreg", "scan", "--jobs", jobs, "--format", "json", str(data)]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        deadline = time.monotonic() + 60
        while not mapped_by_a_process(large):
            assert process.poll() is None
            assert time.monotonic() < deadline
        os.truncate(large, 20 * mmap.PAGESIZE)
        stdout, stderr = process.communicate(timeout=120)
    assert process.returncode in (1, 2)
    assert "Traceback" not in stderr
    answer = json.loads(stdout)
    assert [item["path"] for item in answer["unreadable"]] == [str(large)]
    # Or it was mapped anew just then.
    assert re.search("the process that read it was killed|is cut short", answer["unreadable"][0]["message"])
    assert len(answer["codes"]) == 20


def mapped_by_a_process(path) -> bool:
    for maps in Path("/proc").glob("[0-9]*/maps"):
        try:
            if str(path) in maps.read_text():
                return True
        except OSError:
            continue
    return False


@pytest.mark.skipif(not hasattr(os, "fork"), reason="processes are forked")
def test_a_process_that_is_killed_costs_no_other_result(data, tmp_path, monkeypatch):
    from extreg.census import crews, examine, steps
    from extreg.census.counts import Counts
    from extreg.census.opened import Work
    from extreg.census.position import Options, Position

    for number in range(40):
        (data / f"{number:02}").write_bytes(by_name() + by_code(number + 1))
    deadly = (by_name() + by_code(8), by_name() + by_code(24))

    def killed(cell, **options):
        if cell in deadly:
            os.kill(os.getpid(), signal.SIGBUS)
        return examine.examine(cell, **options)

    monkeypatch.setattr(steps, "examine", killed)  # the other processes are forks
    work = Work([str(data)], Options(), 0.1)
    counts = Counts()
    for answer in crews.Processes(2).read(work, [Position(0, "1/2"), Position(0, "2/2")]):
        counts.add(answer.counts)
    assert (counts.cells, counts.holding, counts.faults) == (40, 38, 2)
    assert sorted(counts.codes) == [code for code in range(1, 41) if code not in (8, 24)]
    assert sorted(Path(told.path).name for told in counts.unreadable) == ["07", "23"]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="processes are looked for in /proc")
def test_a_scan_that_is_killed_leaves_no_process_behind(data, tmp_path):
    row = b"".join(pickle.dumps({"a": number, "b": "x" * 9}, 4) for number in range(50_000))
    for number in range(40):
        (data / str(number)).write_bytes(row)
    command = [sys.executable, "-m", "extreg", "scan", "--jobs", "2", str(data)]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        deadline = time.monotonic() + 60
        while not (children := children_of(process.pid)):
            assert time.monotonic() < deadline
        process.kill()
        process.communicate(timeout=60)
    while any(Path(f"/proc/{child}").exists() for child in children):
        assert time.monotonic() < deadline
        time.sleep(0.1)


def children_of(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            found.append(int(stat.parent.name))
    return found
