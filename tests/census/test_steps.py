"""Steps and their sums, wherever reading stops: nothing counts twice, and nothing is missed."""

import json
import mmap
import os
import sys
from datetime import datetime, timezone

import pytest

from extreg.census import opened
from extreg.census.crews import Alone
from extreg.census.journal import as_bytes, census_of
from extreg.census.naming import Naming
from extreg.census.opened import Work
from extreg.census.places import canonical, covers, distinct
from extreg.census.position import Options, Position
from extreg.census.record import begin
from extreg.census.running import Share, cut, take
from extreg.census.steps import steps
from extreg.stores.items import Fault, Passed
from extreg.stores.store import Cell, PlaceError, StaleCursorError

from .conftest import by_code, counted, small

NOW = datetime(2026, 1, 2, tzinfo=timezone.utc)


class Shaky:
    """A place in memory that stops answering after so many cells, each time that it is read."""

    place = "shaky:"

    def __init__(self, lasts=10**9, stale=False):
        self.lasts = lasts
        self.stale = stale
        self.restarts = 0
        self.items = [Cell(f"f{number // 3}::{number}", small(number), str(number)) for number in range(40)]
        self.items[7:7] = [Fault("f2::bad", "broken"), Passed("f2::odd", "of unknown kind")]
        self.items.append(Fault("f99", "broken at the end"))

    def parts(self, count):
        return [f"{number}/{count}" for number in range(1, count + 1)]

    def cells(self, part, cursor=None):
        if cursor is not None and self.stale:
            self.stale = False
            raise StaleCursorError("the server was started anew")
        number, _, count = part.partition("/")
        mine = [item for item in self.items if hash_of(item) % int(count) == int(number) - 1]
        behind = 0
        if cursor is not None:
            behind = next(index for index, item in enumerate(mine, 1) if getattr(item, "cursor", None) == cursor)
        for index, item in enumerate(mine[behind:]):
            if index == self.lasts:
                raise PlaceError("shaky:: gone away")
            yield item

    def size(self):
        return len(self.items)

    def close(self):
        pass


def hash_of(item):
    name = item.key if isinstance(item, Cell) else item.member
    return len(name.partition("::")[0]) + ord(name[1])


def fresh(store, shares=1, share=1, parts=1):
    census = begin(["shaky:"], Options(), NOW, share=share, shares=shares)
    positions, census.cut = cut(store, 0, Share(share, shares), parts)
    census.expect(positions)
    return census


@pytest.fixture
def reading(monkeypatch):
    """Take a census of a store, as files with several cells each, one step for each cell."""

    def read(store, census, journal=None):
        monkeypatch.setattr(opened, "opened", lambda place: store)
        monkeypatch.setattr(opened, "FileStore", Shaky)
        return take(census, Work(["shaky:"], Options(), 0.0), Alone(), journal=journal)

    return read


def whole(reading, parts=1):
    census = fresh(Shaky(), parts=parts)
    assert reading(Shaky(), census) == []
    return counted(census.as_json())


@pytest.mark.parametrize("parts", [1, 3])
@pytest.mark.parametrize("lasts", [3, 4, 7, 20])
def test_wherever_a_place_stops_answering_the_sum_is_the_same(lasts, parts, reading):
    """What is written down after each stop is read again, as another process would."""
    census, stops = fresh(Shaky(), parts=parts), 0
    while census.finished is None:
        failures = reading(Shaky(lasts), census)
        stops += len(failures)
        assert all(failure.message == "shaky:: gone away" for failure in failures)
        census = census_of(as_bytes(census), "c.json")
    assert stops >= 40 // lasts // 3
    assert counted(census.as_json()) == whole(reading)
    assert (census.counts.cells, census.counts.faults, census.counts.opaque) == (43, 2, {"of unknown kind": 1})
    # Of 14 files, each with three cells, one has something in it that was not understood, and pickles as well.
    assert (census.counts.holding, census.counts.without) == (14, 0)


def test_a_cursor_that_means_nothing_any_more_begins_its_part_anew(reading):
    census = fresh(Shaky(), parts=2)
    assert [failure.stale for failure in reading(Shaky(5), census)] == [False, False]
    assert [failure.stale for failure in reading(Shaky(stale=True), census)] == [True]
    assert reading(Shaky(), census) == []
    assert counted(census.as_json()) == whole(reading)


@pytest.mark.parametrize("every", [0.0, 100.0])
def test_each_step_has_the_cursor_of_the_last_cell_that_it_counts(every):
    found = list(steps(Shaky(), Position(0, "1/1"), Options(), naming=Naming("shaky:", True), every=every))
    assert sum(step.counts.cells for step in found) == 43
    assert [step.position.done for step in found] == [False] * (len(found) - 1) + [True]
    assert len(found) > (1 if every == 0 else 0)


def test_what_a_journal_holds_is_read_back_as_it_was(reading):
    census = fresh(Shaky(), parts=3)
    reading(Shaky(4), census)
    again = census_of(as_bytes(census), "c.json")
    assert again.as_json() == census.as_json()
    assert json.loads(as_bytes(census))["left"]


@pytest.mark.skipif(not hasattr(os, "fork") or sys.platform == "win32", reason="a fork")
def test_a_mapped_file_that_kills_its_reader_is_a_fault(tmp_path):
    from extreg.census.examine import examine, look_at

    (tmp_path / "large").write_bytes(small(1) * 5000)
    with open(tmp_path / "large", "rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        assert look_at(data, examine).pickles == 5000
        with pytest.raises(ZeroDivisionError):
            look_at(data, lambda _: 1 // 0)
        assert "was killed" in look_at(data, lambda _: os.kill(os.getpid(), 9)).faults[0].message


def test_places_are_told_apart_without_credentials(tmp_path):
    assert "pass" not in canonical("redis://user:password@host/0?match=a*&password=password")
    assert canonical("redis://user:password@host/0") == canonical("redis://user@host/0")
    assert canonical(str(tmp_path / "a" / ".." / "b")) == str((tmp_path / "b").resolve())
    assert covers("/data", "/data/below")
    assert not covers("/data", "/database")
    assert not covers("redis://h/1", "redis://h/10")


def test_a_place_within_another_is_read_once(tmp_path):
    (tmp_path / "data" / "below").mkdir(parents=True)
    data, below, gone = (str(tmp_path / name) for name in ("data", "data/below", "data/gone"))
    assert distinct([data, below, f"{data}/"]) == [data]
    assert distinct([below, data]) == [data]
    assert distinct([data, gone]) == [data, gone]


def test_by_code_is_what_the_tests_take_it_for():
    assert by_code(300) == b"\x80\x02\x83\x2c\x01."
