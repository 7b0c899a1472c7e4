"""The check of `loads` sees what genops and a symbolic stack see, in whole pickles and in mutated ones."""

import pickle
import pickletools
import random
import re
from contextlib import contextmanager

import pytest

import extreg
from extreg.errors import ForbiddenGlobalError, MalformedPickleError
from extreg.pickles import to_codes
from extreg.pickles.walking.names import loaded, target
from extreg.pickles.walking.opcodes import steps
from extreg.registry.model import Registry
from extreg.scoped.basics import BASICS
from extreg.scoped.permits import permits_of

from ..pickles import corpus, reference
from ..pickles.test_walk import DUMPED, HANDMADE, MALFORMED, mutated


@contextmanager
def texts_of_any_bytes():
    """Let pickletools read texts that cannot be decoded: that is for the unpickler to say."""
    pickletools.str = lambda *given: str(given[0], given[1], "replace") if given[1:2] == ("utf-8",) else str(*given)
    try:
        yield
    finally:
        del pickletools.str


def expected(data, permitted, codes=()):
    """Return the end of the first pickle, None if there is none, and what it refers to that is not permitted."""
    protocol = data[1] if data[0] == 0x80 and len(data) > 1 else 0
    forbidden = set()
    for kind, offset, _, module, name, number in reference.events(data)[0]:
        if kind == "stop":
            return offset + 1, forbidden
        if kind == "unresolved" or (kind == "code" and number not in codes):
            forbidden.add((offset, number))
        elif kind == "global" and loaded(module, name, protocol) not in permitted:
            forbidden.add((offset, module, name))
    return None, forbidden


def assert_the_check_is_right(data, registry, permitted):
    """Compare with `pickletools.genops` and a symbolic stack; return what came of it."""
    strict, _ = expected(data, permitted, registry.codes)
    with texts_of_any_bytes():
        end, forbidden = expected(data, permitted, registry.codes)
    try:
        checked = permits_of(registry).check(data, fix_imports=True)
    except MalformedPickleError:
        assert strict is None, data
        return "malformed"
    except ForbiddenGlobalError as error:
        offsets = [offset for offender in error.offenders for offset in offender.offsets]
        assert (end is not None, sorted(offsets)) == (True, sorted(found[0] for found in forbidden)), data
        return "refused"
    assert (checked.end, forbidden) == (end, set()), data
    return "passed"


EVERYTHING = {
    loaded(module, name, protocol)
    for data in (*DUMPED.values(), *HANDMADE.values())
    for _, _, _, module, name, _ in reference.events(data)[0]
    for protocol in (2, 3)
    if module
}
LARGE = Registry(
    codes=dict(enumerate(sorted(f"{module}:{name}" for module, name in EVERYTHING if target(module, name)), 70_000))
)
PERMITTED = {tuple(held.split(":")) for held in LARGE.codes.values()} | set(BASICS)


@pytest.mark.parametrize("name", [*DUMPED, *HANDMADE, *MALFORMED])
def test_the_check_sees_what_genops_and_a_symbolic_stack_see(name):
    data = {**DUMPED, **HANDMADE, **MALFORMED}[name]
    if not data:
        return
    found = assert_the_check_is_right(data, LARGE, PERMITTED)
    assert_the_check_is_right(data, Registry(), set(BASICS))
    if name in DUMPED and re.search(" [2345] C$", name):
        assert found == "passed"


# Codes of each width, among them those that share all but their last byte.
WIDE = Registry(codes=dict(zip([240, 241, 300, 301, 556, 70_000, 70_001], LARGE.codes.values(), strict=False)))


def fuzz_known(seed, count):
    """Mutate pickles with codes, and have them checked as large ones are."""
    rng = random.Random(seed)
    permitted = {tuple(held.split(":")) for held in WIDE.codes.values()} | set(BASICS)
    pool = [to_codes(data, WIDE) for data in DUMPED.values() if data[:1] == b"\x80" and len(data) < 3000]
    pool += [b"\x80\x04\x94".join([b"\x80\x04" + body[2:-1] for body in pool[:3]]) + b"."]
    pool += [b"\x80\x04" + b"".join(b"\x82%c0" % code for code in (240, 241, 239, 242)) + b"N."]
    pool += [b"\x80\x04" + b"\x83\x2c\x01\x8c\x02io\x8c\x04open\x93\x84\x70\x11\x01\x00" * 3 + b"."]
    verdicts = {"malformed": 0, "refused": 0, "passed": 0}
    for _ in range(count):
        data = bytes(mutated(rng, pool))
        if data:
            verdicts[assert_the_check_is_right(data, WIDE, permitted)] += 1
    return verdicts


@pytest.mark.parametrize(("seed", "count"), [(1, 2_000), pytest.param(2, 300_000, marks=pytest.mark.soak)])
def test_the_check_of_large_pickles_passes_known_codes_and_no_others(seed, count, monkeypatch):
    monkeypatch.setattr("extreg.scoped.permits.SMALL", 0)
    verdicts = fuzz_known(seed, count)
    assert min(verdicts.values()) > count / 50, verdicts


def fuzz(seed, count):
    rng = random.Random(seed)
    pool = [data for data in (*DUMPED.values(), *HANDMADE.values()) if len(data) < 3000]
    verdicts = {"malformed": 0, "refused": 0, "passed": 0}
    for _ in range(count):
        data = bytes(mutated(rng, pool))
        if data:
            verdicts[assert_the_check_is_right(data, LARGE, PERMITTED)] += 1
    return verdicts


@pytest.mark.slow
def test_the_check_sees_what_genops_and_a_symbolic_stack_see_in_mutated_pickles():
    assert min(fuzz(1, 5_000).values()) > 100


@pytest.mark.soak
def test_the_check_sees_what_genops_and_a_symbolic_stack_see_in_a_million_mutated_pickles():
    print(fuzz(2, 1_000_000))


@pytest.mark.parametrize("protocol", range(2, 6))
def test_a_call_hidden_among_many_records_is_found(protocol):
    records = [corpus.Point(n, n * 70000, "x" * (n % 3)) for n in range(9000)]
    data = pickle.dumps([records, [corpus.Outer.Inner(1)], records[:50] * 2], protocol)
    assert permits_of(LARGE).check(data, fix_imports=True).end == len(data)
    for at in [step.offset for step in steps(data)][1::30_011]:
        with pytest.raises(ForbiddenGlobalError, match=rf"posixpath:splitext.* {at}\b"):
            extreg.loads(data[:at] + b"cposixpath\nsplitext\n0" + data[at:], LARGE)
