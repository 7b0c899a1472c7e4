"""From cells to counts: what was found in each, added up, with the files that have several cells counted once."""

from collections.abc import Callable, Iterable

from extreg.census.counts import Counts, Told, Total, add_totals, add_uses
from extreg.census.examine import Examined
from extreg.census.position import Group
from extreg.compiled import core
from extreg.stores.faults import capped
from extreg.stores.items import Fault, Passed


class Adder:
    """Adds up cells, one after the other, whose keys `split` divides into the file, or other cell, and its member.

    It tells where there is the ``code``, if one is looked for.  ``counts`` is what was added up since the last `take`,
    and ``group`` the file of the last cell, which may go on.  ``plain`` counts a cell by the compiled core and tells
    whether it did: it leaves to `add` all that may hold more than pickles, and there is one only where ``each`` cell is
    a file of its own.
    """

    def __init__(
        self,
        split: Callable[[str], tuple[str, str]],
        group: Group | None = None,
        *,
        code: int | None = None,
        each: bool = False,
    ) -> None:
        self.counts = Counts()
        self.group = group
        self._split = split
        self._code = code
        self._cells = core.Cells() if core is not None and each and group is None and code is None else None
        self.plain: Callable[[bytes], bool] | None = None if self._cells is None else self._cells.add

    def add(self, key: str, found: Examined) -> None:
        """Add what was found in the cell that is called `key`."""
        counts = self.counts
        counts.cells += 1
        path, member = self._split(key)
        group = self._open(path)
        counts.pickles += found.pickles
        counts.bytes += found.size
        counts.unresolved += found.unresolved
        group.holds |= found.holds or found.pickles > 0
        add_uses(counts.codes, found.codes, group.codes)
        add_uses(counts.globals, found.globals, group.globals)
        if self._code in found.codes:
            counts.find(path, found.codes[self._code])
        if found.faults:
            group.wrong = True
            told = [Told(path, _inner(member, fault.member), fault.message) for fault in capped(found.faults)]
            counts.tell(len(found.faults), told)
        if found.passed:
            group.wrong = True
            counts.pass_over(path, found.passed)
        if not member:
            self.close()

    def note_all(self, items: Iterable[Fault | Passed]) -> None:
        """Add cells that cannot be read, or are passed over."""
        for item in items:
            self._note(item)

    def _note(self, item: Fault | Passed) -> None:
        path, member = self._split(item.member)
        group = self._open(path)
        group.wrong = True
        self.counts.cells += 1
        if isinstance(item, Fault):
            self.counts.tell(1, [Told(path, member, item.message)])
        else:
            self.counts.pass_over(path, {item.kind: 1})
        if not member:
            self.close()

    def close(self) -> None:
        """Count the file that is open: nothing more of it comes."""
        if self.group is not None:
            self.counts.holding += self.group.holds
            self.counts.without += not self.group.holds and not self.group.wrong
        self.group = None

    def take(self) -> Counts:
        """Return what was added up since the last time."""
        counts, self.counts = self.counts, Counts()
        if self._cells is not None:
            cells, pickles, size, unresolved, named, codes = self._cells.take()
            counts.cells += cells
            counts.holding += cells
            counts.pickles += pickles
            counts.bytes += size
            counts.unresolved += unresolved
            add_totals(counts.codes, {code: Total._make(total) for code, total in codes.items()})
            add_totals(counts.globals, {name: Total._make(total) for name, total in named.items()})
        return counts

    def _open(self, path: str) -> Group:
        if self.group is None or self.group.key != path:
            self.close()
            self.group = Group(path)
        return self.group


def _inner(member: str, deeper: str) -> str:
    return "::".join(part for part in (member, deeper) if part)
