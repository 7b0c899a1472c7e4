"""Whatever goes wrong in a rewrite, the proof refuses the result: each fault is put in by force."""

import copyreg
import pickle
import re
import struct
from datetime import date
from fractions import Fraction

import pytest

from extreg.pickles.rewriting import rewriter
from extreg.pickles.rewriting.rewriter import rewrite
from extreg.registry.model import Registry

from .corpus import Colour, Point

pytestmark = pytest.mark.slow

POINT = f"{Point.__module__}:Point"
REGISTRY = Registry(codes={300: POINT, 301: "fractions:Fraction", 302: "datetime:date", 70_000: "decimal:Decimal"})
# Codes as long as those, and meaning something else.
TAIL = list(range(300))

VALUES = {
    "small": (Point(1, b"\x94\x94"), 4),
    "shared": ([Point(1, 2), Point(3, "x"), Fraction(1, 3), ["x", "x"], date(2020, 1, 1)], 4),
    "large": ([Point(1, 2), Fraction(1, 3), *TAIL, "x" * 2000, Point(3, 4), Fraction(2, 3)], 5),
    "framed": ([[Point(i, f"{i}" * 5) for i in range(9000)], Fraction(1, 3)], 4),
    "old": ([Point(1, 2), Fraction(1, 3), Point(3, 4)], 2),
}


def dumped(name):
    value, protocol = VALUES[name]
    return pickle.dumps(value, protocol)


def loads(data):
    for code, target in REGISTRY.codes.items():
        copyreg.add_extension(*target.split(":"), code)
    try:
        return pickle.loads(data)
    finally:
        for code, target in REGISTRY.codes.items():
            copyreg.remove_extension(*target.split(":"), code)


def cut(data, start, width=1):
    return data[:start] + data[start + width :]


def put(data, start, new):
    return data[:start] + new + data[start:]


def other_code(data):
    return data.replace(b"\x83\x2c\x01", b"\x83\x2d\x01", 1)


def wrong_width(data):
    return data.replace(b"\x83\x2c\x01", b"\x82\x2c\x01", 1)


def two_codes_swapped(data):
    return (
        data.replace(b"\x83\x2c\x01", b"\0", 1)
        .replace(b"\x83\x2d\x01", b"\x83\x2c\x01", 1)
        .replace(b"\0", b"\x83\x2d\x01", 1)
    )


def first_code(data):
    return re.search(rb"\x83[\x2c\x2d\x2e]\x01", data).start()


# Each takes the bytes that would be right and spoils them.
FAULTS = {
    "another code": other_code,
    "an opcode of another width": wrong_width,
    "a code is missing": lambda data: cut(data, first_code(data), 3),
    "a code stands twice": lambda data: put(data, first_code(data), data[first_code(data) :][:3]),
    "a name is back in a code's place": lambda data: data.replace(b"\x83\x2c\x01", b"cdatetime\ndate\n", 1),
    "a byte too much is cut": lambda data: cut(data, first_code(data) + 3),
    "a byte too little is cut": lambda data: put(data, first_code(data), b"\x93"),
    "the STOP is missing": lambda data: data[:-1],
    "it goes on behind the STOP": lambda data: data + b".",
    "it stops earlier": lambda data: put(data, first_code(data) + 3, b"."),
    "it is empty": lambda data: b"",
    "a byte of the data is another": lambda data: cut(data, len(data) - 3) + b"." if len(data) > 40 else data[1:],
    "an opcode comes from nowhere": lambda data: put(data, len(data) - 1, b"0N"),
    "it is somebody else's pickle": lambda data: pickle.dumps([1, 2, 3], 4),
    "the original": None,
}


def spoil(monkeypatch, fault, original, spoiled):
    """Have every result of the rewriter spoiled, however it is made."""

    def edited(found, edits):
        made = b"".join(pieces(found, edits))
        spoiled.append(made)
        return fault(made) if fault else original

    def pieces(found, edits):
        done = found.begin
        for start, end, new in edits:
            yield found.data[done:start]
            yield new
            done = end
        yield found.data[done : found.stop + 1]

    shortened = rewriter.shortened

    def planned(*args):
        plan = shortened(*args)
        if plan.whole is not None:
            spoiled.append(plan.whole)
            plan.whole = fault(plan.whole) if fault else original
        return plan

    monkeypatch.setattr(rewriter, "_edited", edited)
    monkeypatch.setattr(rewriter, "shortened", planned)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", VALUES)
def test_wrong_bytes_are_refused(monkeypatch, name, fault):
    data = dumped(name)
    right = rewrite(data, REGISTRY, to="codes")
    assert right.changed == 1
    spoiled = []
    spoil(monkeypatch, FAULTS[fault], data, spoiled)
    wrong = rewrite(data, REGISTRY, to="codes")
    assert spoiled == [right.data]
    assert wrong.refused == {"the result could not be proved": 1}
    assert wrong.data == data
    assert wrong.changed == wrong.references == 0


def planned_wrong(monkeypatch, change):
    """Have `change` do something to every plan before it is followed."""
    shortened = rewriter.shortened

    def planned(*args):
        plan = shortened(*args)
        plan.whole = None
        change(plan)
        return plan

    monkeypatch.setattr(rewriter, "shortened", planned)


def shift_first(by_start, by_end):
    def change(plan):
        start, end, new = plan.edits[0]
        plan.edits[0] = start + by_start, end + by_end, new

    return change


def without_fillers(plan):
    plan.edits = [(start, end, new.replace(b"\x94", b"")) for start, end, new in plan.edits]


def a_filler_more(plan):
    start, end, new = plan.edits[0]
    plan.edits[0] = start, end, new + b"\x94"


def without_strings(plan):
    # A string that is fetched later, and for which the code's own object stands in now.
    plan.edits = [
        (start, end, re.sub(rb"\x8c.*\x940", b"N\x940", new, flags=re.DOTALL)) for start, end, new in plan.edits
    ]


def cut_data(plan):
    plan.edits.append((plan.edits[-1][1] + 2, plan.edits[-1][1] + 4, b""))


def cut_memoize(plan):
    # The MEMOIZE of something that is fetched later.
    plan.memos = [(plan.edits[0][1], plan.edits[0][1] + 1, b"")]


PLANS = {
    "starts one byte too early": shift_first(-1, 0),
    "starts one byte too late": shift_first(1, 0),
    "ends one byte too early": shift_first(0, -1),
    "ends far too late": shift_first(0, 4),
    "leaves no filler for a slot": without_fillers,
    "fills a slot too much": a_filler_more,
    "cuts out data": cut_data,
    "cuts out a MEMOIZE that is needed": cut_memoize,
    "forgets an edit": lambda plan: plan.edits.pop(),
    "says another meaning": lambda plan: plan.meanings.reverse(),
    "does an edit twice": lambda plan: plan.edits.append(plan.edits[-1]),
}


@pytest.mark.parametrize("wrong", PLANS)
def test_a_wrong_plan_is_refused(monkeypatch, wrong):
    # Three classes of one module: its name is fetched, whatever becomes of the first.
    data = pickle.dumps([Point(1, 2), *TAIL, b"x" * 1200, [Point(3, 4)], Fraction(1, 3), Fraction], 4)
    codes = Registry(codes={300: POINT, 301: "fractions:Fraction"})
    assert rewrite(data, codes, to="codes").changed == 1
    planned_wrong(monkeypatch, PLANS[wrong])
    found = rewrite(data, codes, to="codes")
    assert found.refused in ({"the result could not be proved": 1}, {"its frames do not fit": 1}), found.data
    assert found.data == data


def kept_string():
    """A pickle of which a module's name is fetched by a class that has no code."""
    return pickle.dumps([Point(1, 2), Colour.RED, "y" * 1200], 4)


def test_the_name_that_another_class_fetches_has_to_stay(monkeypatch):
    data = kept_string()
    codes = Registry(codes={300: POINT})
    assert loads(rewrite(data, codes, to="codes").data) == pickle.loads(data)
    planned_wrong(monkeypatch, without_strings)
    assert rewrite(data, codes, to="codes").refused == {"the result could not be proved": 1}


@pytest.mark.parametrize("by", [-1, 1, 100, -9])
@pytest.mark.parametrize("name", ["large", "framed"])
def test_a_frame_of_another_length_is_refused(monkeypatch, name, by):
    data = dumped(name)
    right = rewriter.reframed

    def reframed(frames, edits, begin, stop):
        assert frames
        made = right(frames, edits, begin, stop)
        at = next(nth for nth, edit in enumerate(made) if edit[2][:1] == b"\x95")
        start, end, new = made[at]
        length = struct.unpack("<Q", new[1:])[0] + by
        return [*made[:at], (start, end, b"\x95" + struct.pack("<Q", length)), *made[at + 1 :]]

    assert rewrite(data, REGISTRY, to="codes").changed == 1
    monkeypatch.setattr(rewriter, "reframed", reframed)
    assert rewrite(data, REGISTRY, to="codes").refused == {"the result could not be proved": 1}


def test_a_frame_that_is_left_as_it_was_is_refused(monkeypatch):
    data = dumped("framed")
    assert rewrite(data, REGISTRY, to="codes").changed == 1
    monkeypatch.setattr(rewriter, "reframed", lambda frames, edits, begin, stop: edits)
    assert rewrite(data, REGISTRY, to="codes").refused == {"the result could not be proved": 1}


NAMES = {
    "another module": lambda new: new.replace(b"datetime", b"dateline"),
    "another name": lambda new: new.replace(b"\x04date", b"\x04dame"),
    "module and name in the wrong order": lambda new: b"\x8c\x04date\x8c\x08datetime\x93",
    "a name too long for its length": lambda new: new.replace(b"\x04date", b"\x05date"),
    "not UTF-8": lambda new: new.replace(b"\x04date", b"\x04dat\xff"),
    "no STACK_GLOBAL": lambda new: new[:-1],
    "two": lambda new: new + new,
    "a MEMOIZE too much": lambda new: new + b"\x94",
    "a code after all": lambda new: b"\x83\x2e\x01",
    "none": lambda new: b"N",
}


@pytest.mark.parametrize("fault", NAMES)
def test_wrong_names_are_refused(monkeypatch, fault):
    data = rewrite(
        pickle.dumps([date(2020, 1, 1), "x", ["x"] * 3, Point(1, 2), date(2021, 1, 1)], 4), REGISTRY, to="codes"
    )
    assert rewrite(data.data, REGISTRY, to="names").changed == 1
    right = rewriter.expanded

    def expanded(found, registry, *, alone):
        plan = right(found, registry, alone=alone)
        nth = next(nth for nth, edit in enumerate(plan.edits) if b"datetime" in edit[2])
        start, end, new = plan.edits[nth]
        assert NAMES[fault](new) != new
        plan.edits[nth] = start, end, NAMES[fault](new)
        return plan

    monkeypatch.setattr(rewriter, "expanded", expanded)
    wrong = rewrite(data.data, REGISTRY, to="names")
    assert wrong.refused == {"the result could not be proved": 1}
    assert wrong.data == data.data


def test_who_uses_the_memo_is_found_out_where_the_plan_does_not_say(monkeypatch):
    data = kept_string()
    planned_wrong(monkeypatch, lambda plan: setattr(plan, "seen", None))
    assert rewrite(data, REGISTRY, to="codes").changed == 1
