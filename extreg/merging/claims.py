"""Which rows of a three-way merge need another code: two branches that took the same one, or gave a target two.

Everything here is decided from the registries alone, so two people who merge the same commits get the same file.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import NamedTuple

from extreg.errors import AllocationError, RegistryError
from extreg.merging.sides import OTHER, Contradiction, Renumbering, Side, Upstream, renumber
from extreg.registry.allocation import Allocator
from extreg.registry.difference import Row, rows, same_meaning
from extreg.registry.model import Registry
from extreg.registry.ranges import Range, range_of_code


def followed(base: Registry, mover: Registry, other: Registry, side: Side, upstream: Upstream) -> list[Renumbering]:
    """Return the rows that `mover` has renumbered since `base` and that `other` (at `side`) still has as they were.

    A merge on the other branch renumbered them, and this side has not heard of it yet.
    """
    before, after, theirs = rows(base), rows(mover), rows(other)
    added: dict[str, list[int]] = defaultdict(list)
    for code, row in after.items():
        if code not in before:
            added[row.target].append(code)
    found = []
    for code, row in before.items():
        gone = code not in after or not same_meaning(row, after[code])
        candidates = added.get(row.target, [])
        if not gone or len(candidates) != 1 or upstream.holds(code, row):
            continue
        new = candidates[0]
        if new not in theirs and code in theirs and same_meaning(row, theirs[code]):
            why = f"{OTHER[side]} renumbered it already"
            found.append(Renumbering(side, code, new, theirs[code].target, why))
    return found


class _Claim(NamedTuple):
    """A row that a side has added since the base."""

    side: Side
    code: int
    row: Row


class Claims:
    """The rows that both sides added, and how those that cannot stay are given other codes."""

    def __init__(
        self,
        base: Registry,
        sides: Mapping[Side, Registry],
        upstream: Upstream,
        ranges: Mapping[str, Range],
    ) -> None:
        self.upstream = upstream
        self.ranges = ranges
        self.base = rows(base)
        self.sides = {side: rows(registry) for side, registry in sides.items()}
        self.spent = {*base.spent, *(code for registry in sides.values() for code in registry.spent)}
        self.spent.update(code for known in (*upstream.published, *upstream.pushed) for code in known.spent)
        self.added = [
            _Claim(side, code, row)
            for side, found in self.sides.items()
            for code, row in found.items()
            if code not in self.base
        ]
        self._allocator: Allocator | None = None
        self.homeless: dict[tuple[Side, int], str] = {}
        self.contradictions: dict[int, Contradiction] = {}
        self.renumbered: list[Renumbering] = []

    def settle(self) -> None:
        """Work out ``renumbered`` and ``contradictions``."""
        for code in sorted({claim.code for claim in self.added}):
            self._collision(code)
        by_target: dict[str, list[_Claim]] = defaultdict(list)
        for claim in sorted(self.added, key=lambda claim: (claim.code, claim.side)):
            by_target[claim.row.target].append(claim)
        for claims in by_target.values():
            self._target(claims)
        for claim in self.added:  # what is left without a code: second codes of one target, retired rows
            if (claim.side, claim.code) in self.homeless:
                self._rehouse([claim])

    def _collision(self, code: int) -> None:
        """Decide who keeps a code that both sides added with different meanings."""
        ours, theirs = self.sides["ours"].get(code), self.sides["theirs"].get(code)
        if ours is None or theirs is None or same_meaning(ours, theirs):
            return
        keeper = self.upstream.keeper((code, ours), (code, theirs))
        if keeper is None:
            self.contradictions[code] = Contradiction(
                f"code {code}",
                f"it means {ours.target} in ours and {theirs.target} in theirs, and both are published",
                "no renumbering is safe; find out which pickles exist, and keep the code for those that must load",
            )
            return
        kept = ours if keeper == "ours" else theirs
        self.homeless[OTHER[keeper], code] = f"{code} means {kept.target} in {keeper}, which is upstream"

    def _target(self, claims: list[_Claim]) -> None:
        """Give one target one code, where both sides added it or one of them lost its code."""
        primary = {side: found for side in self.sides if (found := _primary(claims, side)) is not None}
        lost = [claim for claim in primary.values() if (claim.side, claim.code) in self.homeless]
        if len(primary) == 2 and not lost:
            self._one_line(primary["ours"], primary["theirs"])
        elif len(primary) == 2 and len(lost) == 1:
            keeper = primary[OTHER[lost[0].side]]
            self._move(lost[0], keeper.code)
        elif lost:
            self._rehouse(lost)
        elif len(primary) == 1:
            self._arrived(next(iter(primary.values())))

    def _one_line(self, ours: _Claim, theirs: _Claim) -> None:
        """The same target added twice: where the codes differ, the side that is not upstream takes the other's."""
        if ours.code == theirs.code:
            return
        keeper = self.upstream.keeper((ours.code, ours.row), (theirs.code, theirs.row))
        if keeper is not None:  # else both codes are published, and both stay
            kept, moved = (ours, theirs) if keeper == "ours" else (theirs, ours)
            self.homeless[moved.side, moved.code] = f"{keeper}, which is upstream, added it as {kept.code}"
            self._move(moved, kept.code)

    def _arrived(self, claim: _Claim) -> None:
        """A target that one side added while on the other an older code moved to it: the older code has it."""
        if claim.row.state != "live" or self.upstream.holds(claim.code, claim.row):
            return
        if claim.code in self.sides[OTHER[claim.side]]:
            return
        for code, row in self.sides[OTHER[claim.side]].items():
            before = self.base.get(code)
            moved_here = before is not None and before.target != row.target and same_meaning(before, row)
            if row.state == "live" and row.target == claim.row.target and moved_here:
                self.homeless[claim.side, claim.code] = f"code {code} moved to it in {OTHER[claim.side]}"
                self._move(claim, code)
                return

    def _rehouse(self, lost: list[_Claim]) -> None:
        """Give a fresh code to claims for one target that lost theirs."""
        first = lost[0]
        try:
            code = self._fresh(first)
        except (AllocationError, RegistryError) as error:
            for claim in lost:
                self._full(claim, error.message)
            return
        for claim in lost:
            self._move(claim, code)

    def _fresh(self, claim: _Claim) -> int:
        if self._allocator is None:
            self._allocator = Allocator(Registry(ranges=self.ranges).ranges, self.spent)
        where = range_of_code(claim.code, self.ranges)
        return self._allocator.allocate(claim.row.target, range_name=where)

    def _full(self, claim: _Claim, why: str) -> None:
        ours, theirs = (self.sides[side][claim.code].target for side in ("ours", "theirs"))
        self.homeless.pop((claim.side, claim.code))
        self.contradictions[claim.code] = Contradiction(
            f"code {claim.code}",
            f"it means {ours} in ours and {theirs} in theirs, and {claim.row.target} cannot be renumbered: {why}",
            "make room in the range, or give the target a code by hand",
        )

    def _move(self, claim: _Claim, code: int) -> None:
        why = self.homeless.pop((claim.side, claim.code))
        if claim.code != code:
            self.renumbered.append(Renumbering(claim.side, claim.code, code, claim.row.target, why))


def _primary(claims: list[_Claim], side: Side) -> _Claim | None:
    """Return the code under which `side` means the target to be known: the live one, else the lowest load-only one."""
    mine = [claim for claim in claims if claim.side == side and claim.row.state != "retired"]
    return min(mine, key=lambda claim: (claim.row.state != "live", claim.code), default=None)


def apply(registry: Registry, side: Side, renumbered: list[Renumbering]) -> Registry:
    """Return the registry of `side` with its renumberings done."""
    codes = mapping(side, renumbered)
    return renumber(registry, codes) if codes else registry


def mapping(side: Side, renumbered: "list[Renumbering] | tuple[Renumbering, ...]") -> dict[int, int]:
    """Return the renumberings of `side` as a mapping from old code to new."""
    return {found.old: found.new for found in renumbered if found.side == side}
