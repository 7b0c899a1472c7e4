"""Files as a place: every cell once, whatever it is cut into, and on from any cursor."""

import pickle
import shelve
import sqlite3
from collections import OrderedDict
from contextlib import closing

import pytest

from extreg.stores.items import Fault
from extreg.stores.opening import open_store
from extreg.stores.store import PlaceError, ReadOnlyError, StaleCursorError


@pytest.fixture
def folder(tmp_path):
    """Files, databases of several files, and tables with and without numbers of rows."""
    place = tmp_path / "data"
    (place / "a" / "deep").mkdir(parents=True)
    for number in range(12):
        (place / "a" / f"{number:02}.pickle").write_bytes(pickle.dumps(OrderedDict(n=number)))
        (place / "a" / "deep" / f"{number}").write_bytes(pickle.dumps(number))
    (place / "a.b").write_bytes(pickle.dumps("beside a folder, and before what is in it in the order of bytes"))
    with shelve.open(str(place / "z")) as shelf:
        for number in range(5):
            shelf[f"key {number}"] = number
    with closing(sqlite3.connect(place / "cache.db")) as base:
        base.execute("CREATE TABLE numbered (value, other)")
        base.execute("CREATE TABLE keyed (name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID")
        base.execute("CREATE TABLE misleading (rowid, oid, _rowid_, value)")
        for number in range(6):
            data = pickle.dumps(number)
            base.execute("INSERT INTO numbered VALUES (?, ?)", (data, None if number % 2 else "text"))
            base.execute("INSERT INTO keyed VALUES (?, ?)", (f"k{number}", data))
            base.execute("INSERT INTO misleading VALUES (1, 1, 1, ?)", (data,))
        base.execute("DELETE FROM numbered WHERE rowid = 3")
        base.commit()
    return place


def everything(store, part="1/1", cursor=None):
    return [(cell.key, bytes(cell.data), cell.cursor) for cell in store.cells(part, cursor)]


def test_every_cell_is_there_once_by_a_key_of_its_own(folder):
    store = open_store(str(folder))
    cells = everything(store)
    keys = [key for key, *_ in cells]
    assert len(set(keys)) == len(keys)
    assert f"{folder}/a/deep/7" in keys
    assert f"{folder}/cache.db::numbered.value#4" in keys
    assert f"{folder}/cache.db::numbered.value#3" not in keys
    # 24 files and one beside them; 5 values and their keys; what of the tables is bytes or text.
    assert len(cells) == 25 + 10 + (5 + 2) + 12 + 6
    assert store.place == str(folder)
    assert store.size() is None


@pytest.mark.parametrize("count", [1, 2, 3, 7, 40])
def test_the_parts_are_everything_and_nothing_is_in_two(count, folder):
    store = open_store(str(folder))
    parts = store.parts(count)
    assert parts == open_store(str(folder)).parts(count)
    found = [cell for part in parts for cell in everything(store, part)]
    assert sorted(found) == sorted(everything(store))


def test_a_walk_goes_on_behind_any_cursor(folder):
    store = open_store(str(folder))
    cells = everything(store)
    for number, (_, _, cursor) in enumerate(cells, 1):
        assert everything(store, cursor=cursor) == cells[number:]


def test_what_comes_and_goes_meanwhile_moves_nothing_else(folder):
    store = open_store(str(folder))
    cells = everything(store)
    at = next(number for number, (key, *_) in enumerate(cells) if key.endswith("05.pickle"))
    (folder / "a" / "05.pickle").unlink()
    (folder / "a" / "00a").write_bytes(b"new, and before")
    (folder / "a" / "99").write_bytes(b"new, and behind")
    after = everything(store, cursor=cells[at][2])
    assert f"{folder}/a/99" in [key for key, *_ in after]
    assert [cell for cell in after if cell[0] != f"{folder}/a/99"] == cells[at + 1 :]


def test_one_file_is_a_place(folder):
    assert everything(open_store(str(folder / "a.b"))) == [
        (f"{folder}/a.b", (folder / "a.b").read_bytes(), everything(open_store(str(folder / "a.b")))[0][2])
    ]
    assert len(everything(open_store(str(folder / "cache.db")))) == 25


def test_what_cannot_be_read_is_a_fault_and_the_walk_goes_on(folder):
    (folder / "a" / "00.pickle").unlink()
    (folder / "a" / "00.pickle").symlink_to("nowhere")
    (folder / "broken.db").write_bytes(b"SQLite format 3\x00" + bytes(200))
    cells = list(open_store(str(folder)).cells("1/1"))
    faults = [cell for cell in cells if isinstance(cell, Fault)]
    assert [fault.member for fault in faults] == [f"{folder}/a/00.pickle", f"{folder}/broken.db"]
    assert len(cells) == 59 + 2


def test_a_place_that_is_none_is_refused_with_what_it_would_be(tmp_path):
    with pytest.raises(PlaceError, match="No such file"):
        open_store(str(tmp_path / "gone"))
    with pytest.raises(PlaceError, match="nothing here opens nosuch: as a place"):
        open_store("nosuch://host/base")
    store = open_store(str(tmp_path))
    for part in ("", "0/1", "2/1", "a/b", "1", "-1/2"):
        with pytest.raises(PlaceError, match="is no part of a place"):
            list(store.cells(part))
    with pytest.raises(PlaceError):
        store.parts(0)
    with pytest.raises(ReadOnlyError, match="not changed here"):
        store.swap([])


def test_its_errors_survive_a_pickle():
    for kind in (PlaceError, StaleCursorError, ReadOnlyError):
        again = pickle.loads(pickle.dumps(kind("what", "hint")))
        assert (type(again), again.message, again.hint) == (kind, "what", "hint")


def test_what_another_package_opens_is_found_by_its_scheme(tmp_path):
    opened = []
    assert open_store("other://x", {"other": lambda place: opened.append(place) or place}) == "other://x"
    assert opened == ["other://x"]
