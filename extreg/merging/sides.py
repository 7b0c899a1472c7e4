"""The sides of a three-way merge, and which of them may not change."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal, NamedTuple

from extreg.printable import printable
from extreg.registry.difference import Row, rows, same_meaning
from extreg.registry.model import Registry

Side = Literal["ours", "theirs"]
OTHER: Mapping[Side, Side] = {"ours": "theirs", "theirs": "ours"}


class Renumbering(NamedTuple):
    """A row of one side that gets another code; ``why`` completes the sentence "... because ..."."""

    side: Side
    old: int
    new: int
    target: str
    why: str

    def __str__(self) -> str:
        return f"{self.target} has code {self.new} from now on, not {self.old} ({self.side}): {self.why}"


class Contradiction(NamedTuple):
    """What no rule decides; ``hint`` says what a person may do."""

    where: str
    message: str
    hint: str

    def __str__(self) -> str:
        return f"{printable(f'{self.where}: {self.message}')}\n  hint: {printable(self.hint)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Upstream:
    """What is known about publication, in falling order of authority.

    ``published``: registries whose codes must not change, that of the default branch above all; ``pushed``: those
    that others may have fetched, such as the one the current branch tracks; ``side``: who keeps a code that none of
    them has.
    """

    published: tuple[Registry, ...] = ()
    pushed: tuple[Registry, ...] = ()
    side: Side = "ours"

    def keeper(self, ours: "tuple[int, Row]", theirs: "tuple[int, Row]") -> Side | None:
        """Return the side whose code stays, or None where both are published, so that neither may change."""
        known = [_known(self.published, *found) for found in (ours, theirs)]
        if all(known):
            return None
        if not any(known):
            known = [_known(self.pushed, *found) for found in (ours, theirs)]
        if all(known) or not any(known):
            return self.side
        return "ours" if known[0] else "theirs"

    def holds(self, code: int, row: Row) -> bool:
        """Whether `code` is published with the meaning of `row`."""
        return _known(self.published, code, row)


def _known(registries: tuple[Registry, ...], code: int, row: Row) -> bool:
    found = (row_of_code(registry, code) for registry in registries)
    return any(held is not None and same_meaning(held, row) for held in found)


def row_of_code(registry: Registry, code: int) -> Row | None:
    """Return the row of `code`, or None."""
    state = registry.state(code)
    if state is None:
        return None
    target = registry.target(code) or registry.retired[code]
    return Row(state, target, registry.moved.get(code, ()), registry.aliases.get(code, ()))


def renumber(registry: Registry, codes: Mapping[int, int]) -> Registry:
    """Return `registry` with the rows at the keys of `codes` at its values instead.

    A row that lands on the code of another one that stays there is dropped in its favour, its other names kept: they
    are the same target.
    """
    found = rows(registry)
    moving = {codes[code]: row for code, row in found.items() if code in codes}
    staying = {code: row for code, row in found.items() if code not in codes}
    for code in moving.keys() & staying.keys():
        names = dict.fromkeys((*staying[code].aliases, *moving[code].aliases))
        staying[code] = staying[code]._replace(aliases=tuple(names))
    return with_rows(registry, {**moving, **staying})


def with_rows(registry: Registry, found: Mapping[int, Row]) -> Registry:
    """Return `registry` with the rows `found` and no others; raise `RegistryError` when they contradict each other."""
    return replace(
        registry,
        codes={code: row.target for code, row in found.items() if row.state == "live"},
        load_only={code: row.target for code, row in found.items() if row.state == "load-only"},
        retired={code: row.target for code, row in found.items() if row.state == "retired"},
        moved={code: row.former for code, row in found.items() if row.former},
        aliases={code: row.aliases for code, row in found.items() if row.aliases},
    )
