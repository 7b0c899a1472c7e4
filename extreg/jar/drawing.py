"""Drawing a value as a tree, a line for each part, whatever the values are: symbols of opcodes, or objects.

Nothing here recurses with the depth of a value, and each value is drawn once: where it is met again stands where it is.
"""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Sequence
from hashlib import sha256
from typing import Any, Final, NamedTuple

from extreg.jar.literals import digest

# How many lines are shown; of the rest a digest is, so that no difference passes unseen.
_LINES: Final = 1000
# From this depth on lines stay where they are, and say how deep they should be.
_DEEPEST: Final = 40
_PATH: Final = 200
# How deep sets in sets are put in order, and keys are written out.
_NESTED: Final = 20
# How much is looked at to tell two values apart that look the same.
_GIST: Final = 10_000

Part = tuple[str, Any]


class Look(NamedTuple):
    """What is seen of one value: its ``label``, its ``parts`` by their keys, and whether it matters that it is
    ``shared``, which it does where it can be changed or holds something that can.
    """

    label: str
    parts: Sequence[Part] = ()
    shared: bool = False


class Looks(ABC):
    """Looks at values, at each once; all that were looked at are kept, so that their ids stay theirs."""

    def __init__(self) -> None:
        self._known: dict[int, tuple[Any, Look]] = {}
        self._depth = 0

    @abstractmethod
    def see(self, value: Any) -> Look:
        """Return what is seen of `value`."""

    def look(self, value: Any) -> Look:
        """Return what `see` returned of `value`."""
        known = self._known.get(id(value))
        if known is None:
            known = self._known[id(value)] = (value, self.see(value))
        return known[1]

    def sorted(self, values: Iterable[Any]) -> list[Part]:
        """Return the members of a set as parts, in an order that depends on nothing but what they look like."""
        found = list(values)
        if self._depth < _NESTED:
            self._depth += 1
            try:
                found.sort(key=lambda value: (self.look(value).label, self._gist(value)))
            finally:
                self._depth -= 1
        return [("{}", value) for value in found]

    def key(self, value: Any, depth: int = 0) -> str:
        """Return a key of a dictionary in one line."""
        seen = self.look(value)
        if not seen.parts:
            return seen.label
        if seen.label.startswith("tuple ") and depth < _NESTED and len(seen.parts) < _NESTED:
            shown = f"({', '.join(self.key(part, depth + 1) for _, part in seen.parts)})"
            if len(shown) <= _PATH:
                return shown
        return f"{seen.label} #{self._gist(value)}"

    def _gist(self, value: Any) -> str:
        """Return digits by which values that have the same label can be told apart; nothing where the label is all."""
        if not self.look(value).parts:
            return ""
        found, waiting, seen, left = sha256(), [("", value)], set[int](), _GIST
        while waiting and left:
            left -= 1
            key, part = waiting.pop()
            looked = self.look(part)
            found.update(f"{key}\0{looked.label}\0".encode("utf-8", "surrogatepass"))
            if id(part) not in seen:
                seen.add(id(part))
                waiting += reversed(looked.parts)
        return found.hexdigest()[:16]


def draw(root: Any, looks: Looks) -> Iterator[tuple[str, str, Any]]:
    """Yield for each part of `root`, itself first, the line that shows it, where it is, and the part."""
    waiting: list[tuple[int, str, Any, str]] = [(0, "", root, "")]
    places: dict[int, str] = {}
    while waiting:
        depth, key, value, place = waiting.pop()
        label, parts, shared = looks.look(value)
        if shared:
            if id(value) in places:
                yield _line(depth, key, f"the same as {places[id(value)] or 'the whole'}"), place, None
                continue
            places[id(value)] = place
        yield _line(depth, key, label), place, value
        waiting += [(depth + 1, name, part, _below(place, name)) for name, part in reversed(parts)]


def capped(lines: Iterable[str]) -> list[str]:
    """Return lines, of very many the first, with how many more there are and a digest of them."""
    shown: list[str] = []
    more, rest = 0, sha256()
    for line in lines:
        if len(shown) < _LINES:
            shown.append(line)
        else:
            more += 1
            rest.update(line.encode("utf-8", "surrogatepass") + b"\n")
    return [*shown, f"and {more} more lines (sha256 {rest.hexdigest()[:16]})"] if more else shown


def _line(depth: int, key: str, label: str) -> str:
    said = f"{key}: {label}" if key else label
    return f"{'  ' * depth}{said}" if depth <= _DEEPEST else f"{'  ' * _DEEPEST}({depth} deep) {said}"


def _below(place: str, key: str) -> str:
    found = f"{place}{key}"
    # A path as long as its depth would take time with the square of that.
    return found if len(found) <= _PATH else f"~{digest(found.encode('utf-8', 'surrogatepass'))}"
