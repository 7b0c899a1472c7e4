"""Every rule against its case folders: tests/cases/rules/<rule>/{fail,pass}-<name>/.

A case holds ``registry.toml``, optionally ``included/*.toml`` (the registries of included packages, in the order of
their names) and ``expected.json``: the findings of this one rule, each with its rule, line and message, and with its
path where that is not registry.toml.  Paths in messages are relative to the case.

What the world knows comes from more files, where a case has them: ``base.toml`` (--against), ``history/*.toml``
(--history, oldest first), ``tree/`` (the project's sources; looked up, and imported when the options say so),
``base-tree/`` (its sources as they were), ``installed/`` (the files of installed distributions), ``jar/`` (the records
of a jar), and ``options.json`` (``rolling``, ``unmerged``, ``imports``, ``pythons``, and ``package``, the package in
``tree/`` that a copy of the registry lies in).
"""

import json
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from extreg.jar.entries import jar_entries
from extreg.jar.sampled import unsampled
from extreg.linter.between import Comparer, pairs
from extreg.linter.check import OPTIONAL, RULES, check, name_of
from extreg.linter.context import Context, Past
from extreg.linter.finding import Finding
from extreg.linter.run import other_names
from extreg.programs.gather import read_project
from extreg.programs.wheel import left_out
from extreg.registry.document import Document
from extreg.shapes.earlier import Earlier, FolderFiles, Today
from extreg.startup.pyproject import parse_pyproject
from extreg.targets.child import import_answers
from extreg.targets.trees import Sources, project_files

CASES = Path(__file__).parent.parent / "cases" / "rules"
FOLDERS = sorted(path for path in CASES.glob("*/*") if path.is_dir())
NAMES = [name_of(rule) for rule in RULES]


def read(case: Path, name: str) -> Document:
    return Document.read((case / name).read_bytes().decode(), path=name)


@cache
def context(case: Path) -> Context:
    """Return what the rules look at in a case."""
    included = sorted(path.relative_to(case).as_posix() for path in case.glob("included/*.toml"))
    options = json.loads((case / "options.json").read_text()) if (case / "options.json").exists() else {}
    known = Context(document=read(case, "registry.toml"), included=tuple(read(case, name) for name in included))
    if (case / "base.toml").exists():
        known = replace(known, base=Past("the base", read(case, "base.toml")))
    if (case / "history").exists():
        names = sorted(path.relative_to(case).as_posix() for path in case.glob("history/*.toml"))
        known = replace(known, history=tuple(Past(name, read(case, name)) for name in names))
    if (case / "tree").exists():
        known = with_sources(known, case, options)
    if (case / "base-tree").exists():
        known = with_states(known, case, options)
    if (case / "jar").exists():
        assert known.document.registry is not None
        known = replace(known, unsampled=unsampled(known.document.registry, jar_entries(case / "jar")))
    pythons = tuple(map(tuple, options.get("pythons", known.pythons)))
    options = {name: options.get(name, False) for name in ("rolling", "unmerged")}
    return replace(known, **options, pythons=pythons)


def with_sources(known: Context, case: Path, options: dict[str, Any]) -> Context:
    """Return `known` with what the source tree of a case tells."""
    sources = Sources([case / "tree"])
    tables = known.document.tables
    targets = [*tables.codes.values(), *tables.load_only.values(), *tables.reducers, *tables.reducers.values()]
    calls = {name: sources.calls(project_files(case / name)) for name in ("tree", "installed")}
    shown = {
        name: tuple(call._replace(path=Path(call.path).relative_to(case).as_posix()) for call in found)
        for name, found in calls.items()
    }
    texts = {call.path: (case / call.path).read_text(encoding="utf-8") for found in shown.values() for call in found}
    imported = import_answers(targets, sources.path) if options.get("imports") else None
    answers = sources.answers([*targets, *other_names(known.document)])
    own = sources.own(tables.renamed.values())
    tree, package = case / "tree", options.get("package", "")
    pyproject = tree / "pyproject.toml"
    data = parse_pyproject(pyproject.read_bytes(), pyproject) if pyproject.exists() else {}
    programs = read_project(tree, project_files(tree), sources, data, "tree")
    texts |= {path: (case / path).read_text(encoding="utf-8") for path in programs.told}
    return replace(
        known,
        answers=answers,
        imported=imported,
        calls=shown["tree"],
        installed=shown["installed"],
        sources=texts,
        own=own,
        programs=programs,
        package=package,
        wheel=True,
        unpackaged=left_out(tree / package.replace(".", "/") / "registry.toml", tree, data) if package else None,
    )


def with_states(known: Context, case: Path, options: dict[str, Any]) -> Context:
    """Return `known` with what became of the state of the classes of a case."""
    assert known.base is not None
    today = Today(Sources([case / "tree"]))
    earlier = Earlier(FolderFiles(case / "base-tree"), [""], today)
    reducers = frozenset(known.base.document.tables.reducers), frozenset(known.document.tables.reducers)
    found = Comparer(today, earlier, "the base").compare(
        pairs(known.base.document, known.document), reducers=reducers, rolling=options.get("rolling", False)
    )
    changes = (state._replace(path=Path(state.path).relative_to(case).as_posix()) for state in found.changes)
    return replace(known, states=tuple(changes))


def shown(finding: Finding) -> dict[str, object]:
    """Return a finding as expected.json has it."""
    where = {} if finding.path == "registry.toml" else {"path": finding.path}
    level = {} if finding.level == "error" else {"level": finding.level}
    return {"rule": finding.rule, **where, "line": finding.line, "message": finding.message, **level}


def selected(case: Path) -> "list[str]":
    """Return the rules that a case selects by name: all that run by themselves, where it does not say."""
    path = case / "options.json"
    return json.loads(path.read_text()).get("select", []) if path.exists() else []  # type: ignore[no-any-return]


def test_there_are_cases() -> None:
    """An empty glob would let every other test here pass."""
    assert len(FOLDERS) >= 2 * len(RULES)


@pytest.mark.parametrize("case", FOLDERS, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_case(case: Path) -> None:
    """The rule finds what its case expects: something where it fails, nothing where it passes."""
    rule = case.parent.name
    expected = json.loads((case / "expected.json").read_text(encoding="utf-8"))
    assert [shown(found) for found in check(context(case), extend_select=OPTIONAL) if found.rule == rule] == expected
    verdict = case.name.partition("-")[0]
    assert verdict == ("fail" if expected else "pass")


def test_every_folder_belongs_to_a_rule() -> None:
    """A folder named for no rule would never be looked at."""
    assert {case.parent.name for case in FOLDERS} <= set(NAMES)


def test_every_name_is_one_rule() -> None:
    assert len(set(NAMES)) == len(NAMES)


@pytest.mark.parametrize("verdict", ["fail", "pass"])
@pytest.mark.parametrize("rule", NAMES)
def test_every_rule_has_a_failing_and_a_passing_case(rule: str, verdict: str) -> None:
    assert [case for case in FOLDERS if case.parent.name == rule and case.name.startswith(f"{verdict}-")]


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_every_rule_documents_itself(rule) -> None:
    """The docstring is the user's documentation: what is found, why it matters, how to fix it."""
    what, *rest = (rule.__doc__ or "").split("\n\n")
    text = [" ".join(paragraph.split()) for paragraph in rest]
    assert len(what) > 20
    assert [paragraph for paragraph in text if paragraph.startswith("Why it matters: ") and len(paragraph) > 30]
    assert [paragraph for paragraph in text if paragraph.startswith("How to fix it: ") and len(paragraph) > 30]


@pytest.mark.parametrize("case", FOLDERS, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_every_finding_says_what_to_do(case: Path) -> None:
    """By its hint, or by what the message says was expected."""
    found = [finding for finding in check(context(case), extend_select=OPTIONAL) if finding.rule == case.parent.name]
    assert [shown(finding) for finding in found if not finding.hint and "expected" not in finding.message] == []


def test_findings_are_sorted_by_place() -> None:
    """The answer does not depend on the order of the rules."""
    for case in FOLDERS:
        found = check(context(case))
        assert list(found) == sorted(found, key=lambda finding: (finding.path, finding.line or 0))
