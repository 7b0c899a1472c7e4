"""How fast pickles are walked and rewritten, against picklescan and `pickletools.optimize`.

python benchmarks/pickles.py [--rounds 15] [--only WORD]; needs picklescan, and for scientific arrays numpy, pandas
and scikit-learn.
"""

import argparse
import datetime
import decimal
import io
import pickle
import pickletools
import statistics
import sys
import uuid
from collections import deque
from collections.abc import Callable, Iterator

import harness
from picklescan.scanner import _list_globals

from extreg.pickles import scan, to_codes, to_names
from extreg.pickles.walking.names import loaded
from extreg.registry.model import Registry


class Event:
    def __init__(self, number: int) -> None:
        self.id = number
        self.kind = "created"
        self.amount = 12.5
        self.user = "bob@example.com"
        self.live = True


class Order:
    def __init__(self, number: int) -> None:
        self.id = uuid.UUID(int=number)
        self.at = datetime.datetime(2024, 1, 2, 3, 4, 5)
        self.total = decimal.Decimal("12.50")
        self.lines = [Event(number)]


# Small messages come from a package, not from a script.
Event.__module__ = Order.__module__ = "shop.models"


def dumped(value: object, protocol: int) -> bytes:
    """Pickle by name what cannot be imported by that name here."""
    sys.modules.setdefault("shop", sys.modules[__name__])
    sys.modules["shop.models"] = sys.modules[__name__]
    return pickle.dumps(value, protocol)


def messages() -> dict[str, list[object]]:
    """Return messages by size: of about 50 bytes, 100 and 270."""
    named = {"kind": "created", "id": 7, "at": datetime.datetime(2020, 1, 1), "by": "bob@example.com"}
    priced = ["invoice", 4711, decimal.Decimal("12.50"), "EUR", datetime.date(2020, 1, 1), True]
    return {
        "tiny messages": [datetime.datetime(2020, 1, 1), uuid.UUID(int=7), [decimal.Decimal("1.5"), "text", 5]],
        "small messages": [Event(7), named, priced],
        "orders": [Order(7)],
    }


def scientific() -> Iterator[tuple[str, object]]:
    """Yield what scientific programs store, as far as their libraries are installed."""
    try:
        import numpy
        import pandas
        from sklearn.ensemble import RandomForestClassifier
    except ImportError:
        return
    yield "500 small arrays", {f"a{n}": numpy.arange(n * 10.0) for n in range(500)}
    yield "20 arrays of 1 MB", [numpy.arange(125_000.0) + n for n in range(20)]
    columns = {f"c{n}": numpy.arange(5_000.0) for n in range(10)}
    labels = [f"row {n}" for n in range(5_000)]
    yield "data frame", pandas.DataFrame({**columns, "when": pandas.Timestamp("2024-01-01"), "label": labels})
    x = numpy.random.RandomState(0).rand(300, 8)
    yield "random forest", RandomForestClassifier(n_estimators=50, random_state=0).fit(x, (x[:, 0] > 0.5).astype(int))


def corpora() -> Iterator[tuple[str, list[bytes]]]:
    """Yield pickles by kind."""
    events = [Event(number) for number in range(10_000)]
    for kind, values in messages().items():
        for protocol in (4, 2):
            yield f"{kind}, protocol {protocol}", [dumped(value, protocol) for value in values]
    yield "stream of 1,000 small ones", [b"".join(dumped(Event(number), 4) for number in range(1_000))]
    for protocol in (4, 2):
        yield f"10,000 instances, protocol {protocol}", [dumped(events, protocol)]
    yield "10,000 orders, protocol 4", [dumped([Order(number) for number in range(10_000)], 4)]
    for kind, value in scientific():
        yield kind, [dumped(value, 4)]
    yield "20 payloads of 1 MB", [dumped([b"x" * 1_000_000 for _ in range(20)], 4)]


def texts() -> Iterator[tuple[str, bytes]]:
    """Yield lists of 20,000 texts or payloads, by kind."""
    makers: dict[str, Callable[[int], object]] = {
        "Latin with accents": lambda n: f"é{n} où ça",
        "Cyrillic": lambda n: f"создано {n}",
        "Chinese": lambda n: f"已创建订单 {n}",
        "emoji": lambda n: "😀" * 5 + str(n),
        "100 ASCII bytes": lambda n: f"{n:0100}",
        "300 ASCII bytes": lambda n: f"{n:0300}",
        "payloads of 100 bytes": lambda n: b"%0100d" % n,
    }
    for kind, make in makers.items():
        yield kind, dumped([make(number) for number in range(20_000)], 4)


def print_texts(rounds: int) -> None:
    """Print how many times faster `scan` is than a bare loop over pickletools.genops."""
    rows = []
    for kind, data in texts():
        cases = {"scan": lambda data=data: scan(data), "genops": lambda data=data: deque(pickletools.genops(data), 0)}
        rows.append([kind, f"{len(data):,}", f"{harness.repeated(cases, rounds).ratio('genops', 'scan'):.2f}"])
    print()
    print(harness.table(["20,000 texts", "bytes", "genops / scan"], rows))


def registry_for(data: bytes) -> Registry:
    """Return two-byte codes for all that `data` names."""
    names = {":".join(loaded(*target.split(":"), data[1])) for target in scan(data).globals}
    return Registry(codes=dict(enumerate(sorted(names), 300)))


def measured(data: bytes, rounds: int) -> tuple[float, float, float, float]:
    """Return how many times faster than the peers `scan`, `to_codes` and `to_names` are, and what size is left."""
    codes = registry_for(data)
    coded = to_codes(data, codes)
    cases = {
        "scan": lambda: scan(data),
        "picklescan": lambda: _list_globals(io.BytesIO(data)),
        "to_codes": lambda: to_codes(data, codes),
        "to_names": lambda: to_names(coded, codes),
    }
    # optimize() stops at the first pickle of a stream, so that there it has nothing to compare.
    row = scan(data).pickles > 1
    if not row:
        cases["optimize"] = lambda: pickletools.optimize(data)
    timings = harness.repeated(cases, rounds)
    ratios = [0.0, 0.0] if row else [timings.ratio("optimize", case) for case in ("to_codes", "to_names")]
    return timings.ratio("picklescan", "scan"), ratios[0], ratios[1], len(coded) / len(data)


def main() -> None:
    """Print one table; where a kind has several pickles, the median of theirs."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--only", default="", help="only the kinds with this in their name")
    options = parser.parse_args()
    today = datetime.datetime.now(datetime.timezone.utc).date()
    print(f"{today}, {harness.machine()}; {options.rounds} interleaved rounds, medians of ratios\n")
    rows = []
    for kind, pickles in corpora():
        if options.only in kind:
            found = zip(*(measured(data, options.rounds) for data in pickles), strict=True)
            scanned, coded, named, size = map(statistics.median, found)
            ratios = [f"{ratio:.2f}" if ratio else "" for ratio in (scanned, coded, named)]
            rows.append([kind, f"{sum(map(len, pickles)):,}", *ratios, f"{size:.3f}"])
    head = ["pickles", "bytes", "scan / picklescan", "to_codes / optimize", "to_names / optimize", "size"]
    print(harness.table(head, rows))
    if not options.only or "texts" in options.only:
        print_texts(options.rounds)


if __name__ == "__main__":
    main()
