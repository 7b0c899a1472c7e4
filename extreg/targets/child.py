"""What importing tells about targets, asked of a child process that may hang, crash, print or exit as it likes."""

import sys
from collections.abc import Callable, Iterable
from typing import NamedTuple

from extreg.errors import UnreadableError
from extreg.registry.target import split
from extreg.targets.interview import Interview
from extreg.targets.lookup import Answer

SECONDS_PER_MODULE = 60.0
_PROGRAM = "extreg.targets.probe"

Began = Callable[[str], object]


class _Terms(NamedTuple):
    """How the child is asked, beside what."""

    path: list[str]
    dump: bool
    aloud: bool
    seconds: float
    began: Began


def _nobody(_: str) -> None:
    """Nobody waits."""


def import_answers(
    targets: Iterable[str],
    path: list[str],
    *,
    dump: bool = True,
    aloud: bool = False,
    seconds: float = SECONDS_PER_MODULE,
    began: Began = _nobody,
) -> dict[str, Answer]:
    """Return what each of `targets` is once its module was imported, with `path` as ``sys.path``.

    With `dump` each is dumped and loaded under every protocol besides.  What user code prints is dropped, unless
    `aloud` sends it to standard error.  `began` is called with the name of each module when its turn comes, and again
    while that takes time.

    A module that takes longer than `seconds`, or brings the process down, makes its own targets ``unimportable``;
    the others are then asked of a new process.  So is the name under which pickle knows what a target leads to: whoever
    loads such a pickle imports that name's module, and maybe nothing else.
    """
    terms = _Terms(path, dump, aloud, seconds, began)
    answers = _answers(targets, terms)
    own = {answer.target for answer in answers.values() if answer.kind == "reexported"}
    there = {**_answers(own - answers.keys(), terms), **answers}
    for target, answer in answers.items():
        if answer.kind == "reexported" and there[answer.target].kind != "found":
            why = there[answer.target].detail or f"that is really {there[answer.target].target}"
            detail = f"it says of itself that it is {answer.target}, but {why}"
            answers[target] = Answer("unpicklable", detail=detail, hint=there[answer.target].hint)
    return answers


def _answers(targets: Iterable[str], terms: _Terms) -> dict[str, Answer]:
    answers: dict[str, Answer] = {}
    waiting = sorted(set(targets))
    while waiting:
        culprit = _one_child(waiting, terms, answers)
        if culprit is not None:
            module, detail = culprit
            for target in waiting:
                if split(target)[0] == module:
                    answers.setdefault(target, Answer("unimportable", detail=detail))
        left = [target for target in waiting if target not in answers]
        if len(left) == len(waiting):  # it ended before the first module: that is nobody's fault but ours
            raise UnreadableError(f"{sys.executable} does not run, so nothing can be imported in a child process")
        waiting = left
    return answers


def _one_child(targets: list[str], terms: _Terms, answers: dict[str, Answer]) -> tuple[str, str] | None:
    """Collect answers until the child ends; return the module it ended at and how, or None when it finished."""
    module: str | None = None

    def wait() -> None:
        if module is not None:
            terms.began(module)

    asked = {"path": terms.path, "targets": targets, "dump": terms.dump}
    child = Interview(_PROGRAM, asked, quiet=not terms.aloud, waiting=wait)
    for kind, *parts in child.answers(terms.seconds):
        if kind == "module":
            module = parts[0]
        else:
            target, *answer = parts
            answers[target] = Answer(*answer)
    if module is None or all(target in answers for target in targets):
        return None
    return module, f"importing {module} {child.ending(terms.seconds)}"
