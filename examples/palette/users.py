"""A user record in its third version, and what the first two wrote."""

from typing import Any

from extreg.reduce import versioned
from palette.colors import Color


def split_name(state: dict[str, Any]) -> dict[str, Any]:
    """From version 1, which had one name, to version 2, which has two."""
    given, _, family = state.pop("name").partition(" ")
    return {"given": given, "family": family, **state}


def add_favorite(state: dict[str, Any]) -> tuple[None, dict[str, Any]]:
    """From version 2 to version 3, which has a favorite color, and slots: their state is the second of a pair."""
    return None, {**state, "favorite": Color(128, 128, 128)}


@versioned(3, {1: split_name, 2: add_favorite})
class UserRecord:
    """Somebody who likes a color."""

    __slots__ = ("email", "family", "favorite", "given")

    def __init__(self, given: str, family: str, email: str, favorite: Color) -> None:
        self.given, self.family, self.email, self.favorite = given, family, email, favorite

    def __repr__(self) -> str:
        return f"UserRecord({self.given!r}, {self.family!r}, {self.email!r}, {self.favorite!r})"


# What releases 1 and 2 stored: ``pickle.dumps(record, 4)`` on CPython 3.10, with no code for the class.
STORED = {
    1: (
        b"\x80\x04\x95X\x00\x00\x00\x00\x00\x00\x00\x8c\rpalette.users\x94\x8c\nUserRecord\x94\x93\x94"
        b")\x81\x94}\x94("
        b"\x8c\x04name\x94\x8c\x0cAda Lovelace\x94\x8c\x05email\x94\x8c\x0fada@example.org\x94ub."
    ),
    2: (
        b"\x80\x04\x95h\x00\x00\x00\x00\x00\x00\x00\x8c\rpalette.users\x94\x8c\nUserRecord\x94\x93\x94"
        b")\x81\x94K\x02}\x94("
        b"\x8c\x05given\x94\x8c\x05Grace\x94\x8c\x06family\x94\x8c\x06Hopper\x94\x8c\x05email\x94\x8c\x11grace@example.org\x94us."
    ),
}
