"""What stands in copyreg in this process, whoever put it there: a few plain values, to be compared with another's."""

import os
from hashlib import sha256
from typing import NamedTuple

from extreg.ledger import CODES, INVERTED, RETIRED, ledger

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from extreg.ledger import Key


class Standing(NamedTuple):
    """The rows of ``copyreg`` in one process, in short; see `standing`.

    Made of plain values, so that any serializer takes it from one process to another.
    """

    fingerprint: str
    codes: int
    load_only: int
    pid: int

    def __str__(self) -> str:
        return (
            f"process {self.pid}: {self.codes} live and {self.load_only} load-only codes "
            f"stand in copyreg, fingerprint {self.fingerprint}"
        )


def standing() -> Standing:
    """Return what stands in copyreg in this process, whoever put it there.

    ``fingerprint`` is sixteen hexadecimal digits over all that stands, in the order of the codes: two processes in
    which it is the same write and read the same codes.  It has no relation to `Registry.fingerprint`.  ``codes`` is
    how many codes are written, ``load_only`` how many are read only, ``pid`` the process.  It takes about half a
    microsecond for each code.
    """
    # Copies made by one C call each; under the lock none of ours goes in or out between the two.
    return standing_of(*ledger.locked(_copies))


def _copies() -> "tuple[dict[Key, int], dict[int, Key]]":
    return dict(CODES), dict(INVERTED)


def standing_of(live: "Mapping[Key, int]", inverted: "Mapping[int, Key]") -> Standing:
    """Return the same of rows as copyreg has them: by key what is written, by code what is read."""
    dumped = set(live.values())
    load_only = sum(key[0] != RETIRED and code not in dumped for code, key in inverted.items())
    digest = sha256("\n".join(_lines(live, inverted, dumped)).encode("utf-8", "surrogatepass"))
    return Standing(digest.hexdigest()[:16], len(dumped), load_only, os.getpid())


def _lines(live: "Mapping[Key, int]", inverted: "Mapping[int, Key]", dumped: "set[int]") -> "Iterator[str]":
    for code in sorted(inverted):
        module, name = inverted[code]
        # The name of a retired code's row is a sentence, and not what it means.
        yield f"{code}\0retired" if module == RETIRED else f"{code}\0{module}\0{name}\0{code in dumped}"
    # Other names under which a code is written, and rows that somebody put in by halves.
    yield from sorted(f"{code}\0{key[0]}\0{key[1]}" for key, code in live.items() if inverted.get(code) != key)
