"""Starting doctor's children, and what their answers mean."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from extreg.doctor.usage import Usage
from extreg.doctor.verdicts import Verdict
from extreg.ledger import RETIRED
from extreg.project.effective import layers_of
from extreg.startup.shown import standing_of_layers

_SECONDS = 30.0
# Without the working directory, where anything may stand; what is named by the project puts its own there.  By the flag
# where there is one: for -c, CPython 3.13 imports linecache before anything can be said here.
_SAFE = ["-P"] if sys.version_info >= (3, 11) else []
_PROGRAM = "import sys; sys.path[0] == '' and sys.path.pop(0); from extreg.doctor.children import main; main()"
_TOP_LEVEL = "call extreg.install() at the top level of {main}, above the guard, or give the pool initializer={ours}"
_SEE = "to see the whole error: python -c \"import runpy; runpy.run_path({!r}, run_name='__mp_main__')\""
_OURS = "extreg.workers.initializer()"


class Asked(NamedTuple):
    """What the children are asked about: the ``registry`` in effect, the ``main`` script, and the project's ``usage``.

    ``celery`` and ``dask`` are how these engines are reached; each is None where it is not in use.
    """

    registry: str
    main: str | None
    celery: str | None
    dask: str | None
    usage: Usage


class _Child(NamedTuple):
    kind: str
    process: "subprocess.Popen[str]"
    request: str


def process_verdicts(asked: Asked) -> Iterator[Verdict]:
    """Yield a verdict on each kind of process, and on the registry that the program finds.

    The children run side by side.
    """
    layers = layers_of(asked.registry)
    fingerprint = standing_of_layers(layers).fingerprint
    expected = [
        (code, *key, rows.live.get(key) == code)
        for rows in layers
        for code, key in rows.inverted.items()
        if key[0] != RETIRED
    ]
    used = dict(_used(asked))
    children = [_start(kind, asked, expected) for kind, why in used.items() if why is None]
    answers = {child.kind: _answer(child) for child in children}
    for kind, why in used.items():
        if why is not None:
            yield Verdict(kind, "not used", why)
        elif kind in ("celery", "dask"):
            yield from _of_engine(kind, answers[kind], fingerprint, asked)
        else:
            yield _of_child(kind, answers[kind], fingerprint, asked)
    yield from _odd_ones(answers, asked)
    yield _of_search(answers["plain"], asked)


def _used(asked: Asked) -> Iterator[tuple[str, str | None]]:
    """Yield each kind and None, or why it is not used."""
    from multiprocessing import get_all_start_methods

    usage = asked.usage
    yield "plain", None
    for method in get_all_start_methods():
        named = not usage.methods or method in usage.methods
        idle = "the project starts no processes" if not usage.processes else f"the project starts none by {method}"
        yield method, None if usage.processes and named else idle
    yield "loky", None if usage.loky else "the project uses neither loky nor joblib"
    there = sys.version_info >= (3, 14)
    idle = "the project has no InterpreterPoolExecutor" if there else "this Python has no InterpreterPoolExecutor"
    yield "interpreters", None if there and usage.interpreters else idle
    yield "celery", None if asked.celery else "no app is named: --celery APP"
    yield "dask", None if asked.dask else "no scheduler is named: --dask ADDRESS"


def _start(kind: str, asked: Asked, expected: Sequence[tuple[int, str, str, bool]]) -> _Child:
    request = {
        "kind": kind,
        "main": asked.main,
        "registry": asked.registry,
        "expected": expected,
        "initializer": asked.usage.initializer and kind not in ("plain", "fork"),
        "address": asked.celery if kind == "celery" else asked.dask,
    }
    process = subprocess.Popen(  # noqa: S603 - this very interpreter
        [sys.executable, *_SAFE, "-c", _PROGRAM],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
        errors="replace",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
    )
    return _Child(kind, process, json.dumps(request))


def _answer(child: _Child) -> dict[str, Any]:
    try:
        out, said = child.process.communicate(child.request, timeout=_SECONDS)
    except subprocess.TimeoutExpired:
        child.process.kill()
        child.process.communicate()
        return {"failure": f"no answer for {_SECONDS:g} seconds", "hint": "", "late": True}
    try:
        found: dict[str, Any] = json.loads(out)
    except ValueError:
        lines = said.strip().splitlines() or [f"it ended with exit code {child.process.returncode}"]
        return {"failure": lines[-1], "hint": "", "late": False}
    lines = said.strip().splitlines()
    if "failure" in found and lines and lines[-1] not in found["failure"]:
        found["failure"] += f"; last it said: {lines[-1]}"
    return found


def _of_child(kind: str, answer: dict[str, Any], fingerprint: str, asked: Asked) -> Verdict:
    if "failure" in answer:
        hint = answer["hint"] or _SEE.format(asked.main or "SCRIPT")
        return Verdict(kind, "cannot tell" if answer["late"] else "not well", answer["failure"], hint)
    if answer["lacking"]:
        lacking = answer["lacking"]
        shown = ", ".join(map(str, lacking[:5])) + (", ..." if len(lacking) > 5 else "")
        cure = _cure_of(kind, asked)
        return Verdict(kind, "not well", f"{len(lacking)} of our codes do not stand there: {shown}", cure)
    standing = answer["standing"]
    more = "" if standing["fingerprint"] == fingerprint else f", and {len(answer['others'])} codes of others"
    found = f"{standing['codes']} live and {standing['load_only']} load-only codes{more}"
    return Verdict(kind, "well", f"{found}, fingerprint {standing['fingerprint']}")


def _cure_of(kind: str, asked: Asked) -> str:
    if kind == "interpreters":
        return f"give the pool initializer={_OURS}"
    if kind == "plain" or asked.main is None:
        return "extreg lint says what is wrong with the registry"
    return _TOP_LEVEL.format(main=asked.main, ours=_OURS)


def _odd_ones(answers: dict[str, dict[str, Any]], asked: Asked) -> Iterator[Verdict]:
    """Yield where children of one program do not agree on codes that are none of ours."""
    others = {kind: dict(answer["others"]) for kind, answer in answers.items() if answer.get("others") is not None}
    if asked.main is None:
        return
    others.pop("plain", None)  # which does not run the program
    every = {code: name for found in others.values() for code, name in found.items()}
    for code, name in sorted(every.items()):
        lacking = sorted(kind for kind, found in others.items() if found.get(code) != name)
        if lacking:
            yield Verdict(
                "other codes",
                "not well",
                f"code {code} of {name} stands in some processes and not in these: {', '.join(lacking)}",
                f"extreg add --code {code} {name}, and delete the call of add_extension",
            )


def _of_engine(kind: str, answer: dict[str, Any], fingerprint: str, asked: Asked) -> Iterator[Verdict]:
    cure = (
        "below the app: extreg.workers.celery.connect(app), and start the workers again"
        if kind == "celery"
        else "extreg.workers.dask.register(client)"
    )
    if "failure" in answer:
        yield Verdict(
            kind, "cannot tell", answer["failure"], answer["hint"] or f"is it running, and is {kind} installed?"
        )
    elif not answer["processes"]:
        yield Verdict(
            kind, "cannot tell", f"no worker of {asked.celery or asked.dask} answers", "start one, or: " + cure
        )
    for name, standing in answer.get("processes", {}).items():
        if standing.get("fingerprint") == fingerprint:
            yield Verdict(kind, "well", f"{name}: fingerprint {fingerprint}")
        else:
            held = f"fingerprint {standing['fingerprint']}" if "fingerprint" in standing else "it cannot say"
            yield Verdict(kind, "not well", f"{name}: {held}, and the registry comes to {fingerprint}", cure)


def _of_search(answer: dict[str, Any], asked: Asked) -> Verdict:
    """Say whether the program finds the registry that the command line finds."""
    name = "search"
    if "failure" in answer:
        return Verdict(name, "cannot tell", "the program does not come so far", answer["hint"])
    found = answer["registry"]
    if os.path.realpath(found) == os.path.realpath(asked.registry):
        return Verdict(name, "well", f"the program and the command line both find {found}")
    return Verdict(
        name,
        "not well",
        f"the program finds {found}, and the command line {asked.registry}",
        f'name it in pyproject.toml, [tool.extreg] registry = "{_relative(asked.registry)}", or remove the other',
    )


def _relative(path: str) -> str:
    try:
        return Path(path).relative_to(Path.cwd()).as_posix()
    except ValueError:
        return path
