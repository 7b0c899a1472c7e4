"""Former names for plain pickle: `pickle.loads` finds what moved, by the exact name that it had.

One finder for the process stands first on `sys.meta_path` while there are rows.  Of a module that is not in the table
it says nothing; for one that is, it says what `extreg.healing.requests` says.  Nothing else is imported before that.
"""

import sys
from _thread import RLock

from extreg.ledger import locked

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from importlib.machinery import ModuleSpec
    from types import ModuleType

    # What a module had: for each qualified name the targets that it may be now, the likeliest first.
    Table = dict[str, dict[str, tuple[str, ...]]]

_lock = RLock()
_owners: "dict[object, Table]" = {}
# Replaced as a whole, so that readers need no lock: what all owners have, and the packages above that.
standing: "Table" = {}
packages: "frozenset[str]" = frozenset()


def table_of(rows: "Iterable[tuple[str, Sequence[str]]]") -> "Table":
    """Return the table of `rows`: each has a former target and what it may be now, the likeliest first."""
    table: Table = {}
    for former, now in rows:
        module, _, name = former.partition(":")
        names = table.setdefault(module, {})
        names[name] = (*names.get(name, ()), *(target for target in now if target not in names.get(name, ())))
    return table


def start(owner: object, tables: "Iterable[Table]") -> None:
    """Let plain pickle find the names of `tables`, until `stop` is called with the same `owner`, which is hashable.

    Called again, it is for these names and no longer for those of before.
    """
    try:
        locked(_lock, _put, owner, _merged(tables))
    except BaseException:
        stop(owner)
        raise


def stop(owner: object) -> None:
    """Forget the names of `owner`; the last one leaves everything as it was.  Twice is once."""
    if owner in _owners:
        locked(_lock, _put, owner, None)


def _put(owner: object, table: "Table | None") -> None:
    global standing, packages
    if table:
        _owners[owner] = table  # first: what is interrupted from here on can be stopped
    merged = _merged(rows for one, rows in _owners.items() if table or one is not owner)
    others = [finder for finder in sys.meta_path if finder is not FINDER]
    sys.meta_path[:] = [FINDER, *others] if merged else others  # in one step: others ask it meanwhile
    standing, packages = merged, frozenset(_above(merged))
    # Where a module is imported that has lost a name, or one below which there was another and that is no package.
    concerned = {*merged, *(above for above in packages if not _is_package(sys.modules.get(above)))}
    if "extreg.healing.requests" in sys.modules or not sys.modules.keys().isdisjoint(concerned):
        from extreg.healing.requests import settle

        settle(standing, {*standing, *packages}, FINDER)
    if not table:
        _owners.pop(owner, None)  # last: until then it can be stopped again


def _merged(tables: "Iterable[Table]") -> "Table":
    """Return one table of all; where several have a name, what the first has is the likeliest."""
    found = [table for table in tables if table]
    if len(found) == 1:
        return found[0]
    rows = ((module, names) for table in found for module, names in table.items())
    return table_of((f"{module}:{name}", now) for module, names in rows for name, now in names.items())


def _is_package(module: object) -> bool:
    try:
        # Past a lazy module's own __getattribute__, which would import it.
        return "__path__" in object.__getattribute__(module, "__dict__")
    except AttributeError:
        return False


def _above(modules: "Mapping[str, object]") -> "Iterable[str]":
    for module in modules:
        while "." in module:
            module = module.rpartition(".")[0]
            yield module


class _Finder:
    """The finder on `sys.meta_path`; of what the table does not have it says nothing."""

    def find_spec(
        self, name: str, path: "Sequence[str] | None" = None, target: "ModuleType | None" = None
    ) -> "ModuleSpec | None":
        """Return the spec of a stand-in where `name` is gone and an unpickler asks, else None, or another's spec."""
        if name not in standing and name not in packages:
            return None
        if "extreg.healing.requests" not in sys.modules:
            from extreg.healing.requests import settle

            settle(standing, {*standing, *packages}, self)
        from extreg.healing.requests import found

        return found(name, path, target, sys._getframe(1))


FINDER = _Finder()
