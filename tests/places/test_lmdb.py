"""LMDB as a place."""

import json
import os
import subprocess
import sys

import pytest

from extreg.stores.opening import open_store
from extreg.stores.store import PlaceError, ReadOnlyError

from .conftest import everything, goes_on_behind_any_cursor, parts_add_up, sample

lmdb = pytest.importorskip("lmdb")
pytestmark = [pytest.mark.slow, pytest.mark.once]


@pytest.fixture
def folder(tmp_path):
    with lmdb.open(str(tmp_path / "base"), max_dbs=4, map_size=1 << 26) as base:
        several = base.open_db(b"several", dupsort=True)
        other = base.open_db(b"other")
        with base.begin(write=True) as transaction:
            for number in range(2500):
                transaction.put(b"%05d" % number, sample(number))
            transaction.put(b"as long as a record", bytes(48))
            transaction.put(b"\xff", sample(7))
            for number in range(40):
                for value in range(number % 4 + 1):
                    transaction.put(b"k%02d" % number, b"%d" % value + sample(value), db=several)
                transaction.put(b"o%02d" % number, sample(number), db=other)
    return tmp_path / "base"


def test_every_value_of_every_database_is_a_cell(folder):
    cells = everything(open_store(f"lmdb:{folder}"))
    keys = [key for key, *_ in cells]
    assert len(set(keys)) == len(keys) == 2500 + 1 + 2 + 100 + 40
    assert {"00007", "several/k03#4", "other/o39", "\\xff", "key \\xff", "as long as a record"} <= set(keys)
    assert len(everything(open_store(f"lmdb:{folder}#other"))) == 40
    assert len(everything(open_store(f"lmdb:{folder / 'data.mdb'}"))) == len(cells)
    assert open_store(f"lmdb:{folder}").size() == pytest.approx(len(cells), abs=5)


def test_a_walk_goes_on_behind_any_cursor_and_the_parts_add_up(folder):
    goes_on_behind_any_cursor(f"lmdb:{folder}", every=101)
    goes_on_behind_any_cursor(f"lmdb:{folder}#several")
    parts_add_up(f"lmdb:{folder}")


def test_a_writer_goes_on_meanwhile_and_its_file_does_not_grow_without_end(folder):
    """In a program of its own: LMDB opens an environment once in a process."""
    store = open_store(f"lmdb:{folder}")
    walk = store.cells("1/1")
    seen = [next(walk).key for _ in range(10)]
    program = f"""
import lmdb
with lmdb.open({os.fspath(folder)!r}, max_dbs=4, map_size=1 << 26) as base, base.begin(write=True) as transaction:
    transaction.put(b"00001a", b"x")
    transaction.put(b"99999", b"x")
    transaction.delete(b"02000")
"""
    subprocess.run([sys.executable, "-c", program], check=True)
    seen += [cell.key for cell in walk]
    assert "99999" in seen
    assert "02000" not in seen
    assert len(set(seen)) == len(seen)


def test_what_is_no_database_is_refused(folder, tmp_path):
    for place in (tmp_path / "gone", tmp_path):
        with pytest.raises(PlaceError, match="lmdb:"):
            open_store(f"lmdb:{place}")
    with pytest.raises(PlaceError):
        open_store(f"lmdb:{folder}#nosuch")
    store = open_store(f"lmdb:{folder}")
    with pytest.raises(ReadOnlyError):
        store.swap([])
    assert json.loads(everything(store)[0][2])
