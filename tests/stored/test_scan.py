"""`extreg scan`: every kind of file, what is wrong with some, and the answers and exit codes."""

import gzip
import importlib
import json
import os
import pickle
import shelve
import sqlite3
import subprocess
import sys
import tempfile
from collections import Counter, OrderedDict
from contextlib import closing, suppress
from pathlib import Path

import pytest

from extreg.pickles import scan
from extreg.pickles.tally import tally

from .conftest import KINDS, array_of_objects, by_code, by_name, database, ok, shelf, zipped

pytestmark = pytest.mark.slow

ORDERED = {"module": "collections", "name": "OrderedDict"}
TODAY = {"current": "collections:OrderedDict", "today": None, "why": None}


def scanned(run_extreg, *arguments, code=0):
    return json.loads(ok(run_extreg("scan", "--format", "json", *arguments), code).stdout)


def total(result):
    return {(item["module"], item["name"]): item["pickles"] for item in result["globals"]}


@pytest.mark.parametrize("kind", KINDS)
def test_a_pickle_is_found_in_every_kind_of_file_and_the_file_stays_as_it_is(kind, run_extreg, data, registry):
    KINDS[kind](data / kind, by_name())
    before = {path: path.read_bytes() for path in data.iterdir()}
    for named in (data, data / kind):
        result = scanned(run_extreg, str(named))
        assert total(result) == {("collections", "OrderedDict"): 1}
        assert (result["holding"], result["pickles"], result["unreadable"]) == (1, 1, [])
    assert {path: path.read_bytes() for path in data.iterdir()} == before


@pytest.mark.parametrize("protocol", range(6))
def test_pickles_of_all_protocols_are_recognized(protocol, run_extreg, data):
    (data / "p").write_bytes(by_name(protocol) * 3)
    result = scanned(run_extreg, str(data))
    assert result["pickles"] == 3
    assert total(result)["collections", "OrderedDict"] == 3


@pytest.mark.parametrize("name", ["dbm.gnu", "dbm.ndbm", "dbm.dumb", "dbm.sqlite3"])
def test_databases_of_every_dbm_that_this_python_has(name, run_extreg, data):
    try:
        module = importlib.import_module(name)
    except ImportError:
        pytest.skip(f"this Python is built without {name}")
    with closing(module.open(str(data / "base"), "n")) as base:
        base["key"] = by_name()
        base["other"] = by_code(240)
    result = scanned(run_extreg, str(data))
    assert (result["pickles"], result["holding"], len(result["codes"])) == (2, 1, 1)


def test_a_shelf_is_found_by_its_name_and_by_its_folder(run_extreg, data):
    with shelve.open(str(data / "shelf")) as files:
        files["key"] = OrderedDict(a=1)
    for named in (data, data / "shelf"):
        assert total(scanned(run_extreg, str(named))) == {("collections", "OrderedDict"): 1}


def test_only_the_storages_of_torch_are_not_taken_for_pickles(run_extreg, data):
    storage = b"\x80\x02N" + bytes(9)
    (data / "torch.pt").write_bytes(zipped({"m/data.pkl": by_name(), "m/version": b"3", "m/data/0": storage}))
    (data / "other.zip").write_bytes(zipped({"data.pkl": by_name(), "data/0": by_name(), "data/x": by_name()}))
    result = scanned(run_extreg, str(data))
    assert (result["pickles"], result["unreadable"]) == (4, [])


def test_the_arrays_of_numpy_are_what_the_tests_take_them_for(run_extreg, data):
    numpy = pytest.importorskip("numpy", reason='pip install ".[test-full]"')
    objects = numpy.array([OrderedDict(a=1), None], dtype=object)
    records = numpy.array([(1, OrderedDict())], dtype=[("a", "i4"), ("b", object)])
    numpy.savez(data / "a.npz", objects, numbers=numpy.arange(5))
    numpy.savez_compressed(data / "b.npz", records)
    numpy.save(data / "c.npy", objects)
    numpy.save(data / "d.npy", numpy.arange(1000))
    result = scanned(run_extreg, str(data))
    assert (result["holding"], result["unreadable"]) == (3, [])
    assert total(result)["collections", "OrderedDict"] == 3


def test_counts_are_of_pickles_references_bytes_and_files(run_extreg, data, registry):
    (data / "a").write_bytes(b"\x80\x02\x82\xf0\x82\xf0\x86." + by_code(240))
    (data / "b").write_bytes(by_code(240) + by_code(301))
    result = scanned(run_extreg, str(data))
    assert result["codes"] == [
        {
            "code": 240,
            "state": "live",
            "target": "collections:OrderedDict",
            "files": 2,
            "pickles": 3,
            "references": 4,
            "bytes": 8,
        },
        {
            "code": 301,
            "state": "load-only",
            "target": "collections:Counter",
            "files": 1,
            "pickles": 1,
            "references": 1,
            "bytes": 3,
        },
    ]
    (data / "c").write_bytes(by_name(2))
    assert scanned(run_extreg, str(data))["globals"] == [
        {
            **ORDERED,
            **TODAY,
            "code": 240,
            "files": 1,
            "pickles": 1,
            "references": 1,
            "bytes": len("ccollections\nOrderedDict\n"),
        }
    ]
    text = ok(run_extreg("scan", str(data))).stdout
    assert "240        3           4      8      2  live       collections:OrderedDict\n" in text


@pytest.mark.parametrize(("code", "state"), [(9120, "retired"), (77, "unknown")])
def test_an_unknown_or_retired_code_is_a_finding(code, state, run_extreg, data, registry):
    (data / "a").write_bytes(by_code(code))
    result = scanned(run_extreg, str(data), code=1)
    assert [item["state"] for item in result["codes"]] == [state]
    assert state in ok(run_extreg("scan", str(data)), 1).stdout


def test_without_a_registry_nothing_is_known_of_the_codes(run_extreg, data):
    (data / "a").write_bytes(by_code(77))
    done = ok(run_extreg("scan", str(data)))
    assert "no registry" in done.stdout
    assert "note:" in done.stderr
    assert scanned(run_extreg, str(data))["registry"] is None


def test_the_codes_of_included_packages_are_known(run_extreg, tmp_path, data, registry):
    (tmp_path / "paylib").mkdir()
    (tmp_path / "paylib" / "__init__.py").write_text("raise SystemExit('imported')")
    (tmp_path / "paylib" / "registry.toml").write_text('format = 1\n[codes]\n77 = "paylib:Pay"\n240 = "paylib:No"\n')
    registry.write_text(registry.read_text().replace("format = 1\n", 'format = 1\ninclude = ["paylib"]\n'))
    (data / "a").write_bytes(by_code(77) + by_code(240))
    found = {item["code"]: item["target"] for item in scanned(run_extreg, str(data))["codes"]}
    assert found == {77: "paylib:Pay", 240: "collections:OrderedDict"}


def test_whether_a_code_is_in_use_and_where(run_extreg, every_kind, registry):
    (every_kind / "old").write_bytes(by_code(240) * 2)
    (every_kind / "a.zip").write_bytes(zipped({"x": by_code(240)}))
    for wanted in ("240", "collections:OrderedDict"):
        done = ok(run_extreg("scan", "--code", wanted, str(every_kind)), 1)
        assert [line.split() for line in done.stdout.splitlines()[2:]] == [
            ["1", "1", "2", str(every_kind / "a.zip")],
            ["2", "2", "4", str(every_kind / "old")],
        ]
    result = scanned(run_extreg, "--code", "240", str(every_kind), code=1)
    assert (result["used"], len(result["files"])) == (True, 2)
    assert ok(run_extreg("scan", "--code", "300", str(every_kind))).stdout.startswith("code 300 is not in use")


@pytest.mark.parametrize(
    ("wanted", "cure"),
    [
        ("shop:None", "extreg list"),
        ("OrderedDict", "did you mean collections:OrderedDict"),
        ("0", "from 1 to"),
        ("-5", "from 1 to"),
        ("9" * 30, "from 1 to"),
    ],
)
def test_a_target_without_a_code_is_not_said_to_be_in_use(wanted, cure, run_extreg, every_kind, registry):
    done = ok(run_extreg("scan", str(every_kind), f"--code={wanted}"), 2)
    assert done.stdout == ""
    assert cure in done.stderr


def test_of_an_empty_folder_nobody_can_say_that_it_holds_no_code(run_extreg, data, registry):
    (data / "mounted" / "below").mkdir(parents=True)
    (data / "p").write_bytes(by_name())
    done = ok(run_extreg("scan", "--code", "300", str(data / "mounted")), 2)
    assert "not in use" not in done.stdout
    assert done.stderr == f"unreadable: {data / 'mounted'}: a folder without a file\n"
    ok(run_extreg("scan", "--code", "300", str(data / "p"), str(data / "mounted")), 2)
    ok(run_extreg("scan", "--code", "300", str(data)))


def test_nobody_can_say_that_a_code_is_unused_when_not_everything_could_be_read(run_extreg, data, registry):
    (data / "torn").write_bytes(by_name()[:-3])
    done = ok(run_extreg("scan", "--code", "240", str(data)), 2)
    assert "not all could be" in done.stdout
    assert "torn" in done.stderr
    assert scanned(run_extreg, "--code", "240", str(data), code=2)["used"] is None


def test_what_is_no_pickle_is_passed_over_in_a_folder_and_an_error_when_named(run_extreg, data):
    for name, raw in {
        "a.txt": b"class Order:\n    pass\n",
        "b.csv": b"(1, 2)\n",
        "empty": b"",
        "dot": b".",
        "c.gz": gzip.compress(b"text"),
        "d": bytes(100),
        "e.npy": array_of_objects(b"").replace(b"'|O'", b"'<i8'"),
        "f.md": b"N.B. nothing\n",
        "g.zip": zipped({"a.txt": b"import os\n"}),
    }.items():
        (data / name).write_bytes(raw)
    database(data / "h", b"blob", b"\x80 no")
    done = ok(run_extreg("scan", str(data)))
    unknown = f"unknown: 1 passed over (1 of unknown kind), the first in {data / 'h'}\n"
    assert (done.stdout, done.stderr) == ("0 pickles (0 bytes) in 0 files; 9 without\n", unknown)
    done = ok(run_extreg("scan", str(data / "a.txt"), str(data / "g.zip"), str(data / "none")), 2)
    assert done.stderr.count("holds no pickle") == 2
    assert "none: No such file or directory" in done.stderr


BROKEN = {
    "torn.pickle": by_name()[:-3],
    "tail.pickle": by_name() + b"\xff\xff",
    "torn.gz": gzip.compress(by_name())[:-9],
    "flipped.gz": gzip.compress(by_name())[:14] + b"\xff\xff\xff\xff" + gzip.compress(by_name())[18:],
    "torn.bz2": b"BZh9" + bytes(30),
    "torn.xz": b"\xfd7zXZ\x00" + bytes(30),
    "torn.zip": zipped({"a": by_name()})[:40],
    "torn.sqlite": b"SQLite format 3\x00" + b"\xff" * 200,
    "torn.npy": array_of_objects(by_name()[:-3]),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_broken_is_listed_and_not_fatal(name, run_extreg, data):
    (data / name).write_bytes(BROKEN[name])
    (data / "whole").write_bytes(by_name())
    done = ok(run_extreg("scan", str(data)), 2)
    assert done.stderr.startswith(f"unreadable: {data / name}: ")
    assert done.stderr.count("\n") == 1
    assert done.stdout.startswith(f"{2 if name == 'tail.pickle' else 1} pickle")
    assert "; 0 without\n" in done.stdout
    ok(run_extreg("scan", str(data / name)), 2)


def test_a_broken_shelf_is_listed(run_extreg, data):
    shelf(data / "shelf", by_name())
    for index in ("'key', (0, 99999999)\n'gone', (99999, 5)\n", "'key', nonsense(\n", "'key', 5\n"):
        (data / "shelf.dir").write_text(index)
        ok(run_extreg("scan", str(data)), 2)


AS_NOBODY = """
import contextlib, io, os, sys
from extreg.cli.main import main
with contextlib.redirect_stdout(io.StringIO()), contextlib.redirect_stderr(io.StringIO()):  # imports everything
    main([*sys.argv[1:2], os.path.join(sys.argv[2], "whole"), *sys.argv[3:]])
if os.getuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
sys.exit(main(sys.argv[1:]))
"""


@pytest.mark.skipif(sys.platform == "win32", reason="permissions of POSIX")
@pytest.mark.parametrize("jobs", ["1", "2"])
def test_what_may_not_be_read_is_named_and_in_no_number(jobs):
    """Whoever runs this: root gives up what root may."""
    with tempfile.TemporaryDirectory() as place:
        os.chmod(place, 0o755)
        data = Path(place, "data")
        (data / "folder").mkdir(parents=True)
        (data / "whole").write_bytes(by_name())
        (data / "secret").write_bytes(by_name())
        (data / "secret").chmod(0)
        (data / "folder").chmod(0)
        try:
            for more in ([], ["--code", "77"]):
                command = [sys.executable, "-c", AS_NOBODY, "scan", str(data), "--jobs", jobs, *more]
                done = ok(subprocess.run(command, cwd=place, capture_output=True, text=True, check=False), 2)
                assert done.stderr == (
                    f"unreadable: {data / 'folder'}: Permission denied\n"
                    f"unreadable: {data / 'secret'}: Permission denied\n"
                )
                assert "in 1 file; 0 without\n" in done.stdout or "not all could be" in done.stdout
        finally:
            (data / "folder").chmod(0o700)


def test_a_path_that_is_not_there_is_in_no_number(run_extreg, data):
    (data / "whole").write_bytes(by_name())
    done = ok(run_extreg("scan", str(data), str(data / "gone")), 2)
    assert "in 1 file; 0 without\n" in done.stdout
    assert scanned(run_extreg, str(data), str(data / "gone"), code=2)["read"] == 1


@pytest.mark.once
def test_of_one_file_a_screenful_is_said(run_extreg, data):
    """A few kilobytes of archives within archives hold tens of thousands of them, all too deep."""
    packed = by_name()
    for width in (1, 12, 12, 12, 12, 12):
        packed = zipped({f"{number}.zip": packed for number in range(width)})
    (data / "bomb.zip").write_bytes(packed)
    for more in ([], ["--code", "77"]):
        done = ok(run_extreg("scan", str(data), *more), 2)
        assert done.stderr.count("\n") == 21
        assert done.stderr.endswith(f"{data / 'bomb.zip'}: and {12**4 - 20} more\n")
    assert len(scanned(run_extreg, str(data), code=2)["unreadable"]) == 21
    assert ok(run_extreg("suggest", str(data))).stderr.count("\n") == 21


@pytest.mark.skipif(sys.platform != "linux", reason="a file that fails when it is read")
def test_a_file_that_fails_when_it_is_read_is_listed(run_extreg, data):
    (data / "failing").symlink_to("/proc/self/mem")
    (data / "whole").write_bytes(by_name())
    done = ok(run_extreg("scan", str(data)), 2)
    assert done.stderr == f"unreadable: {data / 'failing'}: Input/output error\n"
    assert done.stdout.startswith("1 pickle")


@pytest.mark.skipif(sys.platform == "win32", reason="symlinks and pipes")
def test_symlinks_are_followed_once(run_extreg, data, tmp_path):
    other = tmp_path / "other"
    other.mkdir()
    (other / "a").write_bytes(by_name())
    (other / "back").symlink_to(data)
    (data / "again").symlink_to(data)
    (data / "out").symlink_to(other)
    (data / "same").symlink_to(other / "a")
    (data / "nowhere").symlink_to(data / "gone")
    (data / "self").symlink_to(data / "self")
    os.mkfifo(data / "pipe")
    result = scanned(run_extreg, str(data), code=2)
    assert result["pickles"] == 1
    assert [os.path.basename(item["path"]) for item in result["unreadable"]] == ["nowhere", "self"]


def test_several_processes_say_what_one_says(run_extreg, every_kind, registry):
    for number in range(60):
        (every_kind / f"{number}.pickle").write_bytes(by_name(number % 6) * number + by_code(240))
    (every_kind / "torn").write_bytes(by_name()[:-1])
    for form in ("text", "json"):
        one = run_extreg("scan", "--format", form, str(every_kind))
        two = run_extreg("scan", "--format", form, "--jobs", "2", str(every_kind))
        assert (one.returncode, one.stdout, one.stderr) == (two.returncode, two.stdout, two.stderr)


@pytest.mark.parametrize("jobs", ["0", "-1", "x", "1000"])
def test_a_number_of_processes_is_a_small_positive_one(jobs, run_extreg, data):
    ok(run_extreg("scan", "--jobs", jobs, str(data)), 2)


def test_a_database_with_a_log_is_read_with_it_and_nothing_is_written_beside_it(run_extreg, data):
    path = data / "live.sqlite"
    database(path, by_name(), journal="WAL")
    with closing(sqlite3.connect(path)) as writer:
        writer.execute('INSERT INTO "my ""cache" (value) VALUES (?)', (by_code(77),))
        writer.commit()
        before = {item.name: item.read_bytes() for item in data.iterdir()}
        assert "live.sqlite-wal" in before
        result = scanned(run_extreg, str(path))
        assert (result["pickles"], [item["code"] for item in result["codes"]]) == (2, [77])
        assert {item.name: item.read_bytes() for item in data.iterdir()} == before


def test_names_that_a_terminal_would_obey_are_shown_escaped(run_extreg, data):
    (data / "a\x1b[31m").write_bytes(b"cos\x1b[2J\nsystem\n.")
    (data / "b\n").write_bytes(by_name()[:-1])
    done = ok(run_extreg("scan", str(data)), 2)
    assert "\x1b" not in done.stdout + done.stderr
    assert "os\\x1b[2J:system" in done.stdout


def examined(data):
    """What the command line finds in each file of a folder."""
    store = importlib.import_module("extreg.stores.file_store").FileStore(str(data))
    return [importlib.import_module("extreg.census.examine").examine(cell.data) for cell in store.cells("1/1")]


def test_what_becomes_too_much_is_not_read(data, monkeypatch):
    bounded = importlib.import_module("extreg.stores.bounded")
    monkeypatch.setattr(bounded, "MOST", 1 << 20)
    bomb = pickle.dumps(bytes(1 << 21), 4)
    (data / "bomb.gz").write_bytes(gzip.compress(bomb))
    (data / "bomb.zip").write_bytes(zipped({"a": bomb[: 1 << 19] + bomb[-9:], "b": bomb}))
    (data / "onion.zip").write_bytes(onion(8))
    reports = examined(data)
    assert [bool(report.faults) for report in reports] == [True, True, True]
    assert "more than 1048576 bytes" in reports[0].faults[0].message
    assert "deep" in reports[2].faults[0].message


def onion(depth):
    return zipped({"x.zip": onion(depth - 1) if depth else by_name()})


def test_what_does_not_fit_into_memory_is_read_all_the_same(data, monkeypatch):
    bounded = importlib.import_module("extreg.stores.bounded")
    monkeypatch.setattr(bounded, "_IN_MEMORY", 1 << 10)
    many = pickle.dumps([os.urandom(3000), Counter(a=1)], 4)
    (data / "a.gz").write_bytes(gzip.compress(many * 2))
    (data / "b.zip").write_bytes(zipped({"a": many, "b": array_of_objects(many)}))
    reports = examined(data)
    assert [(report.pickles, report.faults) for report in reports] == [(2, []), (2, [])]


def test_a_pickle_that_is_cut_short_counts_for_nothing():
    """What it refers to is in no pickle that anybody can load."""
    found = tally(by_name() * 2 + by_code(240)[:-1])
    assert (found.pickles, found.codes, found.whole) == (2, {}, 2 * len(by_name()))
    assert found.globals == {("collections", "OrderedDict"): (2, 2, 2 * len("..collections...OrderedDict.."))}
    assert found.fault is not None


@pytest.mark.parametrize("protocol", range(6))
def test_a_tally_counts_what_a_scan_counts(protocol):
    data = by_name(protocol) * 3 + pickle.dumps([Counter(a=1), Counter(b=2), OrderedDict], protocol) + by_code(300)
    found, expected = tally(data), scan(data)
    assert {":".join(name): use.references for name, use in found.globals.items()} == expected.globals
    assert {code: use.references for code, use in found.codes.items()} == expected.codes
    assert (found.pickles, found.whole, found.fault) == (expected.pickles, len(data), None)


CHILD = """
import resource, subprocess, sys
done = subprocess.run([sys.executable, "-m", "extreg", "scan", sys.argv[1]], capture_output=True, text=True)
print(done.returncode, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, done.stdout.split(";")[0])
"""


@pytest.mark.once
@pytest.mark.skipif(sys.platform != "linux", reason="sparse files, and ru_maxrss in kilobytes")
def test_a_file_of_two_gigabytes_is_not_read_into_memory(data):
    size = 1 << 31
    with (data / "large").open("wb") as file:
        for payload in (size // 2, size // 2):
            file.write(b"\x80\x04\x8e" + payload.to_bytes(8, "little"))
            file.seek(payload, os.SEEK_CUR)
            file.write(b".")
        file.write(by_code(240))
    done = subprocess.run([sys.executable, "-c", CHILD, str(data)], capture_output=True, text=True, check=True)
    code, peak, text = done.stdout.split(maxsplit=2)
    assert (code, text.strip()) == ("0", "3 pickles (2.1 GB) in 1 file")
    # PyPy keeps some windows until its collector is asked.
    assert int(peak) < (200_000 if sys.implementation.name == "cpython" else 500_000)


@pytest.mark.skipif(sys.platform == "win32", reason="a pseudo-terminal")
def test_progress_is_shown_on_a_terminal_for_long_work_only(data):
    import pty

    (data / "a").write_bytes(by_name())
    script = (
        "import extreg.cli.progress as p, time, sys; p._QUIET = float(sys.argv[1])\n"
        "for _ in p.watched(iter(range(4)), 'files'): time.sleep(0.15)"
    )
    for quiet, shown in (("0", True), ("60", False)):
        primary, secondary = pty.openpty()
        subprocess.run([sys.executable, "-c", script, quiet], stderr=secondary, check=True)
        os.close(secondary)
        said = b""
        with suppress(OSError):
            while chunk := os.read(primary, 1000):
                said += chunk
        os.close(primary)
        assert (b"files" in said) is shown
