"""Resolving targets as pickle would: import the module, walk the name, ask the object what it is called."""

from collections.abc import Sequence
from pathlib import Path

from extreg.errors import ExtregError, UnreadableError
from extreg.project.effective import module_path
from extreg.registry.target import split
from extreg.targets.child import import_answers
from extreg.targets.lookup import Answer

_ELSEWHERE = "run from the project's root, in its environment; or take the name as it is: extreg add --no-import {}"


def canonical(targets: Sequence[str], registry: Path) -> dict[str, str]:
    """Return for each of `targets` the one under which pickle will look it up: its object's own module and name.

    Their modules are imported, in a child process that may hang, crash, print or exit as it likes, and from where lint
    looks for the modules of the `registry` file; what they print goes to standard error.  Raises `UnreadableError` for
    what is no target, and `ExtregError` when an import fails, a name is missing, or pickle could not find an object.
    """
    for target in targets:
        try:
            split(target)
        except ValueError as error:
            raise UnreadableError(str(error)) from None
    path = module_path(registry)
    for target in targets:
        _check_path(target, path)
    answers = import_answers(targets, path, dump=False, aloud=True)
    bad = [target for target in targets if answers[target].kind not in {"found", "reexported"}]
    if bad:
        raise _refusal(bad[0], answers[bad[0]], len(bad) - 1)
    return {target: answers[target].target or target for target in targets}


def _check_path(target: str, path: Sequence[str]) -> None:
    """Refuse a target that is reached through a folder of which the contents are imported, not the folder itself."""
    first, _, rest = target.partition(".")
    for folder in map(Path, path):
        if folder.name == first and str(folder.parent) in path and not (folder / "__init__.py").exists():
            raise ExtregError(
                f"{target} is {rest} where programs import it: {folder} is a folder of modules, and no package",
                f"extreg add {rest}",
            )


def _refusal(target: str, answer: Answer, others: int) -> ExtregError:
    """Return the error about a target, and about how many it is not alone with."""
    message = f"{target}: {answer.detail}"
    hint = answer.hint
    if answer.detail.startswith("importing "):
        hint = "; ".join(filter(None, [hint, _ELSEWHERE.format(target)]))
    if others:
        message = f"{message} ({others} more cannot be added either)"
    return ExtregError(message, hint)
