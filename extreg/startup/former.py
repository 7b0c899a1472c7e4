"""What plain pickle is to find by former names, worked out of what registry files record."""

from extreg.healing import table_of
from extreg.ledger import Rows
from extreg.registry.model import Registry
from extreg.registry.renames import Names
from extreg.startup.shown import registry_of

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from extreg.healing import Table


def fill(layers: tuple[Rows, ...]) -> int:
    """Give each of the `layers` its table of former names; return -1, the number of caches that have it."""
    for rows in layers:
        rows.rest["former"] = _table(registry_of(rows))
    return -1


def _table(registry: Registry) -> "Table":
    """Return the former and other names that `registry` records, each with what it may be now, the likeliest first.

    A name that a code means here is none of them, unless something was renamed to it; nor is what is only below a
    renamed module.
    """
    return table_of((name, now) for name in _recorded(registry) if (now := _others(registry, name)))


def _recorded(registry: Registry) -> "Iterator[str]":
    names = registry.derived(Names)
    found = [name for table in (registry.moved, registry.aliases) for row in table.values() for name in row]
    found += [name for name in registry.renamed if ":" in name]
    yield from dict.fromkeys(name for name in found if name not in names.current)
    # Backwards too, for the names of codes as well: a library may be older than the row.
    yield from dict.fromkeys(name for name in registry.renamed.values() if ":" in name and name not in found)


def _others(registry: Registry, name: str) -> tuple[str, ...]:
    return tuple(other for other in registry.names(name) if other != name)
