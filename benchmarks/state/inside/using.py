"""What is done with a loaded object, and what it says to that."""

import copy
import pickle
import types
from collections.abc import Callable, Iterator
from typing import Any

from inside.quiet import TooLong, limited, said

PROTOCOL = 4
_LATER = (types.AsyncGeneratorType, types.CoroutineType, types.GeneratorType)


def uses(obj: Any, again: Any) -> Iterator[tuple[str, Callable[[], object]]]:
    """Yield what every object takes: printing, comparing, hashing, copying, dumping, its public properties."""
    yield "repr", lambda: repr(obj)
    yield "str", lambda: str(obj)
    yield "==", lambda: obj == again
    yield "hash", lambda: hash(obj)
    yield "bool", lambda: bool(obj)
    yield "len", lambda: len(obj)
    yield "list", lambda: [item for item, _ in zip(obj, range(50), strict=False)]
    yield "copy", lambda: copy.copy(obj)
    yield "deepcopy", lambda: copy.deepcopy(obj)
    yield "dump", lambda: pickle.loads(pickle.dumps(obj, PROTOCOL))
    names = {
        name
        for kind in type(obj).__mro__
        for name, value in vars(kind).items()
        if not name.startswith("_") and isinstance(value, property)
    }
    for name in sorted(names):
        yield f".{name}", lambda name=name: getattr(obj, name)


def broken(obj: Any, again: Any) -> dict[str, str]:
    """Return the uses that raise, with what they say."""
    found = {}
    for name, use in uses(obj, again):
        try:
            with limited():
                result = use()
                if isinstance(result, _LATER):
                    result.close()
        except (Exception, SystemExit, TooLong) as error:
            found[name] = said(error)
    return found
