"""What it costs to lint 10,000 codes, in terms of what tomli needs to parse the file.

Measured interleaved, medians; run it on a Python whose tomli is compiled (its wheels are, for 3.11 and later).

    python benchmarks/lint_speed.py [ROUNDS]
"""

import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import tomli

from extreg import lint
from extreg.linter.check import check
from extreg.linter.context import Context
from extreg.registry.document import Document

CODES = 10_000
LIMIT = 3.0


def text_of(codes: int) -> str:
    rows = (f'{code} = "shop.part{code % 97}.models:Class{code}"\n' for code in range(300, 300 + codes))
    return "format = 1\n\n[codes]\n" + "".join(rows)


def ratios(rounds: int, codes: int = CODES) -> dict[str, float]:
    """Return, for each way to lint, its median time over that of tomli."""
    text = text_of(codes)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "registry.toml"
        path.write_text(text, encoding="utf-8")
        ways: dict[str, Callable[[], object]] = {
            "tomli.loads": lambda: tomli.loads(text),
            "the rules on the text": lambda: check(Context(document=Document.read(text))),
            "extreg.lint(path, sources=False)": lambda: lint(path, sources=False),
        }
        times: dict[str, list[float]] = {name: [] for name in ways}
        for _ in range(rounds):
            for name, way in ways.items():
                start = time.perf_counter()
                found = way()
                times[name].append(time.perf_counter() - start)
                assert name == "tomli.loads" or not found
    medians = {name: statistics.median(found) for name, found in times.items()}
    print(f"{codes} codes, {rounds} rounds, medians: " + ", ".join(f"{n} {s * 1e3:.1f} ms" for n, s in medians.items()))
    return {name: seconds / medians["tomli.loads"] for name, seconds in medians.items()}


def main() -> int:
    rounds = int(sys.argv[1]) if len(sys.argv) > 1 else 50
    compiled = Path(tomli.__file__).suffix != ".py"
    print(f"Python {sys.version.split()[0]}, tomli is {'compiled' if compiled else 'pure Python'}")
    found = ratios(rounds)
    for name, ratio in found.items():
        print(f"{name:34} {ratio:5.2f} times tomli")
    return 1 if max(found.values()) >= LIMIT else 0


if __name__ == "__main__":
    raise SystemExit(main())
