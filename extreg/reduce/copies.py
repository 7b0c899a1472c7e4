"""Copying an object from what its reducer says, where that must not be what pickle would be told."""

import copyreg
from typing import Any


class _Reduced:
    """Stands in for an object before `copy`, with what that object reduces to."""

    __slots__ = ("reduced",)

    def __init__(self, reduced: Any) -> None:
        self.reduced = reduced

    def __reduce_ex__(self, protocol: Any) -> Any:
        return self.reduced


def copied(obj: Any, memo: "dict[int, Any] | None" = None) -> Any:
    """Return a copy of `obj`, as `copy` makes it of an object without ``__copy__``; a deep one with a `memo`."""
    import copy  # whoever asks for a copy has it; whoever pickles does not need it

    reducer = copyreg.dispatch_table.get(type(obj))
    reduced = obj.__reduce_ex__(4) if reducer is None else reducer(obj)
    if isinstance(reduced, str):
        return obj
    if memo is None:
        return copy.copy(_Reduced(reduced))
    make, *rest = reduced

    def remembered(*args: Any) -> Any:
        # copy puts down what it made for the stand-in; what the state refers to asks for the object.
        memo[id(obj)] = made = make(*args)
        return made

    return copy.deepcopy(_Reduced((remembered, *rest)), memo)
