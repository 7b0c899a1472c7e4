"""What `extreg.loads` and `extreg.dumps` cost, against `pickle.loads` and `pickle.dumps` of the same objects by name.

Run as ``python benchmarks/scoped.py``.  Every case is timed once per round, interleaved; a figure is the median, over
the rounds, of the ratio.
"""

import dataclasses
import datetime
import decimal
import pickle
import time
import uuid
from collections.abc import Callable

import harness

import extreg
from extreg.pickles import scan
from extreg.pickles.walking.names import loaded
from extreg.registry.model import Registry

ROUNDS = 15
SECONDS = 0.02


@dataclasses.dataclass
class Event:
    id: int
    kind: str
    amount: float
    user: str
    live: bool


@dataclasses.dataclass
class Order:
    id: uuid.UUID
    at: datetime.datetime
    total: decimal.Decimal
    lines: list[Event]


REGISTRY = Registry(
    codes={
        240: f"{__name__}:Event",
        300: f"{__name__}:Order",
        301: "uuid:UUID",
        302: "datetime:datetime",
        303: "decimal:Decimal",
    }
)


def event(number: int) -> Event:
    return Event(number, "created", 12.5, f"user{number % 100}@example.com", True)


def order(number: int) -> Order:
    at = datetime.datetime(2024, 1, 2, 3, 4, number % 60)
    return Order(uuid.UUID(int=number), at, decimal.Decimal(number) / 4, [event(number)])


CASES: dict[str, tuple[object, int]] = {
    "a dataclass, protocol 4": (event(7), 4),
    "a dataclass, protocol 2": (event(7), 2),
    "a dataclass in Cyrillic, protocol 4": (Event(7, "создано", 12.5, "пользователь", True), 4),
    "a dataclass in Chinese, protocol 4": (Event(7, "已创建订单", 12.5, "用户名称", True), 4),
    "a moment and a note, protocol 4": ([datetime.datetime(2024, 1, 2), "a note"], 4),
    "an order of five classes, protocol 4": (order(7), 4),
    "10,000 dataclasses, protocol 4": ([event(number) for number in range(10_000)], 4),
    "10,000 dataclasses, protocol 2": ([event(number) for number in range(10_000)], 2),
    "10,000 orders, protocol 4": ([order(number) for number in range(10_000)], 4),
    "20 payloads of 1 MB, protocol 4": ([bytes([n]) * 1_000_000 for n in range(20)], 4),
    "100,000 short texts, protocol 4": ([f"text {n}" for n in range(100_000)], 4),
}


def scientific() -> dict[str, tuple[object, int]]:
    """Return what scientific programs store, as far as their libraries are installed."""
    try:
        import numpy
        import pandas
    except ImportError:
        return {}
    frame = pandas.DataFrame({f"c{n}": numpy.arange(50_000.0) for n in range(10)})
    return {
        "500 small arrays, protocol 4": ([numpy.arange(n * 10.0) for n in range(500)], 4),
        "20 arrays of 1 MB, protocol 4": ([numpy.arange(125_000.0) for n in range(20)], 4),
        "data frame of 4 MB, protocol 4": (frame, 4),
    }


def registry_for(data: bytes) -> Registry:
    """Return a registry that holds all that `data` names."""
    names = {":".join(loaded(*target.split(":"), data[1])) for target in scan(data).globals}
    return Registry(codes={**REGISTRY.codes, **dict(enumerate(sorted(names - {*REGISTRY.codes.values()}), 400))})


def times(work: Callable[[], object]) -> int:
    """Return how often `work` is to be done to take long enough."""
    begin = time.perf_counter()
    work()
    return max(1, int(SECONDS / (time.perf_counter() - begin + 1e-7)))


def repeated(work: Callable[[], object], count: int) -> Callable[[], object]:
    """Return what does `work` `count` times."""

    def run() -> None:
        for _ in range(count):
            work()

    return run


def main() -> None:
    rows = []
    for name, (value, protocol) in {**CASES, **scientific()}.items():
        named = pickle.dumps(value, protocol)
        registry = registry_for(named)
        coded = extreg.dumps(value, registry, protocol)
        for data in (named, coded):
            assert pickle.dumps(extreg.loads(data, registry), protocol) == pickle.dumps(pickle.loads(named), protocol)
        kinds: dict[str, Callable[[], object]] = {
            "pickle.loads": lambda data=named: pickle.loads(data),
            "by name": lambda data=named, registry=registry: extreg.loads(data, registry),
            "coded": lambda data=coded, registry=registry: extreg.loads(data, registry),
            "pickle.dumps": lambda it=value, protocol=protocol: pickle.dumps(it, protocol),
            "dumps": lambda it=value, registry=registry, protocol=protocol: extreg.dumps(it, registry, protocol),
            "smallest": lambda it=value, registry=registry, protocol=protocol: extreg.dumps(
                it, registry, protocol, optimize=True
            ),
            "each by name": lambda data=named, registry=registry: extreg.loads(data, registry, check="each"),
            "each coded": lambda data=coded, registry=registry: extreg.loads(data, registry, check="each"),
        }
        # One count for all of them, so that ratios are of single calls.
        count = min(map(times, kinds.values()))
        timings = harness.functions({kind: repeated(work, count) for kind, work in kinds.items()}, ROUNDS)
        rows.append(
            [
                name,
                len(named),
                f"{len(coded) / len(named):.2f}",
                f"{timings.ratio('by name', 'pickle.loads'):.2f}",
                f"{timings.ratio('coded', 'pickle.loads'):.2f}",
                f"{timings.ratio('each by name', 'pickle.loads'):.2f}",
                f"{timings.ratio('each coded', 'pickle.loads'):.2f}",
                f"{timings.ratio('dumps', 'pickle.dumps'):.2f}",
                f"{timings.ratio('smallest', 'pickle.dumps'):.2f}",
            ]
        )
    print(harness.machine(), end="\n\n")
    heads = ["case", "bytes by name", "size", "loads by name", "loads of codes", "each, by name", "each, of codes"]
    print(harness.table([*heads, "dumps", "smallest"], rows))


if __name__ == "__main__":
    main()
