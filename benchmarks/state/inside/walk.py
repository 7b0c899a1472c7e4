"""The classes of a package, and objects of them."""

import enum
import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

from inside import guess
from inside.graph import name_of
from inside.quiet import TooLong, limited

_PASSED_OVER = {"tests", "test", "testing", "__main__", "conftest", "benchmarks", "_vendor", "vendor", "vendored"}
_MOST_PER_CLASS = 2


def classes(packages: list[str], skip: list[str]) -> list[type]:
    """Return the classes that the modules of some packages define, private modules' too."""
    found: dict[str, type] = {}
    for module in _modules(packages, skip):
        for value in list(vars(module).values()):
            if isinstance(value, type) and value.__module__ == module.__name__ and "<" not in value.__qualname__:
                found[name_of(value)] = value
    return [found[name] for name in sorted(found)]


def _modules(packages: list[str], skip: list[str]) -> Iterator[Any]:
    for package in packages:
        waiting = [package]
        while waiting:
            name = waiting.pop()
            if name in skip:
                continue
            try:
                with limited():
                    module = importlib.import_module(name)
            except (Exception, SystemExit, TooLong):
                continue
            yield module
            for found in pkgutil.iter_modules(getattr(module, "__path__", ()), name + "."):
                if found.name.rpartition(".")[2] not in _PASSED_OVER:
                    waiting.append(found.name)


def makers(kind: type) -> Iterator[tuple[str, Any, Any]]:
    """Yield a label, a function and its arguments for each way to make an object of a class, to take what works of."""
    name = name_of(kind)
    if issubclass(kind, enum.Enum):
        if kind.__members__:
            # Each member under its name: which one a value loads as is then seen.
            yield f"{name} members", lambda: dict(kind.__members__), None
        return
    if issubclass(kind, type):
        return
    for number, (args, named) in enumerate(guess.ways(kind)):
        yield f"{name} way {number}", lambda args=args, named=named: kind(*args, **named), (args, named)


def enough(done: int, label: str) -> bool:
    """Whether a class has its objects: two by what annotations and names tell, else one by trying."""
    return done >= (_MOST_PER_CLASS if label.endswith((" way 0", " way 1")) else 1)
