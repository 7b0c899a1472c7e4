"""diff: what changed, and in which order to deploy it."""

import argparse
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from extreg.cli.command import Command, registry_option
from extreg.cli.output import say, say_json
from extreg.linter.rollouts import Revisions
from extreg.project.locate import registry_path
from extreg.project.revisions import read_revision
from extreg.registry.difference import Difference, Row
from extreg.registry.document import Document
from extreg.startup import NAME


def _diff(arguments: argparse.Namespace) -> int:
    path = _registry(arguments)
    old = read_revision(arguments.old, path)
    new = read_revision(arguments.new or str(path), path)
    sides = (arguments.old, old), (arguments.new or str(path), new)
    difference = Difference.of(old.require(), new.require(), Revisions(path).changed(*sides))
    if arguments.format == "json":
        say_json(_as_json(old, new, difference))
    else:
        say(*_as_text(old, new, difference))
    return 0 if difference.safe else 1


def _registry(arguments: argparse.Namespace) -> Path:
    """Return the file that a bare REF means; where both sides name their own, there need not be one."""
    given = (arguments.old, arguments.new)
    if arguments.registry is None and all(name and (":" in name or Path(name).is_file()) for name in given):
        return Path(NAME)
    return registry_path(arguments.registry)


def _as_text(old: Document, new: Document, difference: Difference) -> Iterable[str]:
    yield f"old: {old.path} ({old.require().fingerprint})"
    yield f"new: {new.path} ({new.require().fingerprint})"
    told = [*((change.code, str(change)) for change in difference.changes), *_versions(difference)]
    width = max((len(str(code)) for code, _ in told), default=0)
    yield from (f"{code:>{width}}  {text}" for code, text in told)
    yield from map(str, difference.settings)
    if difference.verdict != "identical":
        yield f"new readers, old writers: {_reads(difference.unread_by_new)}"
        yield f"old readers, new writers: {_reads(difference.unread_by_old)}"
    if difference.ended:
        yield f"older pickles: those dumped as {_codes(difference.ended)} before the demotion no longer load"
    yield from (f"not judged: {setting.table} {setting.name}" for setting in difference.unjudged)
    yield from (f"not judged: the state of {one.target}" for one in difference.versions if not one.judged)
    yield f"verdict: {difference.verdict}: {advice(difference)}"


def _versions(difference: Difference) -> list[tuple[int, str]]:
    return [(state.code, str(state)) for state in difference.versions]


def _reads(unread: tuple[int, ...]) -> str:
    return f"cannot load {_codes(unread)}" if unread else "load everything"


def _codes(codes: Iterable[int]) -> str:
    return ", ".join(map(str, codes))


def advice(difference: Difference) -> str:
    """Say what a verdict means for a deployment."""
    ended = _codes(difference.unread_by_new)
    match difference.verdict:
        case "identical":
            return "there is nothing to deploy"
        case "any-order":
            return "deploy readers and writers in any order"
        case "readers-first":
            return f"deploy readers before writers; where a program is both, {_first(difference)}"
        case "writers-first":
            return (
                f"deploy writers before readers, and those once no pickle with {ended} is left; where a program is "
                f"both, {_first(difference)}"
            )
        case "two-steps":
            return f"no order is safe; {_first(difference)}"
        case "never":
            codes = _codes(difference.contradictory)
            return f"no order is safe, for {codes} would load as another class; give the new class a code of its own"


def _first(difference: Difference) -> str:
    """Say what to release before, so that programs that read and write may run side by side."""
    states = {state.code: state for state in difference.versions}
    raised = [code for code in difference.unread_by_old if code in states and states[code].unread_by_old]
    refused = [code for code in difference.unread_by_new if code in states and states[code].unread_by_new]
    added = [code for code in difference.unread_by_old if code not in raised]
    ended = [code for code in difference.unread_by_new if code not in refused]
    steps = []
    if added or ended:
        later = "promote" if not ended else "retire" if not added else "promote and retire"
        steps.append(f"release {_codes(sorted(added + ended))} as load-only first and {later} in a later release")
    if raised:
        what = f"the class of {_codes(raised)}" if len(raised) == 1 else f"the classes of {_codes(raised)}"
        steps.append(f"release {what} with write= (and reverse=) first, and without in a later release")
    if refused:
        steps.append(f"give what reads {_codes(refused)} its version and its migrations back")
    return ", and ".join(steps)


def _as_json(old: Document, new: Document, difference: Difference) -> dict[str, Any]:
    return {
        "old": {"path": old.path, "fingerprint": old.require().fingerprint},
        "new": {"path": new.path, "fingerprint": new.require().fingerprint},
        "verdict": difference.verdict,
        "safe": difference.safe,
        "advice": advice(difference),
        "unread_by_new": list(difference.unread_by_new),
        "unread_by_old": list(difference.unread_by_old),
        "ended": list(difference.ended),
        "contradictory": list(difference.contradictory),
        "changes": [
            {
                "code": change.code,
                "kinds": list(change.kinds),
                "old": _row_json(change.old),
                "new": _row_json(change.new),
                "words": str(change),
            }
            for change in difference.changes
        ],
        "versions": [state._asdict() for state in difference.versions],
        "settings": [
            {**setting._asdict(), "judged": setting not in difference.unjudged} for setting in difference.settings
        ],
    }


def _row_json(row: Row | None) -> dict[str, Any] | None:
    if row is None:
        return None
    return {"state": row.state, "target": row.target, "former": list(row.former), "aliases": list(row.aliases)}


def _configure(parser: argparse.ArgumentParser) -> None:
    side = "a path, a git revision (the registry file as of then), or REF:path"
    parser.add_argument("old", metavar="OLD", help=side)
    parser.add_argument("new", metavar="NEW", nargs="?", help="the same (default: the registry file as it is)")
    parser.add_argument("--format", choices=("text", "json"), default="text", help="default: text")
    registry_option(parser)


COMMAND = Command(
    name="diff",
    description="Say what changed between two registries, and in the versions that their classes' states have by the "
    "sources around them; whether new readers load what old writers dumped and "
    "old readers what new writers dump, and hence which side is deployed first. Exit code 0: any order is safe, "
    "and nothing stops loading; 1: the order matters, something stops loading, or something cannot be judged.",
    examples="  extreg diff main                    the working file against the branch main\n"
    "  extreg diff v1.4 v1.5\n"
    "  extreg diff old.toml HEAD:src/shop/registry.toml --format json",
    configure=_configure,
    run=_diff,
)
