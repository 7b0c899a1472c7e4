"""What was measured, as lines, a table and JSON."""

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from linting import Found
from measure import Measured
from truth import BROKEN, Load, counts
from verdict import Verdict

MOST_REFUTED = 0.02
LEAST_FOUND = 0.60
_HEAD = ("", "findings", "confirmed", "refuted", "about what no pickle holds")


def line(result: Measured) -> str:
    """Return a pair in one line."""
    parts = [f"{result.pair!s:36}", f"forward {_outcomes(result.forward)}", f"back {_outcomes(result.back)}"]
    for name, verdict in (("lint", result.said), ("rolling", result.rolling)):
        if verdict is not None:
            parts.append(
                f"{name}: confirmed {len(verdict.confirmed)}, refuted {len(verdict.refuted)}, "
                f"told {len(verdict.told)}, noted {len(verdict.noted)}, nameless {len(verdict.nameless)}, "
                f"missed {len(verdict.missed)}"
            )
    return "   ".join(parts)


def details(result: Measured) -> Iterator[str]:
    """Yield what somebody wants to see who mends a rule, or the list."""
    sides = ((">", result.forward, result.said), ("<", result.back, result.rolling))
    for mark, loads, verdict in sides:
        if verdict is None:
            yield from (f"    {mark} {load.outcome:8} {load.label}: {load.what}" for load in loads if load.broken)
            continue
        for title, items in (("REFUTED", verdict.refuted), ("confirmed", verdict.confirmed)):
            yield from (f"    {mark} {title} {found.rule}: {found.message}" for found in items)
        yield from (f"    {mark} MISSED {load.outcome:8} {load.label}: {load.what}" for load in verdict.missed)


def summary(done: Sequence[Measured]) -> str:
    """Return the tables, in Markdown."""
    libraries = {result.pair.library.name for result in done}
    forward = [load for result in done for load in result.forward]
    back = [load for result in done for load in result.back]
    clean = [result for result in done if not any(load.broken for load in result.forward)]
    lines = [
        "",
        f"{len(done)} pairs of {len(libraries)} libraries; {len(clean)} pairs without a break forward.",
        f"Forward, {len(forward)} loads: {_outcomes(forward)}.  Back, {len(back)} loads: {_outcomes(back)}.",
    ]
    for title, chosen in (("lint --against", "said"), ("what --rolling adds", "rolling")):
        verdicts = [verdict for result in done if (verdict := getattr(result, chosen)) is not None]
        if verdicts:
            lines += ["", f"{title}:", "", *_table(verdicts), "", *_shares(verdicts)]
    noisy = [result for result in clean if result.said and (result.said.confirmed or result.said.refuted)]
    if any(result.said for result in done):
        lines.append(f"Findings about state on the {len(clean)} pairs without a break: {len(noisy)} pairs with any.")
    return "\n".join(lines)


def holds(done: Sequence[Measured]) -> bool:
    """Whether the limits hold: few refuted, enough found, silence where nothing breaks."""
    verdicts = [result.said for result in done if result.said is not None]
    if not verdicts:
        return True
    refuted, confirmed = _count(verdicts, "refuted"), _count(verdicts, "confirmed")
    told, noted, _, missed = (_count(verdicts, name) for name in _LOADS)
    few = refuted <= MOST_REFUTED * (refuted + confirmed)
    return few and told >= LEAST_FOUND * (told + noted + missed)


def as_json(done: Sequence[Measured]) -> dict[str, Any]:
    """Return everything, for tools."""
    return {"version": 1, "pairs": [_pair(result) for result in done]}


def _pair(result: Measured) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "library": result.pair.library.name,
        "old": result.pair.old,
        "new": result.pair.new,
        "forward": [_load(load) for load in result.forward],
        "back": [_load(load) for load in result.back],
    }
    for name, verdict in (("lint", result.said), ("rolling", result.rolling)):
        if verdict is not None:
            shown[name] = {kind: [_found(found) for found in getattr(verdict, kind)] for kind in _FINDINGS}
            shown[name] |= {kind: [load.label for load in getattr(verdict, kind)] for kind in _LOADS}
    return shown


_FINDINGS = ("confirmed", "refuted", "unseen")
_LOADS = ("told", "noted", "nameless", "missed")


def _load(load: Load) -> dict[str, Any]:
    return {"label": load.label, "outcome": load.outcome, "what": load.what, "targets": list(load.targets)}


def _found(found: Found) -> dict[str, str]:
    return {
        "rule": found.rule,
        "target": found.target,
        "message": found.message,
        "level": "note" if found.note else "error",
    }


def _outcomes(loads: Sequence[Load]) -> str:
    found = counts(loads)
    return ", ".join([f"{found['ok']} ok", *(f"{found[name]} {name}" for name in BROKEN if found[name])])


def _count(verdicts: Sequence[Verdict], name: str) -> int:
    return sum(len(getattr(verdict, name)) for verdict in verdicts)


def _table(verdicts: Sequence[Verdict]) -> list[str]:
    kinds: dict[str, Counter[str]] = {}
    for verdict in verdicts:
        for kind in _FINDINGS:
            for found in getattr(verdict, kind):
                name = f"{found.rule}{' (note)' if found.note else ''}"
                kinds.setdefault(name, Counter())[kind] += 1
                kinds.setdefault("~all", Counter())[kind] += 1
    lines = [_HEAD, ("---",) * len(_HEAD)]
    for name, each in sorted(kinds.items()):
        lines.append((name.strip("~"), each["confirmed"] + each["refuted"], *(each[kind] for kind in _FINDINGS)))
    return ["| " + " | ".join(map(str, row)) + " |" for row in lines]


def _shares(verdicts: Sequence[Verdict]) -> list[str]:
    told, noted, nameless, missed = (_count(verdicts, name) for name in _LOADS)
    state = told + noted + missed
    share = f" ({told / state:.0%})" if state else ""
    return [
        f"Of {state} loads that broke by their state, errors told of {told}{share}, notes alone of {noted}; "
        f"{missed} missed. {nameless} more failed because the reader has no such name.",
    ]
