"""The explanation of clashes: which line of which file, against what, and the command that cures it."""

from pathlib import Path

from extreg.errors import Conflict, ConflictError, ExtregError
from extreg.ledger import Rows
from extreg.ledger.layers import Clash
from extreg.registry.document import Document, read_document

OUTSIDE = "code outside extreg, by copyreg.add_extension"


def conflict_error(clashes: list[Clash], layers: tuple[Rows, ...]) -> ConflictError:
    """Return the error for `clashes`.

    `layers` are the rows of every registry concerned, those installed and those that were to be; what none of them
    holds, code outside extreg does.
    """
    explain = _Explainer(layers)
    return ConflictError(tuple(dict.fromkeys(map(explain.conflict, clashes))))


class _Explainer:
    def __init__(self, layers: tuple[Rows, ...]) -> None:
        self.layers = layers
        self.documents: dict[str, Document | None] = {}

    def conflict(self, clash: Clash) -> Conflict:
        target = ":".join(clash.key)
        held_by = self._holder(clash)
        return Conflict(
            code=clash.code,
            target=target,
            wanted=f"{clash.code} = {target}",
            wanted_by=self._place(clash.rows, clash.code),
            held=f"{clash.held_code} = {':'.join(clash.held_key)}",
            held_by=held_by,
            cure=self._cure(clash, target, held_by),
        )

    def _holder(self, clash: Clash) -> str:
        for rows in self.layers:
            if rows is clash.rows:
                continue
            known = (rows.inverted.get(clash.held_code), rows.retired.get(clash.held_code))
            if clash.held_key in known or rows.live.get(clash.held_key) == clash.held_code:
                return self._place(rows, clash.held_code)
        return OUTSIDE

    def _place(self, rows: Rows, code: int) -> str:
        """Return ``path:line`` of a code, as far as the file still tells."""
        if rows.path not in self.documents:
            self.documents[rows.path] = self._read(rows.path)
        document = self.documents[rows.path]
        tables = ("codes", "load-only", "retired")
        lines = [document.line(table, code) for table in tables] if document is not None else []
        line = next((found for found in lines if found is not None), None)
        state = ", retired" if code in rows.retired else ""
        return (f"{rows.path}:{line}" if line is not None else rows.path) + state

    def _read(self, path: str) -> Document | None:
        if not Path(path).is_absolute():  # a Registry value has no file
            return None
        try:
            return read_document(path)
        except ExtregError:  # gone or unreadable since it was installed: the line is then unknown
            return None

    def _cure(self, clash: Clash, target: str, held_by: str) -> str:
        registry = f" --registry {clash.rows.path}" if Path(clash.rows.path).is_absolute() else ""
        if clash.code != clash.held_code:
            return f"extreg{registry} demote {clash.code}  (then only {clash.held_code} is dumped, and both are loaded)"
        if clash.code in clash.rows.retired:
            return "give the other side another code, or EXTREG_ON_CONFLICT=keep to let it stand"
        # Retiring the code first would not do: it would be spent, and so could not mean anything else.
        renumber = f"delete the line and extreg{registry} add --code N {target}, with an N that is free on both sides"
        if held_by == OUTSIDE:
            return f"{renumber}; or EXTREG_ON_CONFLICT=replace to take the code over, =keep to leave it"
        return f"{renumber}  (on the side whose pickles are not stored anywhere yet)"
