"""Binding the ``[reducers]`` of installed registries."""

from typing import cast

from extreg.errors import ExtregError
from extreg.files.source import read_document
from extreg.reduce.binding import Binding, ReducerRow
from extreg.reduce.binding import bind as bind_rows
from extreg.reduce.table import OnConflict
from extreg.startup.ledger import Owner


def bind(owner: Owner) -> Binding:
    """Bind the reducers of all of an owner's rows; see `extreg.reduce.bind` for what it raises."""
    rows = [
        ReducerRow(kind, function, cast(str, _Place(layer.path, kind)))
        for layer in owner.layers
        for kind, function in layer.reducers.items()
    ]
    return bind_rows(rows, on_conflict=cast(OnConflict, owner.on_conflict))


class _Place:
    """``path:line`` of a reducer's row, looked up only when a message needs it: start-up does not scan for lines."""

    __slots__ = ("_kind", "_path")

    def __init__(self, path: str, kind: str) -> None:
        self._path = path
        self._kind = kind

    def __str__(self) -> str:
        try:
            line = read_document(self._path).line("reducers", self._kind)
        except ExtregError:  # a Registry value, or a file that is gone by now
            line = None
        return self._path if line is None else f"{self._path}:{line}"
