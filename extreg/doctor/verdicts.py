"""What doctor says of one thing that it looked at."""

from typing import Literal, NamedTuple

Kind = Literal["well", "not well", "cannot tell", "not used"]


class Verdict(NamedTuple):
    """What was looked at, how it is, what was found, and what to do about it (empty where nothing needs doing)."""

    name: str
    kind: Kind
    found: str
    cure: str = ""


def worst(verdicts: list[Verdict]) -> int:
    """Return the exit code: 0 all well, 1 something is not, 2 something cannot be told, and nothing is worse."""
    kinds = {verdict.kind for verdict in verdicts}
    return 1 if "not well" in kinds else 2 if "cannot tell" in kinds else 0
