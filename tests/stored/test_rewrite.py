"""`extreg rewrite`: in place, file by file, old or new and nothing between."""

import bz2
import gzip
import json
import lzma
import os
import pickle
import subprocess
import sys
import time
import zlib
from collections import OrderedDict
from fractions import Fraction

import pytest

from extreg.disk.atomic import TEMPORARY
from extreg.pickles import scan, to_names
from extreg.registry.model import Registry

from .conftest import KINDS, by_code, by_name, ok, zipped

pytestmark = pytest.mark.slow

PLAIN = {
    "plain.pickle": bytes,
    "packed.gz": gzip.decompress,
    "packed.bz2": bz2.decompress,
    "packed.xz": lzma.decompress,
}


def bulky(size=40):
    return b"".join(pickle.dumps(OrderedDict(a=number), 4) for number in range(size))


@pytest.mark.parametrize("kind", PLAIN)
def test_names_become_codes_and_names_again(kind, run_extreg, data, registry):
    path = data / kind
    KINDS[kind](path, bulky())
    path.chmod(0o640)
    size = path.stat().st_size
    done = ok(run_extreg("rewrite", "--to", "codes", str(data)))
    assert done.stdout.startswith(
        f"changed {path}: 40 references in 40 pickles, {size} to {path.stat().st_size} bytes\n"
    )
    assert path.stat().st_size < size
    assert path.stat().st_mode & 0o777 == 0o640
    found = scan(PLAIN[kind](path.read_bytes()))
    assert (found.globals, found.codes) == ({}, {240: 40})
    ok(run_extreg("rewrite", "--to", "names", str(data)))
    assert scan(PLAIN[kind](path.read_bytes())).globals == {"collections:OrderedDict": 40}
    assert sorted(os.listdir(data)) == [kind]


def test_check_writes_nothing(run_extreg, data, registry):
    path = data / "p"
    path.write_bytes(bulky())
    before = path.read_bytes(), path.stat().st_mtime_ns
    assert ok(run_extreg("rewrite", "--check", "--to", "codes", str(data)), 1).stdout.startswith("would change")
    assert (path.read_bytes(), path.stat().st_mtime_ns) == before
    ok(run_extreg("rewrite", "--check", "--to", "names", str(data)))
    ok(run_extreg("rewrite", "--to", "codes", str(data)))
    ok(run_extreg("rewrite", "--check", "--to", "codes", str(data)))


def test_what_is_not_understood_is_counted_and_a_check_cannot_say(run_extreg, data, registry):
    """Before codes are retired somebody asks whether all pickles are rewritten."""
    (data / "packed.bin").write_bytes(zlib.compress(by_name(4)))
    (data / "page.txt").write_text("nothing\n")
    done = run_extreg("rewrite", "--to", "names", "--check", str(data))
    assert done.returncode == 2, done.stdout + done.stderr
    assert f"unknown: 1 passed over (1 zlib), the first in {data / 'packed.bin'}" in done.stderr
    done = run_extreg("rewrite", "--to", "names", "--format", "json", str(data))
    assert done.returncode == 0
    assert json.loads(done.stdout)["unknown"] == [{"path": str(data / "packed.bin"), "kind": "zlib", "count": 1}]


def test_a_file_that_does_not_change_is_not_written(run_extreg, data, registry):
    path = data / "p"
    path.write_bytes(by_name(4).replace(b"OrderedDict", b"OrderedPict"))
    before = path.stat()
    assert ok(run_extreg("rewrite", "--to", "codes", str(data))).stdout.startswith("rewrote 0 of 1 file")
    assert (path.stat().st_ino, path.stat().st_mtime_ns) == (before.st_ino, before.st_mtime_ns)


def test_retired_codes_are_expanded_and_unknown_ones_counted(run_extreg, data, registry):
    path = data / "p"
    path.write_bytes(by_code(9120) + by_code(77))
    done = ok(run_extreg("rewrite", "--to", "names", str(data)))
    assert "left as they are: 1 reference: unknown code" in done.stdout
    assert scan(path.read_bytes()).globals == {"shop.legacy:Cart": 1}
    assert scan(path.read_bytes()).codes == {77: 1}


def test_archives_and_databases_are_left_alone_and_named(run_extreg, every_kind, registry):
    before = {path: path.read_bytes() for path in every_kind.iterdir()}
    done = ok(run_extreg("rewrite", "--to", "codes", "--format", "json", str(every_kind)))
    result = json.loads(done.stdout)
    alone = {os.path.basename(item["path"]): item["reason"] for item in result["alone"]}
    assert alone == {
        "arrays.npz": "an archive",
        "array.npy": "an array",
        "cache.sqlite": "a database",
        "model.pt": "an archive",
        "nested.zip": "an archive",
        "shelf": "a database",
    }
    assert {path.name for path, raw in before.items() if path.read_bytes() != raw} == set(PLAIN)
    assert {os.path.basename(item["path"]) for item in result["changed"]} == set(PLAIN)


def test_a_file_with_other_bytes_after_its_pickles_is_left_alone(run_extreg, data, registry):
    """They may be found by their place, as the storages after the pickles of an old torch file are."""
    path = data / "p"
    path.write_bytes(by_name() * 3 + b"\xff" * 10)
    before = path.read_bytes()
    assert "other bytes follow" in ok(run_extreg("rewrite", "--to", "codes", str(data))).stderr
    assert path.read_bytes() == before


def test_a_file_with_two_names_is_left_alone(run_extreg, data, registry):
    (data / "p").write_bytes(bulky())
    os.link(data / "p", data / "q")
    assert "hard links" in ok(run_extreg("rewrite", "--to", "codes", str(data))).stderr
    assert (data / "p").samefile(data / "q")
    assert (data / "p").read_bytes() == bulky()


def test_behind_a_symlink_the_file_is_replaced_and_the_link_stays(run_extreg, data, tmp_path, registry):
    (tmp_path / "target").write_bytes(bulky())
    (data / "link").symlink_to(tmp_path / "target")
    ok(run_extreg("rewrite", "--to", "codes", str(data)))
    assert (data / "link").is_symlink()
    assert scan((tmp_path / "target").read_bytes()).codes == {240: 40}


def test_what_cannot_be_read_is_listed_and_only_fatal_when_named(run_extreg, data, registry):
    (data / "torn").write_bytes(by_name()[:-1])
    (data / "p").write_bytes(bulky())
    (data / "text").write_bytes(b"text")
    done = ok(run_extreg("rewrite", "--to", "codes", str(data)))
    assert done.stderr.startswith(f"unreadable: {data / 'torn'}: no whole pickle")
    assert scan((data / "p").read_bytes()).codes == {240: 40}
    ok(run_extreg("rewrite", "--to", "codes", str(data / "torn")), 2)
    assert "holds no pickle" in ok(run_extreg("rewrite", "--to", "codes", str(data / "text")), 2).stderr


def test_a_file_that_cannot_be_written_is_an_error(run_extreg, data, registry):
    """The temporary file beside it would have too long a name, which holds for root as well."""
    path = data / ("p" * 250)
    path.write_bytes(bulky())
    done = ok(run_extreg("rewrite", "--to", "codes", str(data)), 2)
    assert "cannot be written" in done.stderr
    assert path.read_bytes() == bulky()


def test_it_needs_a_registry(run_extreg, data):
    assert "no registry.toml" in ok(run_extreg("rewrite", "--to", "codes", str(data)), 2).stderr
    ok(run_extreg("rewrite", str(data)), 2)


@pytest.mark.skipif(sys.platform == "win32", reason="kill -9")
def test_a_killed_rewrite_leaves_every_file_old_or_new(data, registry):
    codes = Registry.load(registry)
    old = pickle.dumps(OrderedDict(a=1), 4) * 200
    names = [data / f"{number:03}" for number in range(150)]
    command = [sys.executable, "-m", "extreg", "rewrite", "--registry", str(registry), "--to", "codes", str(data)]
    interrupted = 0
    for after in (0, 1, 7, 30, 80):
        for path in names:
            path.write_bytes(old)
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        while process.poll() is None and names[after].stat().st_size == len(old):
            time.sleep(0.0005)
        process.kill()
        process.wait()
        changed = [raw for path in names if (raw := path.read_bytes()) != old]
        assert {scan(raw).codes[240] for raw in changed} == {200}
        assert {scan(to_names(raw, codes)).pickles for raw in changed} == {200}
        interrupted += len(changed) < len(names)
        # Besides, there is at most the new file before the two change places, or the old one after that.
        beside = [name for name in os.listdir(data) if not name.isdecimal()]
        assert len(beside) <= 1
        assert all(TEMPORARY.fullmatch(name) for name in beside)
    assert interrupted
    ok(subprocess.run(command, capture_output=True, text=True))
    assert all(scan(path.read_bytes()).codes == {240: 200} for path in names)
    assert not [name for name in os.listdir(data) if not name.isdecimal()]


def test_an_archive_that_is_named_is_left_alone_too(run_extreg, data, registry):
    (data / "a.zip").write_bytes(zipped({"a": by_name()}))
    assert "left alone" in ok(run_extreg("rewrite", "--to", "codes", str(data / "a.zip"))).stderr


def test_a_file_that_one_pickler_wrote_is_left_as_it_is_and_why_is_said(run_extreg, data, registry):
    path = data / "p"
    with path.open("wb") as file:
        pickler, first = pickle.Pickler(file, 4), OrderedDict(a=1)
        pickler.dump([first, 1])
        pickler.dump([first, 2])
    before = path.read_bytes()
    for more in ([], ["--independent"]):
        done = ok(run_extreg("rewrite", "--to", "codes", *more, str(path)))
        assert done.stdout.startswith("rewrote 0 of 1 file")
        assert "left as they are: 2 pickles: one Pickler wrote several" in done.stdout
        assert path.read_bytes() == before


def test_what_is_kept_for_other_pickles_goes_where_they_are_said_to_be_independent(run_extreg, data, registry):
    registry.write_text('format = 1\n[codes]\n240 = "collections:OrderedDict"\n241 = "collections:Counter"\n')
    path = data / "p"
    # As pickle writes it where both classes have the very same string for their module, which is for the import system.
    second = b"\x80\x04](\x8c\x0bcollections\x94\x8c\x0bOrderedDict\x94\x93\x94)R\x94"
    second += b"h\x00\x8c\x07Counter\x94\x93\x94}\x85R\x94e."
    path.write_bytes(pickle.dumps(Fraction(1, 2), 4) + second)
    done = ok(run_extreg("rewrite", "--to", "codes", "--check", str(path)), 1)
    assert "(--independent: " in done.stdout
    kept = int(done.stdout.split(" bytes\n")[0].split()[-1])
    ok(run_extreg("rewrite", "--to", "codes", "--independent", str(path)))
    assert path.stat().st_size < kept
    assert scan(path.read_bytes()).codes == {240: 1, 241: 1}
