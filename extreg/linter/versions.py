"""Which Python versions a ``requires-python`` allows, as far as major and minor version tell."""

import re
from collections.abc import Iterable

Version = tuple[int, int]

_CLAUSE = re.compile(r"\s*(~=|===?|!=|<=|>=|<|>)\s*v?(\d+(?:\.\d+)*)((?:\.\*)?)[^,]*\s*")


def allowed(specifiers: str, versions: Iterable[Version]) -> tuple[Version, ...]:
    """Return those of `versions` of which some release satisfies all `specifiers` (``>=3.10,<3.14``; PEP 440).

    A clause that is none is left out of account; the build tool complains of it.
    """
    clauses = [found for part in specifiers.split(",") if (found := _CLAUSE.fullmatch(part)) is not None]
    return tuple(
        version for version in versions if all(_admits(clause[1], clause[2], clause[3], version) for clause in clauses)
    )


def _admits(operator: str, text: str, star: str, version: Version) -> bool:
    parts = [int(part) for part in text.split(".")]
    limit = (parts[0], parts[1] if len(parts) > 1 else 0)
    exact = not any(parts[2:])  # 3.12 or 3.12.0, but not 3.12.1
    if operator == "~=":
        return version >= limit and version[: max(len(parts) - 1, 1)] == limit[: max(len(parts) - 1, 1)]
    if operator in ("==", "==="):
        return version[: len(parts)] == limit[: len(parts)]
    if operator == "!=":
        return not star or len(parts) > 2 or version[: len(parts)] != limit[: len(parts)]
    if operator == ">=":
        return version >= limit
    if operator == ">":
        return version > limit or (not exact and version == limit)
    if operator == "<":
        return version < limit or (not exact and version == limit)
    return version <= limit
