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
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from pathlib import Path

import corpus
import releases
import report
from measure import Measured, measured


def main(argv: Sequence[str] | None = None) -> int:
    """Measure the pairs asked for; return 1 if a finding is refuted too often or too many breaks are missed."""
    parser = argparse.ArgumentParser(prog="python benchmarks/state", description=__doc__.splitlines()[0])
    parser.add_argument("--only", type=lambda text: set(text.split(",")), help="libraries, with commas between")
    parser.add_argument(
        "--pairs", type=lambda text: set(text.split(",")), help="pairs: LIBRARY OLD, with commas between"
    )
    parser.add_argument(
        "--cache", type=Path, default=releases.cache_folder(), help="where releases are kept (default: %(default)s)"
    )
    parser.add_argument("--jobs", type=int, default=2, help="libraries at the same time (default: %(default)s)")
    parser.add_argument("--no-lint", dest="lint", action="store_false", help="load only")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write all loads and findings there")
    parser.add_argument("--verbose", action="store_true", help="show each break, refuted finding and miss")
    options = parser.parse_args(argv)
    named = options.pairs or set()
    libraries = corpus.libraries(options.only or {name.partition(" ")[0] for name in named})
    pairs = [list(corpus.pairs(library, named)) for library in libraries]
    if named and sum(map(len, pairs)) != len(named):
        parser.error(f"not in the list: one of {', '.join(sorted(named))}")
    done: list[Measured] = []
    with ThreadPoolExecutor(options.jobs) as pool:
        tasks = [pool.submit(_measured, each, options.cache, lint=options.lint) for each in pairs]
        for task in as_completed(tasks):
            results = task.result()
            for result in results:
                print(report.line(result), flush=True)
                if options.verbose:
                    print(*report.details(result), sep="\n")
            done += results
    if options.json:
        options.json.write_text(json.dumps(report.as_json(done), indent=1), encoding="utf-8")
    print(report.summary(done))
    return 0 if report.holds(done) else 1


def _measured(pairs: Sequence[corpus.Pair], cache: Path, *, lint: bool) -> list[Measured]:
    """Measure the pairs of one library, one after the other: they share releases."""
    done = []
    for pair in pairs:
        try:
            done.append(measured(pair, cache, lint=lint))
        except releases.UnavailableError as error:
            print(f"{pair}: passed over: {error}", file=sys.stderr, flush=True)
    return done


if __name__ == "__main__":
    raise SystemExit(main())
