"""Pickles of all kinds and protocols, made on the spot: what picklers write, and what only a hand writes."""

import collections
import dataclasses
import datetime
import decimal
import enum
import fractions
import itertools
import pathlib
import pickle
import struct
import uuid

import pytest


class Colour(enum.Enum):
    RED = 1
    BLUE = "blue"


class Flags(enum.Flag):
    A = 1
    B = 2


@dataclasses.dataclass
class Point:
    x: int
    y: int
    label: str = "p"


@dataclasses.dataclass(frozen=True)
class Slotted:
    __slots__ = ("a",)
    a: int

    def __reduce__(self):
        return Slotted, (self.a,)


class Outer:
    class Inner:
        def __init__(self, n):
            self.n = n

        def __eq__(self, other):
            return vars(self) == vars(other)

        def __hash__(self):
            return self.n

    def __eq__(self, other):
        return vars(self) == vars(other)

    __hash__ = None


class Ünïcode:
    def __eq__(self, other):
        return vars(self) == vars(other)

    __hash__ = None


class TextList(list):
    pass


Pair = collections.namedtuple("Pair", "left right")


def outer():
    made = Outer()
    made.inner = [Outer.Inner(i) for i in range(3)]
    return made


OBJECTS = {
    "none": None,
    "numbers": [0, 1, 255, 256, -1, 65536, 2**31, 2**63, -(2**200), 2**3000, 1.5, float("inf"), True, False, 3j],
    "texts": ["", "a", "é", "\u20ac" * 30, "x" * 70, "y" * 300, "z" * 70000, "line\nbreak\\", "\ud800"],
    "bytes": [b"", b"a", bytes(range(256)), b"x" * 70, b"y" * 70000, bytearray(b"abc")],
    "containers": {"l": [1, [2, [3]]], "t": (1, (2,), (3, 4), (5, 6, 7, 8)), "s": {1, 2}, "f": frozenset({3}), "d": {}},
    "dates": [
        datetime.datetime(2020, 1, 2, 3, 4, 5, 6, tzinfo=datetime.timezone.utc),
        datetime.date(2020, 1, 1),
        datetime.timedelta(1),
        datetime.time(1),
    ],
    "decimal": [decimal.Decimal("1.50"), fractions.Fraction(1, 3), complex(1, 2)],
    "uuid": [uuid.UUID(int=i) for i in range(3)],
    "enums": [Colour.RED, Colour.BLUE, Flags.A | Flags.B],
    "dataclasses": [Point(i, -i) for i in range(40)],
    "slotted": [Slotted(1), Slotted(2)],
    "nested": outer(),
    "unicode name": [Ünïcode(), Ünïcode()],
    "collections": [
        collections.OrderedDict(a=1),
        collections.Counter("abc"),
        collections.deque([1, 2], 3),
        collections.defaultdict(list, a=[1]),
        Pair(1, 2),
        TextList([1, 2]),
    ],
    "paths": [pathlib.PurePosixPath("/a/b")],
    "ranges": [range(3), slice(1, 2), print, len, int, Outer],
    "names as data": ["datetime", "date", datetime.date(2020, 1, 1), "Outer", "Colour", Colour.RED],
    "shared": [[Point(1, 2)] * 3, ["same"] * 5],
    "many": [Point(i, i, f"label {i}") for i in range(600)],
    "late": [[f"text {i}" for i in range(400)], [Point(1, 2), datetime.date(2020, 1, 1), Outer.Inner(1), Colour.RED]],
    "error": [KeyError("a").args, type(ValueError()), NotImplemented, ...],
}


def dumped():
    """Yield ``(name, pickle)`` for each object and protocol, as C, as Python and without a memo."""
    for (name, value), protocol in itertools.product(OBJECTS.items(), range(6)):
        for label, dump in (("C", pickle.dumps), ("Python", pickle._dumps)):
            if protocol > 2 or name != "unicode name":
                yield f"{name} {protocol} {label}", dump(value, protocol)


def _short(text):
    return b"\x8c" + bytes([len(text)]) + text


def handmade():
    """Yield ``(name, pickle)`` of what no pickler writes but an unpickler reads or refuses."""
    os, system = _short(b"os"), _short(b"system")
    yield "frame between", b"\x80\x04" + os + b"\x95" + struct.pack("<Q", 11) + system + b"\x93."
    yield "get", b"\x80\x04" + os + b"\x94" + system + b"\x94\x93h\x00h\x01\x93\x86."
    yield "text get", b"\x80\x04" + os + b"p0\n" + system + b"p1\n0" + b"g0\ng1\n\x93."
    yield (
        "long get",
        b"\x80\x04" + os + b"r\x00\x01\x00\x00" + system + b"\x94\x930j\x00\x01\x00\x00j\x01\x00\x00\x00\x93.",
    )
    yield (
        "long get of memoized",
        b"\x80\x04" + os + b"\x94" + system + b"\x94\x930j\x00\x00\x00\x00j\x01\x00\x00\x00\x93.",
    )
    yield "alias", b"\x80\x04" + os + b"\x940h\x00\x94" + system + b"\x94\x93h\x01h\x02\x93\x86."
    yield "dup", b"\x80\x04" + os + b"2\x93."
    yield "pop", b"\x80\x04" + os + b"K\x010" + system + b"N0\x93."
    yield "pop below", b"\x80\x04" + os + system + b"N\x85 0\x93.".replace(b" ", b"")
    yield "popped mark", b"\x80\x04" + os + b"(1" + system + b"\x93."
    yield "mark between", b"\x80\x04" + os + b"(" + system + b"\x93."
    yield "put over", b"\x80\x04" + os + b"\x94" + system + b"\x94" + _short(b"re") + b"q\x00h\x00" + system + b"\x93."
    yield "put after mark", b"\x80\x04(q\x00" + os + b"\x94" + system + b"\x94\x930h\x00h\x01\x93."
    yield "get before", b"\x80\x04h\x00" + os + b"\x94" + system + b"\x93."
    yield "get of what only then is memoized", b"\x80\x04h\x00" + system + b"\x94\x93."
    yield "get of nothing", b"\x80\x04h\x05h\x06\x93."
    yield "empty stack", b"\x80\x04\x93."
    yield "no strings", b"\x80\x04NN\x93."
    yield "python 2 strings", b"\x80\x02U\x02osU\x06system\x93."
    yield "python 2 long strings", b"\x80\x02T\x02\x00\x00\x00osT\x06\x00\x00\x00system\x93."
    yield "python 2 latin", b"\x80\x02U\x02\xe9sU\x06system\x93."
    yield "quoted strings", b"S'o\\x73'\nS\"sys\\164em\"\n\x93."
    yield "unknown escape", b"S'\\q\\\\'\n."
    yield "unicode lines", b"Vo\\u0073\nVsystem\n\x93."
    yield "long text", b"\x80\x04X\x02\x00\x00\x00os\x8d\x06\x00\x00\x00\x00\x00\x00\x00system\x93."
    yield "long name", b"\x80\x04" + os + b"\x94" + _short(b"n" * 200) + b"\x94\x93."
    yield "accents", b"\x80\x04" + _short("é".encode()) + b"\x94" + _short("ü".encode()) + b"\x94\x93."
    yield "surrogate", b"\x80\x04" + _short(b"\xed\xa0\x80") + system + b"\x93."
    yield "inst", b"(ios\nsystem\n."
    yield "obj", b"(cos\nsystem\no."
    yield "space", b"c os \nsys tem\n."
    yield "colon", b"\x80\x04cos:a\nb\n0" + _short(b"os") + _short(b"a:b") + b"\x93."
    yield "backslash", b"cos\\x\nsystem\\\n."
    yield "empty names", b"c\n\n."
    yield "codes", b"\x80\x02\x82\x01\x83\x00\x01\x84\x00\x00\x01\x00\x87."
    yield "code 0", b"\x80\x02\x82\x00\x83\x00\x00\x84\x00\x00\x00\x80\x87."
    yield "persistent", b"\x80\x04K\x01QPabc\n\x86."
    yield "buffers", b"\x80\x05\x97\x98\x96\x03\x00\x00\x00\x00\x00\x00\x00abc\x86."
    yield "protocol 0 numbers", b"(I1\nI01\nL5L\nL-6\nF1.5\nI 1_0 \nt."
    yield "long4", b"\x80\x02\x8b\x02\x00\x00\x00\x01\x01."
    yield "two protocols", b"\x80\x04\x80\x02cos\nsystem\n."
    yield "two pickles", b"\x80\x04" + os + b"\x94." + b"\x80\x04h\x00" + system + b"\x93."
    yield "no proto", os + b"\x94" + system + b"\x94\x93h\x00h\x01\x93\x86."
    yield (
        "every name",
        b"\x80\x04]\x94("
        + b"".join(_short(b"m%d" % i) + b"\x94K\x01" for i in range(300))
        + (os + b"\x94" + system + b"\x94\x93\x94h\x02h\x05\x93j\x2d\x01\x00\x00j\x2e\x01\x00\x00\x93e."),
    )
    yield "strings only", b"\x80\x04(" + (os + b"\x94") * 700 + system + b"\x93\x94h\x03" + system + b"\x93l."
    yield "late put", b"\x80\x04(" + (os + b"\x94") * 700 + system + b"q\x03h\x03" + system + b"\x93l."
    yield "runs of one", b"\x80\x04(" + b"N" * 5000 + os + system + b"\x93t."
    yield "codes in a row", b"\x80\x02(" + b"\x82\xf0\x83\x01\x01" * 900 + b"t."


def malformed():
    """Yield ``(name, bytes)`` that must be refused."""
    yield "empty", b""
    yield "no stop", b"\x80\x04N"
    yield "unknown opcode", b"\x80\x04\xff."
    yield "4 GiB", b"\x80\x04X\xff\xff\xff\xffabc."
    yield "8 EiB", b"\x80\x04\x8e\xff\xff\xff\xff\xff\xff\xff\xffabc."
    yield "8 EiB bytearray", b"\x80\x05\x96\xff\xff\xff\xff\xff\xff\xff\x7fabc."
    yield "negative long", b"\x80\x02\x8b\xff\xff\xff\xff."
    yield "negative string", b"\x80\x02T\xff\xff\xff\xff."
    yield "no newline", b"cos\nsystem."
    yield "bad integer", b"I1x\n."
    yield "bad float", b"F1,5\n."
    yield "bad quotes", b"S'abc\n."
    yield "bad escape", b"S'\\x4'\n."
    yield "bad unicode", b"V\\u12\n."
    yield "bad utf-8", b"\x80\x04\x8c\x02\xc3(."
    yield "bad utf-8 in a name", b"\x80\x04\x8c\x02os\x8c\x02\xc3(\x93."
    yield "bad utf-8 in GLOBAL", b"cos\n\xff\n."
    yield "rest", b"\x80\x04N.\x00"
    for code in (
        b"\x82",
        b"\x83\x01",
        b"\x84\x01\x02\x03",
        b"\x95\x01",
        b"\x80",
        b"K",
        b"J\x01",
        b"G",
        b"\x8c",
        b"\x8c\x05ab",
        b"U",
        b"X\x01",
    ):
        yield f"cut short {code!r}", b"\x80\x04N" + code
    yield "cut short far in", b"\x80\x04(" + b"N" * 5000 + b"\x8c\x05ab"


def scientific():
    """Yield ``(name, value)`` of what numpy, pandas and scikit-learn pickle, as far as they are installed."""
    numpy = pytest.importorskip("numpy", reason='pip install ".[test-full]"')
    yield "array", numpy.arange(1000.0)
    yield "arrays", [numpy.arange(n) for n in range(50)] + [numpy.float64(1.5), numpy.dtype("i4,f8")]
    yield "object array", numpy.array([1, "a", None, Point(1, 2)], dtype=object)
    yield "big array", numpy.zeros(100_000)
    pandas = pytest.importorskip("pandas", reason='pip install ".[test-full]"')
    yield (
        "frame",
        pandas.DataFrame({"a": range(100), "b": [f"x{i}" for i in range(100)], "c": pandas.Timestamp("2020-01-01")}),
    )
    pytest.importorskip("sklearn", reason='pip install ".[test-full]"')
    from sklearn.ensemble import RandomForestClassifier
    from sklearn.linear_model import LogisticRegression

    x = numpy.random.RandomState(0).rand(60, 3)
    y = (x[:, 0] > 0.5).astype(int)
    yield "logistic", LogisticRegression().fit(x, y)
    yield "forest", RandomForestClassifier(n_estimators=5, random_state=0).fit(x, y)
