"""`extreg dis`: files and their members, and what is wrong with them."""

import pytest

from .conftest import KINDS, by_code, by_name, ok, zipped

pytestmark = pytest.mark.slow

MEMBERS = {
    "model.pt": "model/data.pkl",
    "arrays.npz": "a.npy",
    "nested.zip": "inner.zip::x.gz",
    "cache.sqlite": 'my "cache.value#1',
    "shelf": "key",
}


@pytest.mark.parametrize("kind", KINDS)
def test_the_pickles_of_every_kind_of_file_are_shown(kind, run_extreg, data, registry):
    KINDS[kind](data / kind, by_name())
    done = ok(run_extreg("dis", str(data / kind)))
    assert "STACK_GLOBAL   collections:OrderedDict [code 240]\n" in done.stdout
    assert (": STOP" in done.stdout) is False
    if kind in MEMBERS:
        assert done.stdout.startswith(f"{MEMBERS[kind]}:\n")
        one = ok(run_extreg("dis", f"{data / kind}::{MEMBERS[kind]}"))
        assert one.stdout.splitlines() == done.stdout.splitlines()[1:-1]


def test_codes_stand_with_their_targets_and_states(run_extreg, data, registry):
    (data / "p").write_bytes(b"".join(map(by_code, (240, 301, 9120, 77))))
    shown = ok(run_extreg("dis", str(data / "p"))).stdout
    for words in (
        "240 collections:OrderedDict [live]",
        "301 collections:Counter [load-only]",
        "9120 shop.legacy:Cart [retired]",
        "77 [unknown]",
    ):
        assert words in shown


def test_a_file_may_have_colons_in_its_name(run_extreg, data):
    (data / "a::b").write_bytes(by_name())
    assert "OrderedDict" in ok(run_extreg("dis", str(data / "a::b"))).stdout


def test_a_member_that_is_not_there_is_an_error_that_names_those_that_are(run_extreg, data):
    (data / "a.zip").write_bytes(zipped({"x": by_name(), "y": b"text"}))
    done = ok(run_extreg("dis", f"{data / 'a.zip'}::z"), 2)
    assert done.stderr.startswith(f"extreg: {data / 'a.zip'} has no pickle 'z'\nhint: it has x")


def test_what_can_be_read_is_shown_before_the_fault(run_extreg, data):
    (data / "torn").write_bytes(by_name()[:-3])
    (data / "text").write_bytes(b"NNN is no pickle\n")
    for name, first in (("torn", "PROTO          4"), ("text", "NONE")):
        done = ok(run_extreg("dis", str(data / name)), 2)
        assert first in done.stdout.splitlines()[0]
        assert "at byte" in done.stderr
    (data / "empty").write_bytes(b"")
    ok(run_extreg("dis", str(data / "empty")), 2)


def test_a_folder_and_a_missing_file_are_errors(run_extreg, data):
    assert "is a folder" in ok(run_extreg("dis", str(data)), 2).stderr
    assert "No such file" in ok(run_extreg("dis", str(data / "none")), 2).stderr
