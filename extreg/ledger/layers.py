"""Merging: what several registries say to copyreg together, and where they contradict each other."""

from extreg.ledger import RETIRED, Stand

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from extreg.ledger import Key, Rows


class Clash:
    """A row of `rows`, ``code`` meaning ``key``, that cannot stand because ``held_code`` means ``held_key``."""

    __slots__ = ("code", "held_code", "held_key", "key", "rows")

    def __init__(self, rows: "Rows", code: int, key: "Key", held_code: int, held_key: "Key") -> None:
        self.rows = rows
        self.code = code
        self.key = key
        self.held_code = held_code
        self.held_key = held_key


def merge(
    base: Stand, layers: "Iterable[tuple[Rows, str]]", settled: "Mapping[int, Key]"
) -> "tuple[Stand, list[Clash]]":
    """Return what stands when the `layers` are put on `base` in order, and the clashes among them.

    Each layer comes with its policy: ``"error"`` records a clash, ``"replace"`` takes the place, ``"keep"`` leaves
    it.  ``"settle"`` is for layers that were let in before: the row that stands already (in `settled`) goes on
    standing.
    """
    stand = base
    clashes: list[Clash] = []
    for rows, policy in layers:
        if not (stand.inverted or stand.live or stand.retired):
            stand = Stand(rows.live, rows.inverted, rows.retired)  # by far the most common: one registry, no copy
            continue
        bulk = _takes(stand, rows)
        stand = Stand(dict(stand.live), dict(stand.inverted), dict(stand.retired))
        if bulk:
            stand.inverted.update(rows.inverted)
            stand.live.update(rows.live)
            stand.retired.update(rows.retired)
        else:
            _Layer(stand, rows, policy, settled, clashes).add()
    return stand, clashes


class _Layer:
    """One layer while it is put on a stand row by row."""

    __slots__ = ("clashes", "policy", "rows", "settled", "stand")

    def __init__(
        self, stand: Stand, rows: "Rows", policy: str, settled: "Mapping[int, Key]", clashes: "list[Clash]"
    ) -> None:
        self.stand = stand
        self.rows = rows
        self.policy = policy
        self.settled = settled
        self.clashes = clashes

    def add(self) -> None:
        stand, live, retired = self.stand, self.rows.live, self.rows.retired
        for code, key in retired.items():
            # What still loads for somebody goes on loading, and of two that say it is retired the first has the word.
            held = self._loaded(code)
            if self._goes_in(code, key, [] if held is None or held == key else [(code, held)]):
                stand.retired.setdefault(code, key)
                stand.inverted.setdefault(code, self.rows.inverted[code])
        for code, key in self.rows.inverted.items():
            if code not in retired and self._goes_in(code, key, self._in_the_way(code, key)):
                stand.inverted[code] = key
                if live.get(key) == code:
                    stand.live[key] = code
        if len(live) > len({*live.values()}):
            self._add_aliases()

    def _add_aliases(self) -> None:
        """Put in the other names of targets whose rows stand."""
        stand, inverted = self.stand, self.rows.inverted
        for key, code in self.rows.live.items():
            if inverted[code] == key or stand.inverted.get(code) != inverted[code]:
                continue
            held = stand.live.get(key)
            if self._goes_in(code, key, [] if held in (None, code) else [(held, key)]):
                stand.live[key] = code

    def _loaded(self, code: int) -> "Key | None":
        """Return what `code` loads, unless it is nothing."""
        held = self.stand.inverted.get(code)
        return None if held is None or held[0] == RETIRED else held

    def _in_the_way(self, code: int, key: "Key") -> "list[tuple[int, Key]]":
        stand = self.stand
        held = [other for other in (self._loaded(code), stand.retired.get(code)) if other not in (None, key)]
        found = [(code, other) for other in held if other is not None]
        other_code = stand.live.get(key)
        if other_code not in (None, code) and self.rows.live.get(key) == code:
            found.append((other_code, key))
        return found

    def _goes_in(self, code: int, key: "Key", in_the_way: "list[tuple[int, Key]]") -> bool:
        """Return whether the row goes in, after making room for it where the policy says so."""
        if not in_the_way:
            return True
        if self.policy == "replace" or (self.policy == "settle" and self.settled.get(code) == self.rows.inverted[code]):
            for held_code, held_key in in_the_way:
                self._take_out(held_code, held_key)
            return True
        if self.policy == "error":
            self.clashes += [Clash(self.rows, code, key, *held) for held in in_the_way]
        return False

    def _take_out(self, code: int, key: "Key") -> None:
        stand = self.stand
        if stand.live.get(key) == code:
            del stand.live[key]
        if stand.inverted.get(code) == key:
            for alias in [other for other, held in stand.live.items() if held == code]:
                del stand.live[alias]
        if stand.retired.get(code) == key:
            del stand.retired[code]
            if self._loaded(code) is None:
                stand.inverted.pop(code, None)
        if stand.inverted.get(code) == key:
            del stand.inverted[code]


def _takes(stand: Stand, rows: "Rows") -> bool:
    """Whether `rows` can be added without looking at any single one of them: no key and no code is shared."""
    codes = stand.inverted.keys()
    return (
        codes.isdisjoint(rows.inverted)
        and stand.live.keys().isdisjoint(rows.live)
        and stand.retired.keys().isdisjoint(rows.inverted)
    )
