"""Former names for plain pickle: `pickle.loads` finds what moved, by the exact name that it had.

Here is only what stands; `extreg.healing.hook` starts and stops it.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    # What a module had: for each qualified name the targets that it may be now, the likeliest first.
    Table = dict[str, dict[str, tuple[str, ...]]]

# Replaced as a whole, so that readers need no lock: what all owners have, and the packages above that.
standing: "Table" = {}
packages: "frozenset[str]" = frozenset()
# Our finder on `sys.meta_path`, once it has been made.
finder: object = None


def table_of(rows: "Iterable[tuple[str, Sequence[str]]]") -> "Table":
    """Return the table of `rows`: each has a former target and what it may be now, the likeliest first."""
    table: Table = {}
    for former, now in rows:
        module, _, name = former.partition(":")
        names = table.setdefault(module, {})
        names[name] = (*names.get(name, ()), *(target for target in now if target not in names.get(name, ())))
    return table
