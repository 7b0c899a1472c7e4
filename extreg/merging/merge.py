"""The three-way merge of registries by what they mean.

What must hold of every merge: no target that a side has is lost, no code means two things, and a code that upstream
already had keeps its meaning.  What no rule decides is a `Contradiction`, never a guess.
"""

from collections import defaultdict
from dataclasses import dataclass
from typing import NamedTuple

from extreg.errors import RegistryError
from extreg.merging.claims import Claims, apply, followed, mapping
from extreg.merging.other_tables import merge_lists, merge_settings, one_meaning
from extreg.merging.sides import Contradiction, Renumbering, Side, Upstream, row_of_code, with_rows
from extreg.registry.difference import Row, rows, same_meaning
from extreg.registry.model import Registry, State

_OURS_IS_UPSTREAM = Upstream()


class Answers(NamedTuple):
    """The merged registry with every contradiction answered as ours, and as theirs.

    A side is None where its answer to one question does not go with the other side's changes.
    """

    ours: Registry | None
    theirs: Registry | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Merge:
    """What a three-way merge came to.

    ``answers``: one and the same registry twice unless there are ``contradictions``.  ``renumbered``: the rows whose
    code changed, which the texts of the sides must follow first.  ``notes``: what was decided, in words.
    """

    answers: Answers
    renumbered: tuple[Renumbering, ...] = ()
    notes: tuple[str, ...] = ()
    contradictions: tuple[Contradiction, ...] = ()

    @property
    def registry(self) -> Registry | None:
        """The merged registry, or None where contradictions are left."""
        return None if self.contradictions else self.answers.ours

    def codes(self, side: Side) -> dict[int, int]:
        """Return the renumberings of `side`, from old code to new."""
        return mapping(side, self.renumbered)


def merge(base: Registry, ours: Registry, theirs: Registry, upstream: Upstream = _OURS_IS_UPSTREAM) -> Merge:
    """Merge what `ours` and `theirs` made of `base`; where they cannot both stay, `upstream` says who does.

    Raises nothing: what cannot be merged stands in ``contradictions``.
    """
    behind_ours = followed(base, ours, theirs, "theirs", upstream)
    behind_theirs = followed(base, theirs, ours, "ours", upstream)
    caught_up = [*behind_ours, *behind_theirs]
    base = apply(apply(base, "theirs", behind_ours), "ours", behind_theirs)
    ours, theirs = apply(ours, "ours", caught_up), apply(theirs, "theirs", caught_up)
    takes: dict[Side, _Take] = {
        side: _Take(base, ours, theirs, upstream, side, caught_up) for side in ("ours", "theirs")
    }
    first = takes["ours"]
    return Merge(
        answers=Answers(first.registry, takes["theirs"].registry if first.contradictions else first.registry),
        renumbered=tuple(_chained(caught_up, first.renumbered)),
        notes=tuple(dict.fromkeys(first.notes)),
        contradictions=tuple(first.contradictions.values()),
    )


def _chained(first: list[Renumbering], then: list[Renumbering]) -> list[Renumbering]:
    """Return two rounds of renumberings as one."""
    second = {(found.side, found.old): found for found in then}
    chained = []
    for found in first:
        more = second.pop((found.side, found.new), None)
        chained.append(found if more is None else more._replace(old=found.old))
    return [*chained, *second.values()]


class _Take:
    """One merge, with contradictions answered as `answer` has it."""

    def __init__(
        self,
        base: Registry,
        ours: Registry,
        theirs: Registry,
        upstream: Upstream,
        answer: Side,
        caught_up: list[Renumbering],
    ) -> None:
        self.upstream = upstream
        self.answer = answer
        self.notes = [str(found) for found in caught_up]
        self.contradictions: dict[str, Contradiction] = {}
        settings = merge_settings(base, ours, theirs, self._undecided)
        claims = Claims(base, {"ours": ours, "theirs": theirs}, upstream, settings["ranges"])
        claims.settle()
        self.renumbered = claims.renumbered
        self.notes += map(str, claims.renumbered)
        self.open = claims.contradictions
        self.base = rows(base)
        self.ours = rows(apply(ours, "ours", claims.renumbered))
        self.theirs = rows(apply(theirs, "theirs", claims.renumbered))
        self.registry: Registry | None = None
        merged = self._rows()
        try:
            self.registry = with_rows(Registry(**settings), merged)
        except RegistryError as error:
            for problem in error.problems:
                hint = problem.hint or "take one of the two, and delete the marker lines"
                self._undecided(Contradiction(problem.where, problem.message, hint))

    def _undecided(self, found: Contradiction) -> Side:
        self.contradictions.setdefault(found.where, found)
        return self.answer

    def _answered(self, code: int) -> Row | None:
        return (self.ours if self.answer == "ours" else self.theirs).get(code)

    def _rows(self) -> dict[int, Row]:
        merged = {}
        for code in sorted({*self.base, *self.ours, *self.theirs}):
            row = self._row(code, self.base.get(code), self.ours.get(code), self.theirs.get(code))
            if row is not None:
                merged[code] = row
        return one_meaning(self._one_live_code(merged), self._answered, self._undecided)

    def _row(self, code: int, base: Row | None, ours: Row | None, theirs: Row | None) -> Row | None:
        if ours == theirs:
            return ours
        if ours is None or theirs is None:
            return self._missing(code, base, ours, theirs)
        if code in self.open:
            self._undecided(self.open[code])
            return self._answered(code)
        if _related(base, ours, theirs):
            found = self._three_way(code, base, ours, theirs)
        else:
            found = self._replaced(code, base, ours, theirs)
        if found is None:
            self._undecided(_no_rule(code, base, ours, theirs))
            return self._answered(code)
        if base is not None and base.state == "retired" and found.state != "retired":
            self.notes.append(f"code {code} stays retired: no merge brings a retired code back")
            return _with_names_of(base, found)
        if base is None and ours.state != theirs.state:
            self.notes.append(f"code {code} ({found.target}) is {found.state}, as upstream has it")
        return found

    def _missing(self, code: int, base: Row | None, ours: Row | None, theirs: Row | None) -> Row | None:
        """Decide on a row that one side does not have: added by the other, or deleted here.

        The ancestor that git gives for a cherry-pick or a rebase is none of ours, so a row that ours lacks may be one
        that ours never had.  What is published is kept in either case, and what is changed on the other side.
        """
        found = ours or theirs
        if base is None or found is None:
            return found
        side = "ours" if ours is None else "theirs"
        if found == base and self._unpublished(code, base):
            self.notes.append(f"code {code} ({base.target}) is gone, as {side} has it; it was never upstream's")
            return None
        self.notes.append(f"code {code} stays, though {side} deleted it: a code is retired, never deleted")
        return found

    def _replaced(self, code: int, base: Row | None, ours: Row, theirs: Row) -> Row | None:
        """Decide on a code that one side gave to another class with no move, or return None where nothing may be."""
        if base is None or base not in (ours, theirs) or not self._unpublished(code, base):
            return None
        side, found = ("ours", ours) if theirs == base else ("theirs", theirs)
        self.notes.append(f"code {code} means {found.target}, as {side} has it; {base.target} was never upstream's")
        return found

    def _unpublished(self, code: int, row: Row) -> bool:
        """Whether it is known that upstream does not have `row`."""
        return bool(self.upstream.published) and not self.upstream.holds(code, row)

    def _three_way(self, code: int, base: Row | None, ours: Row, theirs: Row) -> Row | None:
        if base == ours:
            return theirs
        if base == theirs:
            return ours
        state = self._state(code, base, ours, theirs)
        target = _target(base, ours, theirs)
        if state is None or target is None:
            return None
        before = base or Row(state, target)
        # All of them, for a cherry-pick's ancestor is not ours: what ours lacks of it was never there.
        former = dict.fromkeys((*before.former, *ours.former, *theirs.former, ours.target, theirs.target))
        aliases = merge_lists(before.aliases, ours.aliases, theirs.aliases)
        return Row(state, target, *(tuple(name for name in names if name != target) for names in (former, aliases)))

    def _state(self, code: int, base: Row | None, ours: Row, theirs: Row) -> State | None:
        states = {ours.state, theirs.state}
        if len(states) == 1:
            return ours.state
        if base is not None:
            if base.state in states:
                return (states - {base.state}).pop()
            return "retired" if base.state == "live" else None  # one demoted, the other went on to retire
        if "retired" in states:
            return None
        published = (row_of_code(registry, code) for registry in self.upstream.published)
        held = {row.state for row in published if row is not None and row.state in states}
        if len(held) == 1:
            return held.pop()
        return ours.state if self.upstream.side == "ours" else theirs.state

    def _one_live_code(self, merged: dict[int, Row]) -> dict[int, Row]:
        """Find targets that the merge would dump under two codes; no rule says which one."""
        live: dict[str, list[int]] = defaultdict(list)
        for code, row in merged.items():
            if row.state == "live":
                live[row.target].append(code)
        for target, codes in live.items():
            if len(codes) < 2:
                continue
            listed = " and ".join(map(str, codes))
            message = f"codes {listed} are both live, one made so by each side, and a target is dumped as one code"
            hint = "keep one in [codes] and move the other line to [load-only]; both go on loading"
            self._undecided(Contradiction(target, message, hint))
            for code in codes:
                answer = self._answered(code)
                if answer is not None:
                    merged[code] = answer
                else:
                    merged[code] = merged[code]._replace(state="load-only")
        return merged


def _related(base: Row | None, ours: Row, theirs: Row) -> bool:
    """Whether what both sides have is still the class that the base had; without a base, whether it is the same."""
    if base is None:
        return same_meaning(ours, theirs)
    return same_meaning(base, ours) and same_meaning(base, theirs)


def _with_names_of(row: Row, other: Row) -> Row:
    """Return `row` with the names that `other`, which is the same class, has on record besides."""
    if not same_meaning(row, other):
        return row
    former = dict.fromkeys(name for name in (*row.former, *other.former) if name != row.target)
    aliases = dict.fromkeys(name for name in (*row.aliases, *other.aliases) if name != row.target)
    return row._replace(former=tuple(former), aliases=tuple(aliases))


def _target(base: Row | None, ours: Row, theirs: Row) -> str | None:
    """Return where the class is now, or None where the sides moved it to different places."""
    if ours.target == theirs.target or (base is not None and theirs.target == base.target):
        return ours.target
    if (base is not None and ours.target == base.target) or ours.target in theirs.former:
        return theirs.target
    return ours.target if theirs.target in ours.former else None


def _no_rule(code: int, base: Row | None, ours: Row, theirs: Row) -> Contradiction:
    was = f", and {base.target} ({base.state}) in their common ancestor" if base is not None else ""
    message = f"it is {ours.target} ({ours.state}) in ours and {theirs.target} ({theirs.state}) in theirs{was}"
    hint = "if the class moved, take its new place and list the former one in [moved]; a code never changes its class"
    return Contradiction(f"code {code}", message, hint)


def merge_ancestors(base: Registry, ours: Registry, theirs: Registry) -> Registry:
    """Return a common ancestor for branches that have two, `ours` and `theirs`, of which `base` is the ancestor.

    It must claim nothing that is in doubt: what it leaves out, a merge takes for an addition of both sides, which
    loses nothing.
    """
    before, mine, other = rows(base), rows(ours), rows(theirs)
    sure = {}
    for code in {*before, *mine, *other}:
        sides = (before.get(code), mine.get(code), other.get(code))
        row = _agreed(*sides)
        if row is not None:
            sure[code] = row
    try:
        return with_rows(base, sure)
    except RegistryError:
        return base


def _agreed(base: Row | None, ours: Row | None, theirs: Row | None) -> Row | None:
    if ours == theirs or theirs == base:
        return ours
    return theirs if ours == base else base


def common(ours: Registry, theirs: Registry) -> Registry:
    """Return what two registries agree on: the ancestor to assume where none is known."""
    mine, other = rows(ours), rows(theirs)
    agreed = {code: row for code, row in mine.items() if other.get(code) == row}
    return with_rows(
        Registry(
            include=tuple(package for package in ours.include if package in theirs.include),
            former_names=ours.former_names and theirs.former_names,
            ranges={name: span for name, span in ours.ranges.items() if theirs.ranges.get(name) == span},
            renamed={old: new for old, new in ours.renamed.items() if theirs.renamed.get(old) == new},
            reducers={kind: name for kind, name in ours.reducers.items() if theirs.reducers.get(kind) == name},
        ),
        agreed,
    )
