"""What `loads` hands out of its own cannot be changed by a pickle, and names are checked as they will be read."""

import datetime
import pickle

import pytest

import extreg
from extreg.errors import ForbiddenGlobalError
from extreg.registry.model import Registry
from extreg.scoped.basics import BASICS

from . import forms


class Bare:
    """Has no attributes, and so could change places with any other such class."""

    __slots__ = ()


REGISTRY = Registry(codes={300: f"{__name__}:Bare", 301: "decimal:Decimal"})
BARE = forms.text(__name__) + forms.text("Bare") + b"\x93"


def reached(module, name):
    return forms.text(module) + forms.text(name) + b"\x93"


STATES = {
    "attributes": b"}" + forms.text("mark") + b"K\x01s",
    "slots": b"N}" + forms.text("mark") + b"K\x01s\x86",
    "class": b"N}" + forms.text("__class__") + BARE + b"s\x86",
    "doc": b"N}" + forms.text("__doc__") + b"K\x01s\x86",
    "code": b"N}" + forms.text("__code__") + b"K\x01s\x86",
    "defaults": b"N}" + forms.text("__kwdefaults__") + b"}s\x86",
    "call": b"N}" + forms.text("__call__") + BARE + b"s\x86",
    "setstate": b"N}" + forms.text("__setstate__") + BARE + b"s\x86",
}


@pytest.mark.parametrize("state", STATES)
@pytest.mark.parametrize("basic", BASICS, ids=":".join)
def test_a_pickle_changes_nothing_of_what_it_is_handed(basic, state):
    before = {
        name: (type(value), getattr(value, "__dict__", None) and dict(vars(value))) for name, value in BASICS.items()
    }
    try:
        found = extreg.loads(b"\x80\x04" + reached(*basic) + STATES[state] + b"b.", REGISTRY)
    except (AttributeError, TypeError):
        pass
    else:
        assert found is BASICS[basic]
    after = {
        name: (type(value), getattr(value, "__dict__", None) and dict(vars(value))) for name, value in BASICS.items()
    }
    assert before == after
    assert extreg.loads(pickle.dumps([b"\xff", Bare], 0), REGISTRY) == [b"\xff", Bare]


@pytest.mark.parametrize("encoding", ["cp037", "cp500", "utf-7", "utf-16", "hz", "unicode_escape", "rot13", "idna"])
@pytest.mark.parametrize("large", [False, True])
def test_names_that_another_encoding_would_read_are_refused(encoding, large):
    """`posix:system` in EBCDIC reads as no name in ASCII, and the other way round."""
    padding = b"0".join([b"N"] * 40_000) + b"0" if large else b""
    data = b"\x80\x02" + padding + b"U\x07decimalU\x07Decimal\x93."
    with pytest.raises(ForbiddenGlobalError):
        extreg.loads(data, REGISTRY, encoding=encoding)


def test_a_name_in_ebcdic_reaches_nothing():
    module, name = ("".join(part).encode("cp037") for part in ("posix", "system"))
    for data in (b"\x80\x02U%c%sU%c%s\x93." % (len(module), module, len(name), name),):
        for encoding in ("cp037", "ASCII", "latin1", "bytes"):
            with pytest.raises((ForbiddenGlobalError, UnicodeDecodeError)):
                extreg.loads(data, REGISTRY, encoding=encoding)


@pytest.mark.parametrize("encoding", ["ASCII", "ascii", "latin1", "utf8", "cp1252"])
def test_the_encodings_that_python_2_needs_go_on_to_work(encoding):
    registry = Registry(codes={300: "datetime:date"})
    data = b"\x80\x02cdatetime\ndate\nU\x04\x07\xd0\x01\x01\x85R."
    if encoding in {"latin1", "cp1252"}:
        assert extreg.loads(data.replace(b"\xd0", b"\x50"), registry, encoding=encoding) == datetime.date(1872, 1, 1)
    by_strings = b"\x80\x02U\x08datetimeU\x04date\x93."
    assert extreg.loads(by_strings, registry, encoding=encoding) is datetime.date
    assert extreg.loads(b"\x80\x02U\x03abc.", registry, encoding="bytes") == b"abc"
