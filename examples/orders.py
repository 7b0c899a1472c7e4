"""Store orders in a log of small pickles, one per order, and read them back.

Run it from anywhere: ``python examples/orders.py``.  `extreg.install()` finds the registry.toml nearest to this file.
"""

import pickle
import tempfile
from decimal import Decimal
from pathlib import Path

import extreg

extreg.install()  # at the top level of the main script: processes started by multiprocessing run it too

from shop.models import Line, Order, Status  # noqa: E402 - install comes first in a program that forks or spawns
from shop.money import Money  # noqa: E402


def main() -> None:
    """Write three orders, read them again, and say how large each record was."""
    orders = [
        Order(7, [Line("tea", 2, Money(Decimal("4.50"), "EUR"))]),
        Order(8, [Line("mug", 1, Money(Decimal("12.00"), "EUR"))], Status.PAID),
        Order(9),
    ]
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "orders.pickles"
        with log.open("wb") as file:
            for order in orders:
                pickle.dump(order, file)
        with log.open("rb") as file:
            found = [pickle.load(file) for _ in orders]
        assert found == orders
        print(f"{len(found)} orders in {log.stat().st_size} bytes")
        for order in found:
            print(order)


if __name__ == "__main__":
    main()
