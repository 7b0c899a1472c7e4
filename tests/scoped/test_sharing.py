"""Rows of pickles that share a memo."""

import collections
import copyreg
import datetime
import io
import pickle
import random

import pytest

import extreg
from extreg.errors import ForbiddenGlobalError, MalformedPickleError
from extreg.pickles.walking.machine import interpret
from extreg.registry.model import Registry
from extreg.scoped import Pickler, Unpickler, private

from ..pickles import reference
from ..pickles.test_walk import DUMPED

REGISTRY = Registry(codes={7: "datetime:date", 300: "collections:OrderedDict", 70_000: "datetime:timedelta"})
SHARED = ["one text", datetime.date(2020, 1, 2)]
VALUES = [SHARED, [SHARED, datetime.timedelta(1)], collections.OrderedDict(a=SHARED), SHARED]


def row(write, protocol, values=VALUES):
    file = io.BytesIO()
    pickler = write(file, protocol)
    for value in values:
        pickler.dump(value)
    file.seek(0)
    return file


def ours(file, protocol):
    return Pickler(file, REGISTRY, protocol, share_memo=True)


@pytest.mark.parametrize("protocol", range(6))
@pytest.mark.parametrize("check", ["before", "each"])
@pytest.mark.parametrize("write", [ours, pickle.Pickler], ids=["ours", "pickle's"])
def test_what_is_shared_is_the_same_object(write, check, protocol):
    file = row(write, protocol)
    for source in (file, io.BytesIO(file.getvalue()), Streamed(file.getvalue())):
        unpickler = Unpickler(source, REGISTRY, check=check, share_memo=True)
        loaded = [unpickler.load() for _ in VALUES]
        assert loaded == VALUES
        assert loaded[3] is loaded[2]["a"] is loaded[1][0] is loaded[0]
        with pytest.raises(EOFError):
            unpickler.load()
    if protocol < 4:
        return
    alone = Unpickler(row(pickle.Pickler, protocol), REGISTRY, check=check)
    alone.load()
    with pytest.raises(pickle.UnpicklingError):  # it fetches what is in the memo of the first
        alone.load()


class Streamed:
    """A file that cannot be wound back."""

    def __init__(self, data):
        file = io.BytesIO(data)
        self.read, self.readline = file.read, file.readline


@pytest.mark.skipif(private.bare() is None, reason="this Python gives no private instance")
def test_a_row_has_codes_and_is_smaller():
    data = row(ours, 4).getvalue()
    assert b"\x82\x07" in data
    assert len(data) < len(row(pickle.Pickler, 4).getvalue())
    assert len(data) < len(row(lambda file, protocol: Pickler(file, REGISTRY, protocol), 4).getvalue())


@pytest.mark.skipif(private.bare() is not None, reason="where there is a private instance, none is seen")
def test_codes_of_this_process_are_those_of_the_registry_or_an_error():
    copyreg.add_extension("datetime", "date", 7)
    unpickler = Unpickler(row(ours, 4), REGISTRY, share_memo=True)
    assert [unpickler.load() for _ in VALUES] == VALUES
    copyreg.remove_extension("datetime", "date", 7)
    copyreg.add_extension("datetime", "date", 8)
    with pytest.raises(pickle.PicklingError, match="8"):
        row(ours, 4)


@pytest.mark.parametrize("check", ["before", "each"])
def test_a_name_that_an_earlier_pickle_left_is_checked(check):
    first = b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94\x8c\x08datetime\x94\x8c\x04date\x94\x87."
    for second, permitted in (
        (b"\x80\x04h\x02h\x03\x93.", True),
        (b"\x80\x04h\x00h\x01\x93.", False),
        (b"\x80\x04h\x00\x8c\x06system\x93.", False),
        (b"\x80\x04h\x02h\x01\x93.", False),
        (b"\x80\x04h\x07h\x03\x93.", False),
    ):
        unpickler = Unpickler(io.BytesIO(first + second + second), REGISTRY, check=check, share_memo=True)
        assert unpickler.load() == ("system", "datetime", "date")
        if permitted:
            assert unpickler.load() is unpickler.load() is datetime.date
            continue
        with pytest.raises((ForbiddenGlobalError, pickle.UnpicklingError)):
            unpickler.load()
        with pytest.raises(pickle.UnpicklingError, match="earlier"):
            unpickler.load()


def test_nothing_runs_before_a_refusal():
    made = []
    globals()["noted"] = lambda: made.append(1)
    registry = Registry(codes={7: f"{__name__}:noted"})
    data = b"\x80\x04\x8c\x02os\x94\x8c\x06system\x94\x86."
    data += f"\x80\x04c{__name__}\nnoted\n)R0h\x00h\x01\x93.".encode("latin1")
    unpickler = Unpickler(io.BytesIO(data), registry, share_memo=True)
    unpickler.load()
    with pytest.raises(ForbiddenGlobalError, match="os:system"):
        unpickler.load()
    assert made == []
    del globals()["noted"]


def test_names_of_another_meaning_are_no_part_of_a_row():
    unpickler = Unpickler(io.BytesIO(b"\x80\x04N.\x80\x02N."), REGISTRY, share_memo=True)
    assert unpickler.load() is None
    with pytest.raises(pickle.UnpicklingError, match="one protocol"):
        unpickler.load()


def test_a_failed_dump_ends_the_row():
    file = io.BytesIO()
    pickler = Pickler(file, REGISTRY, share_memo=True)
    pickler.dump(SHARED)
    with pytest.raises(Exception, match=r"local object|pickle"):
        pickler.dump([["new"], lambda: 0])
    with pytest.raises(pickle.PicklingError, match="begin anew"):
        pickler.dump(SHARED)
    with pytest.raises(ValueError, match="memo"):
        pickler.clear_memo()
    assert extreg.loads(file.getvalue(), REGISTRY) == SHARED
    with pytest.raises(ValueError, match="optimize"):
        Pickler(file, REGISTRY, optimize=True, share_memo=True)
    with pytest.raises(ValueError, match="check"):
        Unpickler(file, REGISTRY, check="never", share_memo=True)


def test_a_pickler_of_single_ones_can_be_told_to_forget():
    file = io.BytesIO()
    pickler = Pickler(file, REGISTRY)
    pickler.clear_memo()
    pickler.dump(SHARED)
    assert extreg.loads(file.getvalue(), REGISTRY) == SHARED


@pytest.mark.parametrize(("seed", "rows"), [(1, 300), pytest.param(2, 20_000, marks=pytest.mark.soak)])
def test_the_machine_with_a_memo_sees_what_a_symbolic_stack_sees_in_the_whole_row(seed, rows):
    """Pickles of a row are read with one memo as the reference reads them as one pickle, their STOPs being POPs."""
    rng = random.Random(seed)
    pool = [data for name, data in DUMPED.items() if data[:1] == b"\x80" and data[1] >= 4 and len(data) < 2000]
    compared = 0
    for _ in range(rows):
        parts = [rng.choice(pool) for _ in range(3)]
        parts[1:] = [fetching(rng, part) for part in parts[1:]]
        memo, seen = {}, []
        try:
            for part in parts:
                seen.append([event[2:6] for event in interpret(part, memo=memo) if event.kind in SEEN])
        except MalformedPickleError:
            continue
        whole = b"".join(part[:-1] + b"0" for part in parts) + b"N."
        expected, fault = reference.events(whole)
        if fault is None:
            compared += 1
            assert [event for part in seen for event in part] == [event[2:6] for event in expected if event[0] in SEEN]
    assert compared > rows / 4


SEEN = {"global", "code", "unresolved"}


def fetching(rng, data):
    """Return `data` with a name fetched from the memo somewhere at its end."""
    slots = bytes([rng.randrange(12)]), bytes([rng.randrange(12)])
    return data[:-1] + b"0h%sh%s\x93." % slots
