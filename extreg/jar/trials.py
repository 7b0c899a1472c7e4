"""What pickles become today: they are loaded in a child process, which may hang or crash and costs only its pickle."""

import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from extreg.errors import UnreadableError
from extreg.jar.certain import Lack
from extreg.jar.objects import Gap
from extreg.jar.probing import Raised
from extreg.registry.model import Registry
from extreg.registry.toml.render import render
from extreg.targets.interview import Interview

SECONDS: Final = 30.0
# A process needs time to begin, whatever a pickle has to load.
_BEGINNING: Final = 60.0
_PROGRAM: Final = "extreg.jar.loader"


class Trial(NamedTuple):
    """A pickle to be loaded: the ``name`` its answer is known by, its ``file``, and the protocol to dump it by."""

    name: str
    file: Path
    protocol: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a pickle has become.

    ``tree`` are the lines that show it, None where it does not load: then ``error`` says why, and ``hint`` what to do.
    ``lacks`` are attributes that its objects should have, ``raised`` what is raised by using it, ``libraries`` the
    versions of the distributions that its classes are from, ``types`` a digest of the types of all that is in it.
    """

    tree: tuple[str, ...] | None = None
    error: str = ""
    hint: str = ""
    lacks: tuple[Gap, ...] = ()
    raised: tuple[Raised, ...] = ()
    libraries: dict[str, str] = field(default_factory=dict)
    types: str = ""


def tried(
    trials: Iterable[Trial],
    registry: Registry,
    path: list[str],
    *,
    seconds: float = SECONDS,
    more: bool = False,
) -> Iterator[tuple[str, Answer]]:
    """Yield for each of `trials` its name and what it has become under `registry`, with `path` as ``sys.path``.

    All are loaded by one process.  One that takes longer than `seconds`, or brings the process down, has that for its
    answer, and the others are loaded by a new process.  `more` asks for libraries and types.
    """
    waiting = list(trials)
    while waiting:
        asked = {
            "path": path,
            "registry": render(registry),
            "pickles": [(trial.name, str(trial.file.absolute()), trial.protocol) for trial in waiting],
            "more": more,
        }
        child = Interview(_PROGRAM, asked, quiet=True)
        done, begun = 0, False
        for kind, *parts in child.answers(seconds, beginning=_BEGINNING):
            if kind == "answer":
                done += 1
                yield parts[0], _answer(parts[1])
            begun = kind == "pickle"
        waiting = waiting[done:]
        if waiting and begun:
            culprit = waiting.pop(0)
            yield culprit.name, Answer(error=f"loading it {child.ending(seconds)}")
        elif waiting:  # nobody's fault but ours
            raise UnreadableError(f"{sys.executable} does not run, so nothing can be loaded in a child process")


def _answer(said: dict[str, Any]) -> Answer:
    if "error" in said:
        return Answer(error=said["error"], hint=said["hint"])
    return Answer(
        tree=tuple(said["tree"]),
        lacks=tuple(Gap(place, owner, line, Lack(*lack)) for place, owner, line, lack in said["lacks"]),
        raised=tuple(Raised(*parts) for parts in said["raised"]),
        libraries=said["libraries"],
        types=said["types"],
    )
