"""Lint's findings held against what really happened."""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field

from linting import Found
from truth import Load

Lacking = Callable[[str, Sequence[str]], set[str]]
# What pickle says where a name leads nowhere.
_NAMELESS = re.compile(r"ModuleNotFoundError: No module named|AttributeError: Can't get attribute")


@dataclass(slots=True)
class Verdict:
    """One pair in one direction: which findings came true, and which breaks none of them told of."""

    confirmed: list[Found] = field(default_factory=list)
    refuted: list[Found] = field(default_factory=list)
    unseen: list[Found] = field(default_factory=list)
    """About a target that no pickle of this direction calls: neither confirmed nor refuted."""
    told: list[Load] = field(default_factory=list)
    """Broken loads of which a finding about state told."""
    noted: list[Load] = field(default_factory=list)
    """Broken loads of which only notes told."""
    nameless: list[Load] = field(default_factory=list)
    """Loads that failed because the reader has no such name, and no finding about state told. Not the state's fault."""
    missed: list[Load] = field(default_factory=list)


def judged(findings: Iterable[Found], loads: Sequence[Load], lacking: Lacking) -> Verdict:
    """Hold findings against loads of the same pair and direction; `lacking` asks old objects of a class for names."""
    verdict = Verdict()
    state = list(findings)
    about = {found.target for found in state}
    errors = {found.target for found in state if not found.note}
    of_target: dict[str, list[Load]] = defaultdict(list)
    for load in loads:
        for target in load.targets:
            of_target[target].append(load)
        if load.broken:
            _into(verdict, load, about, errors).append(load)
    for found in state:
        of = of_target[found.target]
        # Where other targets of a pickle have findings too, either may be what broke it: those alone decide, if any.
        alone = [load for load in of if not about & set(load.targets) - {found.target}]
        if not of:
            verdict.unseen.append(found)
        elif any(_confirms(found, load) for load in alone or of) or _lacks(found, lacking):
            verdict.confirmed.append(found)
        else:
            verdict.refuted.append(found)
    return verdict


def _lacks(found: Found, lacking: Lacking) -> bool:
    """Whether an object lacks an attribute of which the finding says that it will."""
    return found.rule == "field-gained" and bool(lacking(found.target, _gained(found)))


def _gained(found: Found) -> list[str]:
    """Return the names that a message says were not there: ``no 'a', 'b' in BASE``."""
    said = re.search(r"no ((?:'\w+'(?:, )?)+) (?:in|now)", found.message)
    return re.findall(r"\w+", said[1]) if said else []


def _into(verdict: Verdict, load: Load, about: set[str], errors: set[str]) -> list[Load]:
    if errors.intersection(load.targets):
        return verdict.told
    if load.outcome == "fails" and _NAMELESS.match(load.what):
        return verdict.nameless
    return verdict.noted if about.intersection(load.targets) else verdict.missed


def _confirms(found: Found, load: Load) -> bool:
    """Whether the load fails, or what it raises or lacks is what the finding names."""
    if found.rule != "field-gained" or load.outcome in ("fails", "another"):
        return load.broken
    lacks = [entry.rpartition(" ") for entry in load.absent]
    return any(target == found.target and found.names(name) for target, _, name in lacks) or any(
        found.names(word.strip("'")) for word in load.what.split() if word.startswith("'")
    )
