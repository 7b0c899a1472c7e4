"""Which codes have a sample in a jar."""

from collections.abc import Iterable

from extreg.jar.entries import Entry
from extreg.registry.model import Registry


def unsampled(registry: Registry, entries: Iterable[Entry]) -> dict[int, str]:
    """Return the live codes, with their targets, that no entry refers to: by code, or by any name of the target."""
    codes: set[int] = set()
    names: set[str] = set()
    for entry in entries:
        codes.update(entry.codes)
        names.update(entry.names)
    known = {registry.current(name) for name in names} | names
    return {code: target for code, target in registry.codes.items() if code not in codes and target not in known}
