"""Lint's findings held against what really happened."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from linting import NAME_RULES, STATE_RULES, Found
from truth import Load


@dataclass(slots=True)
class Verdict:
    """One pair in one direction: which findings came true, and which breaks none of them told of."""

    confirmed: list[Found] = field(default_factory=list)
    refuted: list[Found] = field(default_factory=list)
    unseen: list[Found] = field(default_factory=list)
    """About a target that no pickle of this direction refers to: neither confirmed nor refuted."""
    told: list[Load] = field(default_factory=list)
    """Broken loads of which a finding about state told."""
    gone: list[Load] = field(default_factory=list)
    """Broken loads with a name that is gone, of which `missing-target` told, and no finding about state."""
    missed: list[Load] = field(default_factory=list)


def judged(findings: Iterable[Found], loads: Sequence[Load]) -> Verdict:
    """Hold findings against loads of the same pair and direction."""
    verdict = Verdict()
    state = [found for found in findings if found.rule in STATE_RULES]
    names = {found.target for found in findings if found.rule in NAME_RULES}
    about = {found.target for found in state}
    of_target: dict[str, list[Load]] = defaultdict(list)
    for load in loads:
        for target in load.targets:
            of_target[target].append(load)
        if load.broken:
            _into(verdict, load, about, names).append(load)
    for found in state:
        of = of_target[found.target]
        # Where other targets of a pickle have findings too, either may be what broke it: those alone decide, if any.
        alone = [load for load in of if not (about | names) & set(load.targets) - {found.target}]
        if not of:
            verdict.unseen.append(found)
        elif any(_confirms(found, load) for load in alone or of):
            verdict.confirmed.append(found)
        else:
            verdict.refuted.append(found)
    return verdict


def _into(verdict: Verdict, load: Load, about: set[str], names: set[str]) -> list[Load]:
    if about.intersection(load.targets):
        return verdict.told
    return verdict.gone if names.intersection(load.targets) else verdict.missed


def _confirms(found: Found, load: Load) -> bool:
    """Whether the load fails, or what it raises or lacks is what the finding names."""
    if found.rule != "field-gained" or load.outcome in ("fails", "another"):
        return load.broken
    lacks = [entry.rpartition(" ") for entry in load.absent]
    return any(target == found.target and found.names(name) for target, _, name in lacks) or any(
        found.names(word.strip("'")) for word in load.what.split() if word.startswith("'")
    )
