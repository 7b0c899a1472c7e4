"""The fingerprint of a registry: what it means to pickles, in sixteen hexadecimal digits."""

import hashlib
from collections.abc import Iterable, Mapping


def fingerprint(
    tables: Mapping[str, Mapping[int, str]],
    reducers: Mapping[str, str],
    include: Iterable[str],
    aliases: Mapping[int, Iterable[str]],
    moved: Mapping[int, Iterable[str]],
    renamed: Mapping[str, str],
) -> str:
    """Return the first sixteen hexadecimal digits of a SHA-256 over everything that pickles can notice.

    That is: live, load-only and retired rows, reducers, includes, and aliases where there are any; `moved` and
    `renamed` where plain pickle is to find former names.  Comments, order and ranges do not count.
    """
    lines = [f"{table}\0{code}\0{rows[code]}" for table, rows in sorted(tables.items()) for code in sorted(rows)]
    lines += [f"reducers\0{kind}\0{reducers[kind]}" for kind in sorted(reducers)]
    lines += [f"include\0{package}" for package in sorted(include)]
    lines += [f"aliases\0{code}\0{name}" for code in sorted(aliases) for name in sorted(aliases[code])]
    lines += [f"moved\0{code}\0{name}" for code in sorted(moved) for name in sorted(moved[code])]
    lines += [f"renamed\0{old}\0{renamed[old]}" for old in sorted(renamed)]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def combine(fingerprints: list[str]) -> str:
    """Return one fingerprint for several registries in order; that of a single one is its own."""
    if len(fingerprints) == 1:
        return fingerprints[0]
    return hashlib.sha256("\n".join(fingerprints).encode()).hexdigest()[:16]
