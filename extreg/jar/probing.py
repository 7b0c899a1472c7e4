"""What an object that a pickle has become can still do: be shown, hashed, copied and dumped."""

import copy
import re
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any, Final, NamedTuple

from extreg.registry.model import Registry
from extreg.scoped import dumps

# What differs from run to run in the `repr` of an object.
_ADDRESS: Final = re.compile(r" at 0x[0-9a-fA-F]+\b")
_LONGEST: Final = 300
_CONTAINERS: Final = frozenset({list, tuple, dict, set, frozenset})
# A dataclass that is frozen and holds a list never could be hashed.
_UNHASHABLE: Final = "unhashable type"


class Raised(NamedTuple):
    """An exception that something raises with an object of class ``owner``: of type ``kind``, with a ``message``."""

    what: str
    owner: str
    kind: str
    message: str


def raised(objects: list[Any], name_of: Callable[[type], str], registry: Registry, protocol: int) -> Iterator[Raised]:
    """Yield what is raised by showing and hashing an object of each class, and by copying and dumping the first of
    `objects`, which holds the others.
    """
    root = objects[0] if objects else None
    first = {type(found): found for found in reversed(objects)}
    for cls, found in first.items():
        if cls in _CONTAINERS:  # which raise what those raise that they hold
            continue
        yield from _tried("repr", name_of(cls), partial(repr, found))
        if getattr(cls, "__hash__", None) is not None:
            yield from _tried("hash", name_of(cls), partial(hash, found))
    if root is not None:
        owner = name_of(type(root))
        yield from _tried("copy", owner, partial(copy.copy, root))
        yield from _tried("deepcopy", owner, partial(copy.deepcopy, root))
        yield from _tried("dump", owner, partial(dumps, root, registry, protocol))


def described(error: BaseException) -> tuple[str, str]:
    """Return the type of an exception and what it says, in one line and without addresses."""
    try:
        said = _ADDRESS.sub("", " ".join(str(error).split()))
    except BaseException:  # noqa: BLE001 - even saying what went wrong is user code
        said = ""
    return type(error).__name__, said if len(said) <= _LONGEST else f"{said[:_LONGEST]}..."


def _tried(what: str, owner: str, act: Callable[[], object]) -> Iterator[Raised]:
    try:
        act()
    except BaseException as error:  # noqa: BLE001 - user code may raise anything, SystemExit too
        kind, message = described(error)
        if not (what == "hash" and kind == "TypeError" and _UNHASHABLE in message):
            yield Raised(what, owner, kind, message)
