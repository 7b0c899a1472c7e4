"""A reducer that is looked up and checked when it is first used."""

import sys

from extreg import importhook

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


class FirstUse:
    """What stands in the dispatch table until a reduction function has shown that it works.

    Made with the `function`, or with its `target`, which is imported at the first dump and not before.  With `error`
    it only ever raises that: the error of a row that could not be bound while somebody else's import ran.
    """

    def __init__(
        self, *, function: "Any" = None, target: str = "", place: str = "", error: "Exception | None" = None
    ) -> None:
        self.function = function
        self.target = target
        self.place = place
        self.error = error
        self.settle: Callable[[], None] | None = None

    def __call__(self, obj: "Any") -> "Any":
        """Return how `obj` is reduced; raise `ReducerError` if there is no function or it returns nonsense."""
        if self.error is not None:
            raise self.error.with_traceback(None)  # not that of every dump before this one
        if self.function is None:
            self.function = self._resolve()
        result = self.function(obj)
        problem = fault(result)
        if problem is not None:
            raise self.error_for(f"{self!r} returned {problem}")
        if self.settle is not None:
            self.settle()
        return result

    def peek(self) -> "Any":
        """Return the function as far as it can be had without an import, or None."""
        if self.function is not None:
            return self.function
        module, _, name = self.target.partition(":")
        return find(sys.modules.get(module), name)

    def same(self, other: "FirstUse") -> bool:
        """Whether both stand for the same function."""
        if self.error is not None or other.error is not None:
            return False
        if self.target and self.target == other.target:
            return True
        mine = self.peek()
        return mine is not None and mine is other.peek()

    def _resolve(self) -> "Any":
        module, _, name = self.target.partition(":")
        try:
            __import__(module)
        except ImportError as error:
            raise self.error_for(f"cannot import the reduction function {self.target}: {error}") from error
        function: Any = sys.modules[module]
        for part in name.split("."):
            function = getattr(function, part, None)
        if function is None:
            raise self.error_for(f"there is no reduction function {self.target}: {module} has no {name}")
        if not callable(function):
            raise self.error_for(f"{self.target} is not a function: {function!r}")
        return function

    def error_for(self, message: str) -> Exception:
        """Return the error that says `message` about the place this reducer was asked for."""
        from extreg.errors import ReducerError

        return ReducerError(f"{self.place}: {message}", (self.place,))

    def __repr__(self) -> str:
        if self.target:
            return self.target
        return f"{getattr(self.function, '__module__', '?')}:{getattr(self.function, '__qualname__', self.function)}"


def find(module: "Any", qualname: str) -> "Any":
    """Return what stands in `module` under `qualname`, dots followed, or None; import nothing.

    A module's own ``__getattr__`` (PEP 562) and a lazy module that has not been loaded are not asked: both import.
    """
    if module is None or importhook.promised(module):
        return None
    first, *rest = qualname.split(".")
    found = getattr(module, "__dict__", {}).get(first)
    for name in rest:
        found = getattr(found, name, None)
    return found


def fault(result: "Any") -> "str | None":
    """Return what makes `result` no reduce value, or None; the rules are those of save_reduce in Modules/_pickle.c."""
    if isinstance(result, str):
        return None
    if not isinstance(result, tuple):
        return f"{result!r:.80}, not a string or a tuple"
    if not 2 <= len(result) <= 6:
        return f"a tuple of {len(result)} items, not of two to six"
    make, args, _state, items, pairs, setter = (*result, None, None, None, None)[:6]
    if not callable(make):
        return f"a tuple whose first item is not callable: {make!r:.80}"
    if not isinstance(args, tuple):
        return f"a tuple whose second item is not a tuple: {args!r:.80}"
    for number, iterator in (("fourth", items), ("fifth", pairs)):
        if iterator is not None and not hasattr(iterator, "__next__"):
            return f"a tuple whose {number} item is not an iterator: {iterator!r:.80}"
    if setter is not None and not callable(setter):
        return f"a tuple whose sixth item is not callable: {setter!r:.80}"
    return None
