import copy
import pickle
import pickletools

import pytest

from extreg.errors import MalformedPickleError
from extreg.pickles import scan, to_codes, to_names
from extreg.pickles.walking.opcodes import TABLE, TO_MARK
from extreg.registry.model import Registry

hypothesis = pytest.importorskip("hypothesis", reason="pip install hypothesis")
given = hypothesis.given
settings = hypothesis.settings
st = pytest.importorskip("hypothesis.strategies", reason="pip install hypothesis")

LAYOUTS = {
    pickletools.UP_TO_NEWLINE: "\n",
    pickletools.TAKEN_FROM_ARGUMENT1: "<1",
    pickletools.TAKEN_FROM_ARGUMENT4: "<4",
    pickletools.TAKEN_FROM_ARGUMENT4U: "<4",
    pickletools.TAKEN_FROM_ARGUMENT8U: "<8",
}


def test_the_table_says_what_pickletools_says():
    assert len(TABLE) == len(pickletools.opcodes)
    for theirs in pickletools.opcodes:
        ours = TABLE[ord(theirs.code)]
        assert ours.name == theirs.name
        size = theirs.arg.n if theirs.arg else 0
        layout = "\n\n" if theirs.name in {"GLOBAL", "INST"} else LAYOUTS.get(size, str(size))
        assert ours.argument == layout, ours
        marked = any(item.name == "mark" for item in theirs.stack_before)
        assert (ours.takes == TO_MARK) == marked, ours
        if not marked and theirs.name not in {"DUP", "MARK"}:
            change = len(theirs.stack_after) - len(theirs.stack_before)
            assert ours.gives - ours.takes == change, ours


def test_the_error_survives_a_pickle_round_trip():
    error = MalformedPickleError("what", 7)
    for made in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert (type(made), made.offset, str(made)) == (MalformedPickleError, 7, "what (at byte 7)")


@given(st.binary(max_size=200))
@settings(max_examples=500, deadline=None)
def test_any_bytes_are_scanned_or_refused(data):
    for work in (scan, lambda data: to_codes(data, Registry()), lambda data: to_names(data, Registry())):
        try:
            work(data)
        except MalformedPickleError as error:
            if not 0 <= error.offset <= len(data):
                raise


NAMES = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\n"), max_size=120)


@given(NAMES, NAMES, st.integers(0, 2))
@settings(max_examples=300, deadline=None)
def test_any_name_is_reported_once_and_in_one_place(module, name, form):
    def text(word):
        raw = word.encode()
        return b"X" + len(raw).to_bytes(4, "little") + raw if form or len(raw) > 255 else b"\x8c%c%s" % (len(raw), raw)

    named = text(module) + b"\x94" + text(name) + b"\x94\x93"
    if form == 2:
        named = b"c%s\n%s\n" % (module.encode(), name.encode())
    found = scan(b"\x80\x04" + named + b".")
    if ":" in module + name:
        assert (found.globals, found.odd) == ({}, {(module, name): 1})
    else:
        assert (found.globals, found.odd) == ({f"{module}:{name}": 1}, {})
