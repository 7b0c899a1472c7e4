"""A copyreg that forgets what a test did to it."""

import copyreg
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from extreg.startup.changes import set_aside


@contextmanager
def isolated(*, empty: bool = False) -> Iterator[None]:
    """Undo, at the end, whatever is done to copyreg's three dictionaries of extension codes and its dispatch table.

    With `empty` the block starts without any extension code; reducers stay, for the standard library's own are among
    them. The dictionaries stay the same objects, which pickle holds on to since it was imported.
    """
    restore = _snapshot(empty)
    try:
        if empty:
            # Never a row in the first that is not in the second: such a code would be dumped and not be loaded.
            copyreg._extension_registry.clear()  # type: ignore[attr-defined]
            copyreg._inverted_registry.clear()  # type: ignore[attr-defined]
            copyreg._extension_cache.clear()  # type: ignore[attr-defined]
        yield
    finally:
        restore()


def _snapshot(empty: bool) -> Callable[[], None]:
    live: dict[object, object] = copyreg._extension_registry  # type: ignore[attr-defined]
    inverted: dict[object, object] = copyreg._inverted_registry  # type: ignore[attr-defined]
    cache: dict[object, object] = copyreg._extension_cache  # type: ignore[attr-defined]
    saved = [(target, dict(target)) for target in (live, inverted, cache)]
    table = sys.modules.get("extreg.reduce.table")
    reducers = dict(copyreg.dispatch_table)
    owners: Callable[[], None] | None = table.snapshot() if table is not None else None
    installations = set_aside(keep=not empty)

    def restore() -> None:
        installations()
        for target, _ in saved:
            target.clear()
        for target, rows in reversed(saved):
            target.update(rows)
        if owners is not None:
            owners()
        else:
            copyreg.dispatch_table.clear()
            copyreg.dispatch_table.update(reducers)

    return restore
