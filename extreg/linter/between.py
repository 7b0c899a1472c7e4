"""What became of the state of classes between the base and now: both sources are read, nothing is imported."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import NamedTuple

from extreg.linter.context import LOADED, StateChange
from extreg.registry.document import Document
from extreg.shapes.compare import compare
from extreg.shapes.cures import staged
from extreg.shapes.earlier import CommitFiles, Earlier, FolderFiles, Today, roots_below
from extreg.shapes.following import World
from extreg.shapes.lineage import CEILING
from extreg.shapes.shape import Shape
from extreg.shapes.shaping import Shaper
from extreg.shapes.signatures import Parameters
from extreg.targets.trees import Sources

_TOLD = 3


class Pair(NamedTuple):
    """A class or function on both sides, and what messages call it."""

    who: str
    then: str
    now: str


@dataclass(slots=True)
class Comparison:
    """What `Comparer` found: the changes, the texts of the files that they stand in, and what cannot be told."""

    changes: list[StateChange] = field(default_factory=list)
    texts: dict[str, str] = field(default_factory=dict)
    unknown: dict[str, str] = field(default_factory=dict)

    @property
    def note(self) -> str:
        """One line on what cannot be told from the sources, or an empty string."""
        if not self.unknown:
            return ""
        told = [f"{target} ({why})" for target, why in list(self.unknown.items())[:_TOLD]]
        more = f" and {len(self.unknown) - _TOLD} more" if len(self.unknown) > _TOLD else ""
        return f"what pickles hold cannot be told from source for {', '.join(told)}{more}"


class Comparer:
    """Compares what the sources of today say with what those of `earlier` said."""

    def __init__(self, today: Today, earlier: Earlier, then: str) -> None:
        self.today = today
        self.earlier = earlier
        self.then = then

    def compare(
        self, pairs: Iterable[Pair], *, reducers: "tuple[frozenset[str], frozenset[str]]", rolling: bool
    ) -> Comparison:
        """Return what became of `pairs`; `reducers` are the targets that have one, then and now."""
        every = list(pairs)
        old = Shaper(World(self.earlier.load, self.earlier.is_own), reducers[0])
        new = Shaper(World(self.today.load, self.today.is_own), reducers[1])
        self.earlier.prepare({pair.then.partition(":")[0] for pair in every})
        found = Comparison()
        for pair in every:
            self._pair(found, pair, old, new, rolling)
        return found

    def _pair(self, found: Comparison, pair: Pair, old: Shaper, new: Shaper, rolling: bool) -> None:
        after = new.shape(pair.now)
        modules = frozenset(new.world.loaded)
        if pair.then == pair.now and self._same(modules):
            return
        before = old.shape(pair.then)
        if not isinstance(before, Shape) or not isinstance(after, Shape):
            return  # what leads nowhere is another rule's
        unknown = after.unknown or before.unknown
        if unknown:
            found.unknown[pair.now] = unknown
            return
        ways = [(before, after, new, False)] + ([(after, before, old, True)] if rolling else [])
        for wrote, reads, reader, back in ways:
            for change in compare(wrote, reads, _functions(reader)):
                if back and change.rule == "version-lowered":
                    change = replace(change, rule="unstaged-version", edits=(staged(wrote, reads),))
                path, text = self._place(after.place.module)
                found.texts[path] = text
                found.changes.append(StateChange(change, pair.who, self.then, back, path, after.place.line))

    def _same(self, modules: frozenset[str]) -> bool:
        """Whether everything that a shape of today was read from is as it was; what was cut off is not."""
        return len(modules) <= CEILING and all(self.earlier.load(name) is self.today.load(name) for name in modules)

    def _place(self, module: str) -> tuple[str, str]:
        origin = self.today.sources.origin(module) or module
        return origin, self.today.sources.text(origin)


def _functions(shaper: Shaper) -> "Callable[[str], Parameters | None]":
    def function(target: str) -> Parameters | None:
        found = shaper.shape(target)
        return found.parameters if isinstance(found, Shape) and found.kind == "function" and not found.unknown else None

    return function


def pairs(base: Document, document: Document, extra: Iterable[str] = ()) -> Iterator[Pair]:
    """Yield what has a code on both sides, and the targets in `extra`, each once."""
    then = _by_code(base)
    moved = document.tables.moved
    seen: set[str] = set()
    for code, target in _by_code(document).items():
        before = then.get(code)
        if before is None or (before != target and before not in moved.get(code, ())) or target in seen:
            continue
        seen.add(target)
        yield Pair(f"code {code} ({target})", before, target)
    for target in extra:
        if target not in seen:
            seen.add(target)
            yield Pair(target, target, target)


def _by_code(document: Document) -> dict[int, str]:
    tables: Mapping[str, Mapping[int, str]] = document.tables.code_tables
    return {code: target for table in LOADED for code, target in tables[table].items()}


def comparer(sources: Sources, *, against: str, registry: Path, folders: Iterable[Path]) -> Comparer | None:
    """Return what compares today's `sources` with those at `against`: a git ref, or the path of an older registry file.

    `folders` are those that the project's modules are imported from.  None where there are no older sources: beside an
    older copy of the file lies no project.  Raises `UnreadableError` where git cannot list the commit.
    """
    today = Today(sources)
    if Path(against).is_file():
        old = Path(against).absolute().parent
        if old.resolve() == registry.absolute().parent.resolve():
            return None
        return Comparer(today, Earlier(FolderFiles(old), ["", "src/"], today), against)
    files = CommitFiles(registry.absolute().parent, against.partition(":")[0])
    return Comparer(today, Earlier(files, roots_below(files.top, folders), today), against)
