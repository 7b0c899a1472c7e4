"""What is told of files that cannot be read, or hold nothing that is."""

from collections.abc import Iterable

from extreg.stores.items import Fault

# How many faults of one file are told one by one: an archive of a few kilobytes may hold tens of thousands.
_TOLD = 20


def holding_none(passed: Iterable[str]) -> Fault:
    """Return what whoever named a file is told that holds no pickle, or none that is read."""
    kinds = ", ".join(sorted(passed))
    return Fault("", f"holds no pickle that is read ({kinds})" if kinds else "holds no pickle")


def capped(faults: list[Fault]) -> list[Fault]:
    """Return the first faults of a file, and how many more there are."""
    if len(faults) <= _TOLD:
        return faults
    return [*faults[:_TOLD], Fault("", f"and {len(faults) - _TOLD} more")]
