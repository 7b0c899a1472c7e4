"""Whether the code of today still has what pickles name, by the sources and, when asked to, by importing."""

from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Literal, NamedTuple

from extreg.linter.settings import read_settings
from extreg.pickles.walking.names import loaded, target
from extreg.project.import_path import registry_folders
from extreg.registry.model import Registry
from extreg.targets.child import import_answers
from extreg.targets.lookup import Answer
from extreg.targets.trees import Sources

Today = Literal["found", "former", "gone", "unimportable", "cannot tell"]
Told = Callable[[str], object]
_PYTHON_2 = 2  # the highest protocol of which the names may be Python 2's
# As an unpickler asks: it takes what a name leads to, whether or not that could be pickled again.
_THERE = frozenset({"found", "reexported", "unpicklable"})


class Resolved(NamedTuple):
    """What becomes of a name in the code of today.

    ``found``: it is there, or what Python 2 called so; ``former``: it is not, and the registry knows what it is called
    now; ``gone``: neither is there; ``unimportable``: importing its module fails; ``cannot tell``: only running the
    code could.  ``why`` (str) says more of the last three.
    """

    today: Today
    why: str = ""


def _silent(_: str) -> None:
    """Tell nobody."""


def resolve(
    names: Iterable[tuple[str, str]],
    registry: Registry | None,
    path: Path | None,
    *,
    importing: bool = False,
    told: Told = _silent,
) -> dict[tuple[str, str], Resolved]:
    """Return for each module and name what becomes of it in the code of today.

    Modules are looked for where lint looks for those of the registry file at `path`, without one from the working
    directory.  With `importing` those of which the sources do not tell are imported, in a child process.  `told` is
    called with what goes on, now and then.
    """
    folder = path.absolute().parent if path is not None else Path.cwd()
    settings = read_settings(folder)
    own = registry_folders(path) if path is not None else [folder]
    sources = Sources([settings.folder, *settings.path, *own])
    spellings = {pair: _spellings(pair, registry) for pair in names}
    wanted = {name for spelled in spellings.values() for name in spelled}
    answers: dict[str, Answer] = {}
    for name, answer in sources.answered(sorted(wanted)):
        answers[name] = answer
        told(f"{len(answers)} of {len(wanted)} names looked for")
    if importing:
        unknown = [name for name, answer in answers.items() if answer.kind == "unknown"]
        answers |= import_answers(unknown, sources.path, dump=False, began=lambda module: told(f"importing {module}"))
    return {pair: _resolved(pair, spelled, answers, registry) for pair, spelled in spellings.items()}


def _resolved(
    pair: tuple[str, str], spelled: list[str], answers: Mapping[str, Answer], registry: Registry | None
) -> Resolved:
    if not spelled:
        return Resolved("cannot tell", "no module has a name like that")
    first, last = answers[spelled[0]], answers[spelled[-1]]
    if first.kind in _THERE:
        return Resolved("found")
    if first.kind != "missing":
        return Resolved("unimportable" if first.kind == "unimportable" else "cannot tell", first.detail)
    if last.kind == "missing":
        return Resolved("gone", last.detail)
    if last.kind == "unimportable":
        return Resolved("unimportable", last.detail)
    return Resolved("former" if _is_former(pair, registry) else "found")


def _is_former(pair: tuple[str, str], registry: Registry | None) -> bool:
    spelled = target(*pair)
    return registry is not None and spelled is not None and registry.current(spelled) != spelled


def _spellings(pair: tuple[str, str], registry: Registry | None) -> list[str]:
    """Return the target that a name in a pickle spells, and the one that it leads to, if that is another one."""
    spelled = target(*pair)
    if spelled is None:
        return []
    today = registry.current(spelled) if registry is not None else spelled
    if today == spelled:
        today = target(*loaded(*pair, _PYTHON_2)) or spelled
    return list(dict.fromkeys((spelled, today)))
