"""The compiled core against the reference in Python: the same events, results and errors, to the last word.

    python -m tests.pickles.differential 10000000 --seed 1 --jobs 2

walks, scans and counts so many mutated pickles and rows of pickles with both, and exits with 1 at the first difference.
"""

import argparse
import random
import sys
from concurrent.futures import ProcessPoolExecutor
from itertools import product

from extreg.compiled import core
from extreg.errors import MalformedPickleError
from extreg.pickles import scanner, tally
from extreg.pickles.walking.walker import patterned

from .test_walk import mutated, small_pool


def gathered(batches):
    """Return all events as plain tuples, and the error behind them, if any."""
    found = []
    try:
        for batch in batches:
            found += map(tuple, batch)
    except MalformedPickleError as error:
        return found, str(error), error.offset
    return found, None, None


def ordered(call, data):
    """Return what `call` returns with its dictionaries in their order, or the error that it raises."""
    try:
        found = call(data)
    except MalformedPickleError as error:
        return str(error), error.offset
    return [list(field.items()) if isinstance(field, dict) else field for field in found]


def told(data):
    """Return what `tally` returns, but for the error its words."""
    found = tally.tally(data)
    return found._replace(fault=str(found.fault))


def told_by_reference(data):
    whole, tally.core = tally.core, None
    try:
        return told(data)
    finally:
        tally.core = whole


# What can be asked of a walk: `framing`, `first`, `alone` and `decoded`.
WAYS = list(product((False, True), repeat=4))


def difference(data, ways=WAYS):
    """Return in what the core and the reference differ about `data`; None if in nothing."""
    for framing, first, alone, decoded in ways:
        expected = gathered(patterned(data, framing, first, alone, decoded=decoded))
        if (found := gathered(core.walk(data, framing, first, alone, decoded))) != expected:
            return "walk", (framing, first, alone, decoded), found, expected
    for name, one, other in (("scan", core.scan, scanner._fields), ("count", told, told_by_reference)):
        if (found := ordered(one, data)) != (expected := ordered(other, data)):
            return name, (), found, expected
    return None


def row(rng, pool):
    """Return mutated pickles in a row, or one that is, as a whole, mutated."""
    if rng.random() < 0.6:
        return mutated(rng, pool)
    many = rng.choices(pool, k=rng.randrange(1, 3)) * rng.choice((1, 2, 2, 3))
    if rng.random() < 0.7:
        many[rng.randrange(len(many))] = mutated(rng, many)
    return b"".join(many)


def fuzz(seed, count):
    """Return the first of `count` rows about which the two differ, and in what; None if there is none."""
    rng, pool = random.Random(seed), small_pool()
    for _ in range(count):
        data = row(rng, pool)
        found = difference(data, rng.sample(WAYS, 2))
        if found is not None:
            return data, found
    return None


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("count", type=int)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--jobs", type=int, default=1)
    given = parser.parse_args()
    if core is None:
        sys.exit("there is no compiled core")
    part = 10_000
    seeds = [given.seed * 1_000_003 + nth for nth in range(-(-given.count // part))]
    with ProcessPoolExecutor(given.jobs) as pool:
        for nth, found in enumerate(pool.map(fuzz, seeds, [part] * len(seeds)), 1):
            if found is not None:
                print(*found, sep="\n")
                pool.shutdown(cancel_futures=True)
                sys.exit(1)
            print(f"\r{nth * part} without a difference", end="", flush=True)
    print()


if __name__ == "__main__":
    main()
