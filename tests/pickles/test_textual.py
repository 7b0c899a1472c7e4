"""Numbers and texts that stand as text in a pickle are read as unpicklers read them, or not at all."""

import io
import pickle
import random
import sys

import pytest

from extreg.errors import MalformedPickleError
from extreg.pickles import scan, walk

PYTHON = pickle._Unpickler
C = pickle.Unpickler
# PyPy's own unpickler crashes on some slots that do not exist.
KINDS = (PYTHON, C) if sys.implementation.name == "cpython" else (PYTHON,)


class Looked(Exception):
    """Raised with what an unpickler looks up."""


def looked_up(kind, data, **options):
    """Return the first ``(module, name)`` that an unpickler of `kind` looks up, or None."""

    class Recorder(kind):
        def find_class(self, module, name):
            raise Looked(module, name)

    try:
        Recorder(io.BytesIO(data), **options).load()
    except Looked as found:
        return found.args
    except Exception:
        return None
    return None


def seen(data):
    """Return what the walk says of the first reference: its names, "unresolved" or "malformed"."""
    try:
        for event in walk(data):
            if event.kind in {"global", "unresolved"}:
                return (event.module, event.name) if event.kind == "global" else "unresolved"
    except MalformedPickleError:
        pass
    return "malformed"


def spelled(rng, slot):
    """Return some text for a number: with zeros, signs, underscores, white space and what is no digit at all."""
    digits = str(slot).rjust(rng.choice((1, 1, 2, 20, 21, 99, 100, 101, 300, 5000)), "0")
    if rng.random() < 0.2 and len(digits) > 1:
        at = rng.randrange(1, len(digits))
        digits = digits[:at] + "_" + digits[at:]
    before = rng.choice([*[""] * 8, "+", " ", "\t+", "\x0b", "-", "0x"])
    after = rng.choice([*[""] * 8, " ", "\r", "L", "\0", "\0x"])
    return (before + digits + after).encode()


def with_slots(rng):
    one, two, three, four = (spelled(rng, rng.choice((1, 1, 2))) for _ in range(4))
    first, second = rng.sample([b"os", b"system", b"decimal", b"Decimal"], 2)
    text = b"V%s\np%s\n0V%s\np%s\n0g%s\ng%s\n\x93." % (first, one, second, two, three, four)
    return rng.choice([b"", b"\x80\x02", b"\x80\x04", b"\x80\x04\x8c\x01x\x940"]) + text


def compare(count):
    rng, named = random.Random(11), 0
    for _ in range(count):
        data = with_slots(rng)
        found = seen(data)
        for kind in KINDS:
            looked = looked_up(kind, data)
            if looked is not None:
                assert found in (looked, "unresolved", "malformed"), data
                named += found == looked
    assert named > count / 20


def test_a_slot_is_what_unpicklers_take_it_for():
    compare(3_000)


@pytest.mark.soak
def test_a_slot_is_what_unpicklers_take_it_for_soak():
    compare(1_000_000)


@pytest.mark.parametrize("zeros", [0, 19, 20, 98, 99, 100, 1_000, 4_000])
@pytest.mark.parametrize("sign", [b"", b"+"])
def test_zeros_in_front_make_no_other_slot(zeros, sign):
    """The second text of a slot is what is fetched, however it is spelt."""
    slot = sign + b"0" * zeros + b"5"
    data = b"\x80\x02Vdecimal\np5\n0VDecimal\np6\n0Vposix\np%s\n0Vsystem\np6\n0g5\ng6\n\x93." % slot
    assert looked_up(PYTHON, data) == looked_up(C, data) == ("posix", "system")
    assert dict(scan(data).globals) == {"posix:system": 1}


def test_a_number_of_a_million_digits_takes_no_time():
    data = b"\x80\x02Vdecimal\np%s\n0VDecimal\np2\n0g%s\ng2\n\x93." % (b"9" * 1_000_000, b"0" + b"9" * 1_000_000)
    assert dict(scan(data).globals) == {"decimal:Decimal": 1}


@pytest.mark.parametrize("argument", [b"I5\0x", b"L5\0L", b"p5\0x", b"g5\0", b"I\xd9\xa5", b"Lx", b"F1_0\0"])
def test_what_only_some_unpickler_reads_is_malformed(argument):
    with pytest.raises(MalformedPickleError):
        list(walk(b"\x80\x02Vx\np5\n0" + argument + b"\n."))
