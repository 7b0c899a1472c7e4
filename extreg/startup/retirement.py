"""What is known of a retired code when somebody loads it."""

from pathlib import Path
from shlex import quote

from extreg.errors import ExtregError, RetiredCodeError
from extreg.ledger import INVERTED, RETIRED, Rows, ledger
from extreg.registry.document import read_document


def named_by(name: str) -> "RetiredCodeError | None":
    """Return the error for the retired code whose row in the inverted registry has this `name`; None for any other."""
    number = name.partition(" ")[0]
    code = int(number) if number.isascii() and number.isdecimal() and len(number) <= 10 else 0
    row = INVERTED.get(code)
    if row != (RETIRED, name):
        return None
    for owner in ledger.owners:
        for rows in owner.layers:
            if code in rows.retired:
                return retired_error(code, rows)
    # A row of an installation that this process has forgotten, as tests do.
    return RetiredCodeError(code, name.partition(" was ")[2].partition(" and is retired")[0].replace("/", "."), "")


def retired_error(code: int, rows: Rows) -> RetiredCodeError:
    """Return the error for a `code` that `rows` have retired."""
    target = ":".join(rows.retired[code])
    path = rows.path
    if not Path(path).is_absolute():  # a Registry value has no file
        return RetiredCodeError(code, target, path)
    try:
        line = read_document(path).line("retired", code)
    except ExtregError:  # gone or unreadable since it was installed
        line = None
    return RetiredCodeError(code, target, path if line is None else f"{path}:{line}", _advice(code, path))


def _advice(code: int, path: str) -> str:
    return (
        f"`extreg --registry {quote(path)} show {code}` has its story. The number is spent for ever: look at what "
        'holds it by extreg.loads(..., retired="placeholder"), or load it with the release before, and store it anew'
    )
