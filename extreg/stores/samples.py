"""Single pickles out of what is stored: all of a file, or so many for each code and target."""

from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from typing import NamedTuple

from extreg.errors import ForbiddenGlobalError, MalformedPickleError
from extreg.pickles.scanner import scan
from extreg.pickles.tally import Tally, beginnings
from extreg.pickles.walking.carried import is_carried
from extreg.pickles.walking.names import loaded
from extreg.registry.model import Registry
from extreg.scoped.permits import is_legacy, permits_of
from extreg.stores.contents import contents
from extreg.stores.files import Found
from extreg.stores.inside import read
from extreg.stores.items import Blob, Fault, Passed

_CARRIED = "its pickles share a memo, so that none of them can be loaded without those before it"


class Single(NamedTuple):
    """One pickle; ``member`` says where in a file, and ``number`` which of a row it is, from 1."""

    member: str
    number: int
    data: bytes


def singles(found: Found) -> Iterator[Single | Fault | Passed]:
    """Yield the pickles in a file one by one, whatever lies around them, and what keeps others from being read."""
    for item in read(contents(found)):
        if isinstance(item, (Fault, Passed)):
            yield item
        else:
            yield from _in_row(*item)


def _in_row(blob: Blob, counted: Tally) -> Iterator[Single | Fault]:
    with memoryview(blob.data) as view, view[: counted.whole] as whole:
        if counted.pickles > 1 and is_carried(whole):
            yield Fault(blob.member, _CARRIED)
            return
        for number, (begin, end) in enumerate(pairwise(beginnings(whole)), 1):
            yield Single(blob.member, number, bytes(whole[begin:end]))


class Selection:
    """Chooses pickles until there are ``each`` for every code and target that `registry` holds.

    ``forbidden`` counts those that refer to what it does not hold, and ``without`` those that refer to nothing.
    """

    def __init__(self, registry: Registry, each: int) -> None:
        self.forbidden = 0
        self.without = 0
        self._registry = registry
        self._permits = permits_of(registry)
        self._each = each
        self._taken: Counter[str] = Counter()

    def takes(self, data: bytes) -> bool:
        """Tell whether a pickle has anything of which there is not enough yet, and take note of it if so."""
        try:
            self._permits.check(data, fix_imports=True)
        except ForbiddenGlobalError:
            self.forbidden += 1
            return False
        except MalformedPickleError:
            return False
        subjects = self._subjects(data)
        self.without += not subjects
        if all(self._taken[subject] >= self._each for subject in subjects):
            return False
        self._taken.update(subjects)
        return True

    def _subjects(self, data: bytes) -> set[str]:
        """Return the targets of today, of those that the registry holds, to which a pickle refers."""
        registry, found = self._registry, scan(data)
        protocol = 2 if is_legacy(data, True) else 3
        parts = [name.partition(":") for name in found.globals]
        names = [":".join(loaded(module, name, protocol)) for module, _, name in parts]
        held = {*registry.codes.values(), *registry.load_only.values()}
        by_code = {target for code in found.codes if (target := registry.target(code)) is not None}
        return by_code | {today for name in names if (today := registry.current(name)) in held}
