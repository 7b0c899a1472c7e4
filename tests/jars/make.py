"""Make the jar of this project's own examples: ``python tests/jars/make.py`` on the oldest Python, from an empty jar.

It dumps what the example programs store, by code and by name, under several protocols; `extreg jar add` does the rest.
"""

import pickle
import subprocess
import sys
import tempfile
from decimal import Decimal
from pathlib import Path

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "examples"))

from palette.colors import Color, unpack  # noqa: E402
from palette.users import STORED, UserRecord  # noqa: E402
from shop.models import Line, Order, Status  # noqa: E402
from shop.money import Money  # noqa: E402

import extreg  # noqa: E402

PRICE = Money(Decimal("12.50"), "EUR")
ORDER = Order(4711, [Line("A-1", 2, PRICE), Line("B-2", 1, PRICE)], Status.PAID)


def pickles() -> "dict[str, bytes]":
    """Return pickles by the names of the files they are added from."""
    made = {f"user-version-{version}": data for version, data in STORED.items()}
    made |= {f"order-by-name-{protocol}": pickle.dumps(ORDER, protocol) for protocol in (0, 2, 4)}
    with extreg.install(ROOT / "registry.toml"):
        made |= {f"order-{protocol}": pickle.dumps(ORDER, protocol) for protocol in (2, 4, 5)}
        made["orders"] = pickle.dumps({4711: ORDER, 4712: Order(4712)}, 4)
        made["user-version-3"] = pickle.dumps(UserRecord("Barbara", "Liskov", "b@example.org", Color(255, 0, 0)), 4)
        made["color-and-its-constructor"] = pickle.dumps([Color(1, 2, 3), unpack], 4)
    return made


def main() -> int:
    """Add the pickles to the jar."""
    with tempfile.TemporaryDirectory() as place:
        for name, data in pickles().items():
            Path(place, name).write_bytes(data)
        files = sorted(map(str, Path(place).iterdir()))
        return subprocess.run(
            [sys.executable, "-m", "extreg", "jar", "add", "--no-redact", *files], cwd=ROOT
        ).returncode


if __name__ == "__main__":
    raise SystemExit(main())
