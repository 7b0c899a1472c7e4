"""What keeps a project's processes and people from having the codes, besides the processes themselves."""

import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from extreg.autoload import SWITCH
from extreg.autoload.state import states
from extreg.doctor.verdicts import Verdict
from extreg.errors import ExtregError, UnreadableError
from extreg.linter.run import lint
from extreg.project.effective import module_path
from extreg.project.git import run_git
from extreg.project.git_setup import driver_trouble
from extreg.project.import_path import import_root
from extreg.registry.document import read_document
from extreg.startup import cache_path
from extreg.startup.compile import is_current

_OLD = 180  # days
_DAY = 86_400  # seconds


def other_verdicts(registry: Path) -> Iterator[Verdict]:
    """Yield a verdict on autoload, wheel, cache, merge driver, hooks, load-only rows and installed distributions."""
    yield from _autoload(registry)
    yield from _linted(registry)
    yield _cache(registry)
    in_git = _in_git(registry)
    yield _merge_driver(registry) if in_git else Verdict("merge driver", "not used", "the file is in no git repository")
    yield _hooks(registry, in_git=in_git)
    yield _load_only(registry) if in_git else Verdict("load-only", "not used", "git does not know how old rows are")


def _autoload(registry: Path) -> Iterator[Verdict]:
    for state in states():
        if state.kind == "off":
            yield Verdict("autoload", "not used", "extreg autoload enable would switch it on")
            continue
        for trouble in state.troubles:
            yield Verdict("autoload", "not well", trouble.message, trouble.cure)
        if state.troubles or state.settings is None:
            continue
        enabled = state.settings.registry
        if os.path.realpath(enabled) != os.path.realpath(registry):
            found = f"every start installs {enabled}, and the registry here is {registry}"
            yield Verdict("autoload", "not well", found, f"extreg autoload enable --path {registry}")
        elif os.environ.get(SWITCH) == "0":
            yield Verdict("autoload", "not used", f"{SWITCH}=0 is set")
        else:
            yield Verdict("autoload", "well", f"every start installs {enabled}")


def _linted(registry: Path) -> Iterator[Verdict]:
    """Yield what lint finds that is about what is built, and about what is installed."""
    findings = lint(registry, installed=True, select=("unpackaged-registry", "unregistered-call"))
    left_out = [found for found in findings if found.rule == "unpackaged-registry"]
    for found in left_out:
        yield Verdict("wheel", "not well", found.message, found.hint)
    if not left_out:
        if import_root(registry.parent) == registry.parent:
            yield Verdict("wheel", "not used", "the registry lies in no package")
        else:
            yield Verdict("wheel", "well", "nothing leaves the registry out of the wheel")
    calls = [found for found in findings if found.rule == "unregistered-call"]
    for found in calls:
        place = f"{found.path}:{found.line}"
        yield Verdict("other calls", "not well", f"{place}: {found.message}", found.hint)
    if not calls:
        yield Verdict("other calls", "well", "nothing here or installed takes a code of ours, as far as sources tell")


def _cache(registry: Path) -> Verdict:
    place = cache_path(os.fspath(registry))
    if place is None:
        return Verdict("cache", "not used", f"{sys.implementation.name} has no bytecode caches")
    if is_current(os.fspath(registry), module_path(registry)):
        return Verdict("cache", "well", f"the start-up cache is current: {place}")
    why = " (PYTHONDONTWRITEBYTECODE is set)" if sys.dont_write_bytecode else ""
    found = f"there is no current start-up cache, and a start writes none{why}"
    return Verdict("cache", "not well", found, "extreg compile")


def _in_git(registry: Path) -> bool:
    try:
        return (
            run_git(["ls-files", "--error-unmatch", "--", f"./{registry.name}"], folder=registry.parent).returncode == 0
        )
    except UnreadableError:
        return False


def _merge_driver(registry: Path) -> Verdict:
    trouble = driver_trouble(registry)
    if trouble is not None:
        return Verdict("merge driver", "not well", trouble, "extreg git-setup")
    asked = run_git(["check-attr", "-z", "merge", "--", registry.name], folder=registry.parent)
    if asked.stdout.split(b"\0")[2:3] in ([b"unspecified"], []):
        return Verdict("merge driver", "not used", ".gitattributes does not ask for it; extreg git-setup sets it up")
    return Verdict("merge driver", "well", "this clone merges the file by meaning")


def _hooks(registry: Path, *, in_git: bool) -> Verdict:
    name = "pre-commit"
    config = next((folder / ".pre-commit-config.yaml" for folder in registry.parents if _is_top(folder)), None)
    if not in_git or config is None or not config.is_file() or b"extreg" not in config.read_bytes():
        return Verdict(name, "not used", "no .pre-commit-config.yaml speaks of extreg")
    folder = registry.parent
    own = run_git(["config", "--local", "--get", "core.hooksPath"], folder=folder).stdout.decode().strip()
    common = run_git(["rev-parse", "--git-common-dir"], folder=folder).stdout.decode().strip()
    hook = (config.parent / own if own else folder / common / "hooks") / "pre-commit"
    if hook.is_file():
        return Verdict(name, "well", f"{hook} is there")
    return Verdict(
        name, "not well", f"{config} has our hooks, and this clone runs none: there is no {hook}", "pre-commit install"
    )


def _is_top(folder: Path) -> bool:
    return (folder / ".git").exists()


def _load_only(registry: Path) -> Verdict:
    rows = [row for row in read_document(registry).rows if row.table == "load-only"]
    if not rows:
        return Verdict("load-only", "not used", "no code is load-only")
    ages = _ages(registry)
    old = [(row.code, ages.get(row.line or 0, 0)) for row in rows if ages.get(row.line or 0, 0) > _OLD]
    if not old:
        return Verdict("load-only", "well", f"no row is older than {_OLD} days")
    shown = ", ".join(f"{code} ({days} days)" for code, days in old[:5]) + (", ..." if len(old) > 5 else "")
    code = old[0][0]
    return Verdict(
        "load-only",
        "not well",
        f"{len(old)} codes are load-only since long: {shown}",
        f"extreg promote {code}, if every reader has it by now; extreg retire {code}, if no pickle holds it any more",
    )


def _ages(registry: Path) -> dict[int, int]:
    """Return for each line of the file, from 1 on, how many days ago it was written; nothing where git cannot tell."""
    done = run_git(["blame", "--line-porcelain", "--", f"./{registry.name}"], folder=registry.parent)
    if done.returncode != 0:
        raise ExtregError(done.stderr.decode(errors="replace").strip(), "git blame must work here")
    times = [int(line.split()[1]) for line in done.stdout.splitlines() if line.startswith(b"author-time ")]
    now = time.time()
    return {number: int((now - written) // _DAY) for number, written in enumerate(times, 1)}
