"""Rows that one Pickler writes, and rows that only look so: no rewrite changes what they load as."""

import collections
import datetime
import decimal
import fractions
import io
import itertools
import pickle
import random
import time
import uuid
from contextlib import suppress

import pytest

from extreg.errors import MalformedPickleError
from extreg.pickles import disassemble, price, scan, walk
from extreg.pickles.rewriting.rewriter import rewrite
from extreg.pickles.tally import tally
from extreg.pickles.walking.carried import fetching, is_carried
from extreg.pickles.walking.doubt import is_apart
from extreg.pickles.walking.machine import slot
from extreg.pickles.walking.opcodes import steps
from extreg.registry.model import Registry

from .test_rewrite import installed

TARGETS = [
    "collections:Counter",
    "collections:OrderedDict",
    "collections:deque",
    "datetime:date",
    "datetime:datetime",
    "datetime:timedelta",
    "decimal:Decimal",
    "fractions:Fraction",
    "uuid:UUID",
]
EXISTING = {*TARGETS, "_codecs:encode", "uuid:SafeUUID", "builtins:set", "copyreg:_reconstructor", "builtins:object"}


def leaf(rng):
    return rng.choice(
        [
            lambda: datetime.date(2020, 1, rng.randrange(1, 28)),
            lambda: datetime.datetime(2020, 1, 1, rng.randrange(24)),
            lambda: datetime.timedelta(rng.randrange(9)),
            lambda: decimal.Decimal(rng.randrange(99)),
            lambda: fractions.Fraction(rng.randrange(9), 7),
            lambda: uuid.UUID(int=rng.randrange(5)),
            lambda: rng.choice(["date", "datetime", "Decimal", "on", "number"]),
            lambda: rng.randrange(1000),
            lambda: b"raw",
            lambda: rng.choice([datetime.date, decimal.Decimal, collections.Counter]),
        ]
    )()


def value(rng, shared, depth=0):
    """Return an ordinary object, some of whose parts are in `shared`, and put others there."""
    if shared and rng.random() < 0.3:
        return rng.choice(shared)
    if depth > 2 or rng.random() < 0.3:
        made = leaf(rng)
    else:
        parts = [value(rng, shared, depth + 1) for _ in range(rng.randrange(4))]
        made = rng.choice(
            [
                lambda: parts,
                lambda: tuple(parts),
                lambda: dict(zip(["on", "number", "date"], parts, strict=False)),
                lambda: collections.OrderedDict(enumerate(parts)),
                lambda: collections.deque(parts),
                lambda: collections.Counter(map(repr, parts)),
            ]
        )()
    if rng.random() < 0.5:
        shared.append(made)
    return made


def by_one_pickler(rng, protocol):
    """Return a row of a few pickles that one Pickler dumped, and what it dumped."""
    file, shared = io.BytesIO(), []
    pickler = rng.choice([pickle.Pickler, pickle._Pickler])(file, protocol)
    values = [value(rng, shared) for _ in range(rng.randrange(2, 6))]
    for each in values:
        pickler.dump(each)
    return file.getvalue(), values


def on_their_own(rng, protocol):
    """Return a row of a few pickles, each dumped by a Pickler of its own, and what was dumped."""
    shared = []
    values = [value(rng, shared) for _ in range(rng.randrange(2, 6))]
    return b"".join(pickle.dumps(each, protocol) for each in values), values


def one_by_one(data):
    file = io.BytesIO(data)
    while file.tell() < len(data):
        yield pickle.load(file)


def all_by_one(data):
    unpickler = pickle.Unpickler(io.BytesIO(data))
    while True:
        try:
            yield unpickler.load()
        except EOFError:
            return


def outcome(load, data):
    """Return what loading comes to: the objects, or None for those that do not load in this way."""
    try:
        return list(load(data))
    except Exception:
        return None


def check(seed, count, write):
    """Rewrite rows both ways; they have to load as what was dumped, as the Pickler that wrote them demands.

    Return how many were changed and refused.
    """
    rng, counts = random.Random(seed), collections.Counter()
    codes = Registry(codes=dict(zip(range(rng.choice([240, 300]), 400), TARGETS, strict=False)))
    for _ in range(count):
        protocol = rng.choice([2, 3, 4, 4, 5])
        for to in ("codes", "names"):
            with installed(codes.codes if to == "names" else {}):
                data, values = write(rng, protocol)
                load = all_by_one if write is by_one_pickler else one_by_one
                assert repr(outcome(load, data)) == repr(values)
            result = rewrite(data, codes, to=to)
            with installed(codes.codes):
                assert repr(outcome(load, result.data)) == repr(values), (to, load, data)
            counts[to, "changed" if result.changed else "refused" if result.refused else "left"] += 1
    return counts


WRITERS = {"one pickler": by_one_pickler, "on their own": on_their_own}


@pytest.mark.parametrize("writer", WRITERS)
def test_every_row_loads_as_before_or_is_refused(writer):
    counts = check(3, 150, WRITERS[writer])
    assert counts["codes", "changed"] > 10
    assert counts["names", "changed"] > 10


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("writer", WRITERS)
def test_every_row_loads_as_before_or_is_refused_soak(writer, seed):
    print(writer, seed, dict(check(seed, 2_000, WRITERS[writer])))


def by_groups(groups):
    def load(data):
        file = io.BytesIO(data)
        for size in groups:
            unpickler = pickle.Unpickler(file)
            yield from (unpickler.load() for _ in range(size))

    return load


def check_mixed(seed, count):
    rng, counts = random.Random(seed), collections.Counter()
    codes = Registry(codes=dict(zip(range(300, 400), TARGETS, strict=False)))
    for _ in range(count):
        file, groups, expected = io.BytesIO(), [], []
        protocol, shared = rng.choice([4, 5]), []
        for _ in range(rng.randrange(1, 4)):
            pickler, size = pickle.Pickler(file, protocol), rng.randrange(1, 4)
            for _ in range(size):
                expected.append(value(rng, shared))
                pickler.dump(expected[-1])
            groups.append(size)
        result = rewrite(file.getvalue(), codes, to="codes")
        with installed(codes.codes):
            assert repr(outcome(by_groups(groups), result.data)) == repr(expected), file.getvalue()
        counts["changed" if result.changed else "refused" if result.refused else "left"] += 1
    return counts


def test_rows_of_several_picklers_load_as_before_or_are_refused():
    assert check_mixed(5, 200)["changed"] > 5


@pytest.mark.soak
def test_rows_of_several_picklers_load_as_before_or_are_refused_soak():
    print(dict(check_mixed(6, 10_000)))


def test_who_says_that_they_are_independent_gets_all_that_can_be_had():
    """Load as before one by one, which is how they were said to be."""
    rng = random.Random(7)
    codes = Registry(codes=dict(zip(range(300, 400), TARGETS, strict=False)))
    smaller = 0
    for _ in range(150):
        data, _ = on_their_own(rng, 4)
        said, unsaid = (rewrite(data, codes, to="codes", independent=said) for said in (True, False))
        with installed(codes.codes):
            assert repr(outcome(one_by_one, said.data)) == repr(outcome(one_by_one, data))
        assert len(said.data) <= len(unsaid.data)
        smaller += len(said.data) < len(unsaid.data)
    assert smaller > 5


def reused(*values, protocol=4):
    file = io.BytesIO()
    pickler = pickle.Pickler(file, protocol)
    for each in values:
        pickler.dump(each)
    return file.getvalue()


@pytest.mark.parametrize("protocol", [2, 3, 4, 5])
@pytest.mark.parametrize("independent", [False, True])
def test_a_row_that_shares_its_memo_is_refused_as_a_whole(protocol, independent):
    day = datetime.date(2020, 1, 1)
    data = reused({"on": day, "n": 1}, {"on": day, "n": 2}, protocol=protocol)
    assert is_carried(data)
    codes = Registry(codes={300: "datetime:date"})
    result = rewrite(data, codes, to="codes", independent=independent)
    assert (result.data, result.changed) == (data, 0)
    assert list(result.refused.values()) == [2]
    assert "one Pickler" in next(iter(result.refused))


@pytest.mark.parametrize("protocol", [4, 5])
def test_no_name_is_made_up(protocol):
    """A second class of a module fetches its name, from a pickle before if one Pickler wrote them."""
    rng = random.Random(9)
    counts = collections.Counter()
    for nth in range(600):
        file = io.BytesIO()
        pickler = pickle.Pickler(file, protocol)
        for _ in range(rng.randrange(2, 6)):
            pickler.dump([leaf(rng) for _ in range(rng.randrange(1, 5))])
        data = file.getvalue() if nth % 2 else by_one_pickler(rng, protocol)[0]
        found = scan(data)
        assert set(found.globals) <= EXISTING, data
        assert {f"{module}:{name}" for module, name in tally(data).globals} == set(found.globals)
        assert {item.target for item in price([data]).proposals} <= EXISTING
        kind = "carried" if is_carried(data) else "apart" if is_apart(data) else "doubtful"
        counts[kind] += 1
        counts[kind, "unresolved"] += len(found.unresolved)
        assert {event.target for event in walk(data) if event.kind == "global"} == set(found.globals)
        named = {
            word for line in disassemble(data) if "STACK_GLOBAL" in line for word in line.split() if ":" in word[1:]
        }
        assert {word for word in named if not word.endswith(":")} <= EXISTING
    assert counts["carried"] > 100
    assert counts["carried", "unresolved"] > 20
    assert counts["doubtful"] > 20
    assert not counts["apart"]


def test_a_name_that_two_readers_would_read_differently_is_unresolved():
    """To one Unpickler it is collections:Counter, what would be deque:Counter by itself."""
    # By CPython 3.11's pickle.Pickler, protocol 4; whether the string "collections" is fetched depends on the version.
    first = b"\x80\x04}\x94."
    second = b"\x80\x04\x8c\x0bcollections\x94\x8c\x05deque\x94\x93\x94)R\x94"
    data = first + second + b"h\x01\x8c\x07Counter\x94\x93\x94}\x94\x85\x94R\x94a."
    assert not is_carried(data)
    assert list(all_by_one(data)) == [{}, collections.deque([collections.Counter()])]
    found = scan(data)
    assert (dict(found.globals), len(found.unresolved)) == ({"collections:deque": 1}, 1)
    assert any(line.endswith("[unresolved]") for line in disassemble(data))
    codes = Registry(codes={300: "deque:Counter", 301: "collections:Counter"})
    assert rewrite(data, codes, to="codes").data == data


def test_a_name_that_only_one_reader_could_read_is_named():
    """A memo that went on would have numbers where the pickle fetches a module."""
    two = [datetime.date(2020, 1, 1), datetime.timedelta(1)]
    data = pickle.dumps([b"a", [b"b"]], 4) + pickle.dumps(two, 4)
    assert not is_apart(data)
    assert scan(data).globals == scan(pickle.dumps(two, 4)).globals


def test_of_pickles_on_their_own_few_names_are_unresolved():
    rng, counts = random.Random(12), collections.Counter()
    for _ in range(300):
        values = [value(rng, []) for _ in range(rng.randrange(2, 9))]
        each = [scan(pickle.dumps(one, 4)) for one in values]
        found = scan(b"".join(pickle.dumps(one, 4) for one in values))
        named = sum((collections.Counter(one.globals) for one in each), collections.Counter())
        assert not collections.Counter(found.globals) - named
        counts["named"] += named.total()
        counts["unresolved"] += len(found.unresolved)
    assert counts["unresolved"] * 100 < counts["named"]


def test_pickles_on_their_own_are_scanned_as_ever():
    data = b"".join(pickle.dumps([datetime.date(2020, 1, 1), datetime.timedelta(1)], 4) for _ in range(3))
    assert not is_carried(data)
    assert dict(scan(data).globals) == {"datetime:date": 3, "datetime:timedelta": 3}
    assert scan(data).unresolved == ()


def test_what_differs_by_more_than_the_memo_is_on_its_own():
    """The same class named in full again, or another protocol, is proof, and the whole saving is had."""
    pickles = [pickle.dumps([datetime.date(2020, 1, day)], 4) for day in range(1, 20)]
    codes = Registry(codes={300: "datetime:date"})
    whole = rewrite(b"".join(pickles), codes, to="codes")
    assert whole.data == b"".join(rewrite(data, codes, to="codes").data for data in pickles)
    pair = pickle.dumps([datetime.date(2020, 1, 1)], 4), pickle.dumps([decimal.Decimal(1)], 5)
    codes = Registry(codes={300: "datetime:date", 301: "decimal:Decimal"})
    alone = [rewrite(data, codes, to="codes").data for data in pair]
    assert rewrite(b"".join(pair), codes, to="codes").data == b"".join(alone)


def test_slots_stay_where_nobody_can_tell():
    """Two pickles that may share a memo: the second fetches a slot that both of them have."""
    rng, kept = random.Random(1), 0
    codes = Registry(codes=dict(zip(range(300, 400), TARGETS, strict=False)))
    for first, second in itertools.product([[decimal.Decimal(1)], ["a", uuid.UUID(int=1)]], repeat=2):
        data = reused([first, leaf(rng)], [second, "x", "y"], protocol=4)
        result = rewrite(data, codes, to="codes")
        with installed(codes.codes):
            assert repr(outcome(all_by_one, result.data)) == repr(outcome(all_by_one, data))
        kept += result.changed
    assert kept


def readable(data):
    """Return the pickles that can be read, as their opcodes."""
    found = []
    with suppress(MalformedPickleError):
        while not found or found[-1][-1].end < len(data):
            found.append(list(steps(data, found[-1][-1].end if found else 0)))
    return found


def plainly_fetching(data, pickles):
    """What `fetching` says, found out opcode by opcode."""
    found = set()
    for opcodes in pickles:
        filled = set()
        for each in opcodes:
            name = each.opcode.name
            if name == "MEMOIZE":
                filled.add(len(filled))
            elif "PUT" in name:
                filled.add(slot(data, each))
            elif "GET" in name:
                found.add(opcodes[0].offset)
                if slot(data, each) not in filled:
                    return None
    return found


INSERTED = [
    b"h\x00",
    b"h\x05",
    b"q\x01",
    b"r\x07\0\0\0",
    b"\x94",
    b".",
    b"g0\n",
    b"g 1_0\n",
    b"p1\n",
    b"j\x01\0\0\0",
    b"\x80\x04",
]


def test_what_is_fetched_is_found_out_as_it_is_opcode_by_opcode():
    rng, seen = random.Random(10), collections.Counter()
    for _ in range(1_500):
        data = bytearray(rng.choice(list(WRITERS.values()))(rng, rng.choice([2, 3, 4, 5]))[0])
        for _ in range(rng.choice([0, 0, 1, 3])):
            at = rng.randrange(len(data))
            data[at : at + rng.randrange(2)] = rng.choice(INSERTED)
        pickles = readable(bytes(data))
        whole = bytes(data[: pickles[-1][-1].end]) if pickles else b""
        expected = plainly_fetching(whole, pickles)
        for some in (whole, whole + b"\x80\x04h", whole + b"h\x05"):
            assert fetching(some) == expected, some
            assert is_carried(some) == (expected is None)
        seen["carried" if expected is None else "some" if expected else "none"] += 1
    assert min(seen["carried"], seen["some"]) > 200, seen


@pytest.mark.slow  # a ratio of times, which only a quiet machine tells
@pytest.mark.parametrize("work", [scan, lambda data: rewrite(data, Registry(codes={300: "datetime:date"}), to="codes")])
@pytest.mark.parametrize(
    "unit",
    [
        pickle.dumps(datetime.date(2020, 1, 1), 4),
        pickle.dumps([datetime.date(2020, 1, 1), datetime.timedelta(1)], 4),
        pickle.dumps(["a"] * 3, 4),
        b"\x80\x04\x8c\x01a\x8c\x01b\x93.",
        b"\x80\x04h\x00.",
        pickle.dumps([datetime.date(2020, 1, 1)] * 2, 2),
    ],
    ids=["no GET", "operands", "strings", "no memo", "carried", "protocol 2"],
)
def test_rows_take_time_that_is_linear(work, unit):
    head = pickle.dumps(["x", "y", "x"], 4)

    def seconds(count):
        best = 9.0
        for _ in range(3):
            begin = time.process_time()
            work(head + unit * count)
            best = min(best, time.process_time() - begin)
        return best

    assert seconds(8_000) < 12 * seconds(2_000) + 0.05
