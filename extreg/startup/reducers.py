"""Binding the ``[reducers]`` of installed registries.

A start with reducers runs this: what only a message needs is imported when there is one.
"""

from extreg.reduce.binding import Binding, ReducerRow

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from extreg.ledger import Owner


def binding_of(owner: "Owner") -> Binding:
    """Return the reducers of all of an owner's rows, not bound yet; see `extreg.reduce.bind`."""
    policy: Any = owner.on_conflict
    places: list[tuple[str, str, Any]] = [
        (kind, function, _Place(layer.path, kind))
        for layer in owner.layers
        for kind, function in layer.reducers.items()
    ]
    return Binding([ReducerRow(*place) for place in places], policy)


class _Place:
    """``path:line`` of a reducer's row, looked up only when a message needs it: start-up does not scan for lines."""

    __slots__ = ("_kind", "_path")

    def __init__(self, path: str, kind: str) -> None:
        self._path = path
        self._kind = kind

    def __str__(self) -> str:
        from extreg.errors import ExtregError
        from extreg.registry.document import read_document

        try:
            line = read_document(self._path).line("reducers", self._kind)
        except ExtregError:  # a Registry value, or a file that is gone by now
            line = None
        return self._path if line is None else f"{self._path}:{line}"
