import pickle
import random
from functools import cache

import pytest

from extreg.errors import MalformedPickleError
from extreg.pickles.walking import patterns, walker
from extreg.pickles.walking.walker import walk

from . import corpus, reference

pytestmark = pytest.mark.slow

DUMPED = dict(corpus.dumped())
HANDMADE = dict(corpus.handmade())
MALFORMED = dict(corpus.malformed())


def walked(data, framing=True):
    found = []
    try:
        for event in walk(data, framing=framing):
            found.append(tuple(event)[:6])
    except MalformedPickleError as error:
        return found, error.offset
    return found, None


def assert_agrees(data):
    """The walk says what the reference says, or where a name is fetched behind another pickle, that nobody knows it."""
    expected, error = reference.events(data)
    doubted = reference.doubted(data)
    for framing in (True, False):
        plain = [event for event in expected if framing or event[0] not in {"proto", "frame"}]
        found, fault = walked(data, framing)
        assert fault == error, data
        assert len(found) == len(plain), data
        for event, wanted in zip(found, plain, strict=True):
            unknown = ("unresolved", *wanted[1:3], None, None, None)
            assert event == wanted or (event == unknown and event[1] in doubted), data


@pytest.mark.parametrize("name", [*DUMPED, *HANDMADE, *MALFORMED])
def test_the_walk_agrees_with_genops_and_a_symbolic_stack(name):
    assert_agrees({**DUMPED, **HANDMADE, **MALFORMED}[name])


@pytest.mark.parametrize("rounds", [1, 2, 7])
def test_it_makes_no_difference_where_a_run_had_its_fill(rounds, monkeypatch):
    shorter_runs(rounds, monkeypatch)
    for data in [*DUMPED.values(), *HANDMADE.values(), *MALFORMED.values()]:
        if len(data) < 2_000:
            assert_agrees(data)


def shorter_runs(rounds, monkeypatch):
    """Let a run pass `rounds` opcodes, or, of one-byte ones, rows of them."""
    for name in ("run", "operands", "memoized"):
        monkeypatch.setattr(patterns, name, cache(getattr(patterns, name).__wrapped__))
    monkeypatch.setattr(patterns, "_ROUNDS", rounds)


def mutated(rng, pool):
    """Return a pickle, or two, with a few bytes changed, gone, added, repeated or exchanged for opcodes."""
    data = bytearray(rng.choice(pool))
    if rng.random() < 0.1:
        data += rng.choice(pool)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 8))):
        at = rng.randrange(len(data) + 1)
        how = rng.randrange(7)
        if how == 0:
            data[at : at + 1] = bytes([rng.randrange(256)])
        elif how == 1:
            data[at : at + 1] = rng.choice(INSERTS)
        elif how == 2:
            del data[at : at + rng.randrange(1, 5)]
        elif how == 3:
            data[at:at] = rng.choice(INSERTS)
        elif how == 4:
            data[at:at] = data[at - rng.randrange(20) : at]
        elif how == 5:
            source = rng.choice(pool)
            start = rng.randrange(len(source))
            data[at:at] = source[start : start + rng.randrange(30)]
        else:
            del data[at:]
        if not data:
            break
    return bytes(data)


INSERTS = [bytes([byte]) for byte in b"(012.NR\x93\x93\x94\x94\x85\x86tlu}])bo\x81\x97\x98Q"] + [
    *(
        b"\x8c\x02os",
        b"\x8c\x06system\x94",
        b"h\x00",
        b"h\x01",
        b"h\x02",
        b"j\x01\x00\x00\x00",
        b"g0\n",
        b"g 1\n",
        b"q\x00",
    ),
    *(
        b"r\x01\x00\x00\x00",
        b"p0\n",
        b"p-1\n",
        b"\x95\x05\x00\x00\x00\x00\x00\x00\x00",
        b"\x80\x04",
        b"\x80\x02",
        b"U\x02os",
    ),
    *(
        b"X\x02\x00\x00\x00os",
        b"Vos\n",
        b"S'os'\n",
        b"cos\nsystem\n",
        b"ios\nsystem\n",
        b"\x82\xf0",
        b"\x83\x00\x00",
        b"I1\n",
    ),
    *(
        b"L1L\n",
        b"F1\n",
        b"Pa\n",
        b"\xff",
        b"\x8c\x02\xc3\xa9",
        b"\x8c\x01\xc3",
        b"\x84\xff\xff\xff\xff",
        b"C\x01a",
        b"\x8a\x01\x01",
    ),
]


def small_pool():
    pool = [data for data in [*DUMPED.values(), *HANDMADE.values(), *MALFORMED.values()] if 0 < len(data) < 400]
    assert len(pool) > 200
    return pool


def fuzz(seed, count):
    rng, pool = random.Random(seed), small_pool()
    verdicts = {"sound": 0, "malformed": 0}
    for _ in range(count):
        data = mutated(rng, pool)
        assert_agrees(data)
        verdicts["malformed" if walked(data)[1] is not None else "sound"] += 1
    return verdicts


@pytest.mark.parametrize(("seed", "rounds", "head"), [(1, 256, 2048), (3, 3, 2048), (4, 256, 0), (5, 2, 20)])
def test_mutated_pickles_are_walked_as_genops_walks_them(seed, rounds, head, monkeypatch):
    shorter_runs(rounds, monkeypatch)
    monkeypatch.setattr(walker, "_HEAD", head)
    verdicts = fuzz(seed, 5_000)
    assert min(verdicts.values()) > 500


@pytest.mark.soak
@pytest.mark.parametrize(("seed", "head"), [(2, 2048), (6, 0)])
def test_half_a_million_mutated_pickles_are_walked_as_genops_walks_them(seed, head, monkeypatch):
    # All of them are small, so that names would be looked ahead for in all.
    monkeypatch.setattr(walker, "_HEAD", head)
    print(fuzz(seed, 500_000))


def test_scientific_pickles_are_walked_as_genops_walks_them():
    for _, value in corpus.scientific():
        for protocol in (2, 3, 4, 5):
            assert_agrees(pickle.dumps(value, protocol))
