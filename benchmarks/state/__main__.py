"""What neighbouring releases do to each other's pickles, and what `extreg lint --against` says of it.

Releases are installed from wheels (once, into --cache), objects of their classes are made and dumped by each, loaded
and used by its neighbours; then lint compares the sources. See README.md beside this file.

    python benchmarks/state                      everything; several minutes, and longer the first time
    python benchmarks/state --only packaging,rich
    python benchmarks/state --no-lint            the loads alone
    python benchmarks/state --json FILE          every load and finding besides
"""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import corpus
import releases
import report
from measure import Measured, measured


def main(argv: Sequence[str] | None = None) -> int:
    """Measure the pairs asked for; return 1 if a finding is refuted too often or too many breaks are missed."""
    parser = argparse.ArgumentParser(prog="python benchmarks/state", description=__doc__.splitlines()[0])
    parser.add_argument("--only", type=lambda text: set(text.split(",")), help="libraries, with commas between")
    parser.add_argument("--cache", type=Path, default=releases.cache_folder(), help="default: %(default)s")
    parser.add_argument("--jobs", type=int, default=2, help="libraries at the same time (default: %(default)s)")
    parser.add_argument("--no-lint", dest="lint", action="store_false", help="load only")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all loads and findings there")
    parser.add_argument("--verbose", action="store_true", help="show each break, refuted finding and miss")
    options = parser.parse_args(argv)
    libraries = corpus.libraries(options.only)
    done: list[Measured] = []
    with ThreadPoolExecutor(options.jobs) as pool:
        for results in pool.map(lambda library: list(_library(library, options.cache, options.lint)), libraries):
            for result in results:
                print(report.line(result), flush=True)
                if options.verbose:
                    print(*report.details(result), sep="\n")
            done += results
    if options.json:
        options.json.write_text(json.dumps(report.as_json(done), indent=1), encoding="utf-8")
    print(report.summary(done))
    return 0 if report.holds(done) else 1


def _library(library: corpus.Library, cache: Path, lint: bool) -> Iterator[Measured]:
    for pair in corpus.pairs(library):
        try:
            yield measured(pair, cache, lint=lint)
        except releases.NotToBeHad as error:
            print(f"{pair}: passed over: {error}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    raise SystemExit(main())
