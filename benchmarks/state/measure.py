"""One pair, measured: loads forward and back, and what lint says of both directions."""

import functools
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import linting
import releases
import truth
from corpus import Pair
from verdict import Verdict, judged


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """A pair: loads of old data by the new release (forward) and of new data by the old one (back)."""

    pair: Pair
    forward: Sequence[truth.Load]
    back: Sequence[truth.Load]
    said: Verdict | None = None
    """Lint with ``--against`` held against the loads forward."""
    rolling: Verdict | None = None
    """What ``--rolling`` adds, held against the loads back."""


def measured(pair: Pair, cache: Path, *, lint: bool) -> Measured:
    """Load in both directions, and with `lint` judge what lint says."""
    forward = truth.loads(pair, pair.old, pair.new, cache)
    back = truth.loads(pair, pair.new, pair.old, cache)
    if not lint:
        return Measured(pair=pair, forward=forward, back=back)
    old, new = (releases.installed(pair.library, release, cache) for release in (pair.old, pair.new))
    needs = releases.needed(pair.library, cache)
    packages = pair.library.packages
    targets = {target for load in (*forward, *back) for target in load.targets}
    said, rolling = linting.found(old, new, packages, needs, targets)
    to_new = functools.partial(truth.lacking, pair, pair.old, pair.new, cache)
    to_old = functools.partial(truth.lacking, pair, pair.new, pair.old, cache)
    return Measured(
        pair=pair,
        forward=forward,
        back=back,
        said=judged(said, forward, to_new),
        rolling=judged(rolling, back, to_old),
    )
