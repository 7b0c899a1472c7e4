"""Whether the code of today still has what pickles name, as far as the sources tell: nothing is imported."""

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

from extreg.linter.settings import read_settings
from extreg.pickles.walking.names import loaded, target
from extreg.project.import_path import registry_folders
from extreg.registry.model import Registry
from extreg.targets.trees import Sources

Resolved = Literal["found", "former", "gone", "cannot tell"]
_PYTHON_2 = 2  # the highest protocol of which the names may be Python 2's
_THERE = frozenset({"found", "reexported"})


def resolve(
    names: Iterable[tuple[str, str]], registry: Registry | None, path: Path | None
) -> dict[tuple[str, str], Resolved]:
    """Return for each module and name what becomes of it in the code of today.

    ``found``: it is there, or what Python 2 called so; ``former``: it is not, and `registry` knows what it is called
    now; ``gone``: neither is there; ``cannot tell``: only running the code could.  Modules are looked for where lint
    looks for those of the registry file at `path`, without one from the working directory.
    """
    folder = path.absolute().parent if path is not None else Path.cwd()
    settings = read_settings(folder)
    own = registry_folders(path) if path is not None else [folder]
    sources = Sources([settings.folder, *settings.path, *own])
    spellings = {pair: _spellings(pair, registry) for pair in names}
    answers = sources.answers({name for spelled in spellings.values() for name in spelled})
    found: dict[tuple[str, str], Resolved] = {}
    for pair, spelled in spellings.items():
        kinds = [answers[name].kind for name in spelled]
        if not kinds or (kinds[0] != "missing" and kinds[0] not in _THERE):
            found[pair] = "cannot tell"
        elif kinds[0] in _THERE or (len(kinds) > 1 and kinds[-1] != "missing" and not _is_former(pair, registry)):
            found[pair] = "found"
        else:
            found[pair] = "former" if kinds[-1] != "missing" else "gone"
    return found


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
