"""How fast pickles are walked and rewritten, against picklescan and `pickletools.optimize`.

Run as ``python benchmarks/pickles.py``; needs picklescan, and numpy for the scientific arrays.  Every figure is the
median of ratios, each of two timings that follow each other in the same round, so that what else the machine does
falls on both.
"""

import datetime
import decimal
import io
import pickle
import pickletools
import statistics
import time
import uuid
from collections.abc import Callable

from extreg.pickles import scan, to_codes
from extreg.pickles.names import loaded
from extreg.registry.model import Registry

ROUNDS = 15
SECONDS = 0.02


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
    import sys

    sys.modules.setdefault("shop", sys.modules[__name__])
    sys.modules["shop.models"] = sys.modules[__name__]
    return pickle.dumps(value, protocol)


def corpora() -> dict[str, list[bytes]]:
    """Return pickles by kind."""
    small = [Event(7), datetime.datetime(2020, 1, 1), uuid.UUID(int=7), Order(7), [decimal.Decimal("1.5"), "text", 5]]
    events = [Event(number) for number in range(10_000)]
    found = {
        "small, protocol 4": [dumped(value, 4) for value in small],
        "small, protocol 2": [dumped(value, 2) for value in small],
        "stream of 1000 small": [b"".join(dumped(Event(number), 4) for number in range(1_000))],
        "10,000 instances": [dumped(events, 4)],
        "10,000 instances, protocol 2": [dumped(events, 2)],
        "large payloads": [dumped([b"x" * 1_000_000 for _ in range(20)], 4)],
    }
    try:
        import numpy
    except ImportError:
        return found
    found["arrays"] = [dumped({f"a{n}": numpy.arange(n * 10.0) for n in range(500)}, 4)]
    return found


def seconds(work: Callable[[], object]) -> float:
    """Return how long `work` takes, repeated until it can be measured."""
    count, begin = 0, time.perf_counter()
    while True:
        work()
        count += 1
        passed = time.perf_counter() - begin
        if passed > SECONDS:
            return passed / count


def ratio(ours: Callable[[], object], theirs: Callable[[], object]) -> float:
    """Return how many times faster `ours` is."""
    ours(), theirs()
    return statistics.median(seconds(theirs) / seconds(ours) for _ in range(ROUNDS))


def registry_for(data: bytes) -> Registry:
    """Return two-byte codes for all that `data` names."""
    names = {":".join(loaded(*target.split(":"), data[1])) for target in scan(data).globals}
    return Registry(codes=dict(enumerate(sorted(names), 300)))


def main() -> None:
    """Print one line for each kind of pickle."""
    from picklescan.scanner import _list_globals

    print(f"{'':30} {'bytes':>10} {'scan':>8} {'to_codes':>9} {'size':>6}")
    for kind, pickles in corpora().items():
        codes = [registry_for(data) for data in pickles]
        scanned = ratio(
            lambda pickles=pickles: [scan(data) for data in pickles],
            lambda pickles=pickles: [_list_globals(io.BytesIO(data)) for data in pickles],
        )
        coded = ratio(
            lambda pickles=pickles, codes=codes: [to_codes(*pair) for pair in zip(pickles, codes, strict=True)],
            lambda pickles=pickles: [pickletools.optimize(data) for data in pickles],
        )
        size = statistics.median(
            len(to_codes(data, code)) / len(data) for data, code in zip(pickles, codes, strict=True)
        )
        # optimize() stops at the first pickle of a stream, so that there is nothing to compare.
        shown = "" if kind.startswith("stream") else f"x{coded:.2f}"
        print(f"{kind:30} {sum(map(len, pickles)):10} {f'x{scanned:.2f}':>8} {shown:>9} {size:6.3f}")


if __name__ == "__main__":
    main()
