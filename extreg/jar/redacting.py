"""Redacting a pickle: what is data in it is replaced by harmless data of the same length, as far as that can be.

Nothing is loaded here.  That the result loads, to objects of the same types, is for a child process to prove.
"""

import re
from collections.abc import Iterator
from struct import pack
from typing import Any, Final, Literal, NamedTuple

from extreg.errors import MalformedPickleError
from extreg.jar import literals
from extreg.jar.symbols import Box, Leaf, Made, Pickle, Reference, attributes_in, paired, read_pickle_as_symbols
from extreg.pickles.walking.opcodes import Step

Role = Literal["value", "key", "argument", "state", "id"]

# What makes a value of a basic type that has no opcode in some protocol; its arguments are that value.
_MAKERS_OF_VALUES: Final = frozenset(
    f"builtins:{name}" for name in ("set", "frozenset", "bytes", "bytearray", "complex")
)
_ENCODE: Final = "_codecs:encode"
_DIGITS: Final = "abcdefghijklmnopqrstuvwxyz"
_IN_DIGITS: Final = frozenset({"INT", "LONG", "FLOAT"})
_NUMBERS: Final = _IN_DIGITS | {"BINFLOAT", "BININT", "BININT1", "BININT2", "LONG1", "LONG4"}
_DIGIT: Final = re.compile(rb"[0-9]")
# What is shorter than this is found in any bytes.
_TELLING: Final = 4


class Kept(NamedTuple):
    """A value that was not replaced, in which ``role`` and at which ``place``, as a record shows it.

    One that was, and is found elsewhere in the bytes, has no place.
    """

    role: Role
    place: str
    shown: str


class Redaction(NamedTuple):
    """The bytes of a redacted pickle, how many values were ``replaced`` in it, and those that were ``kept``."""

    data: bytes
    replaced: int
    kept: tuple[Kept, ...]


def redact(data: bytes) -> Redaction:
    """Return the one pickle in `data` with harmless strings, bytes and numbers of the same length for its own.

    Kept are names of globals and attributes, keys, arguments of what is called, persistent ids, and states that only
    their class understands, with all values that are one of these and something else besides.  Values that are the
    same are replaced by the same.  Raises `MalformedPickleError`.
    """
    pickle = read_pickle_as_symbols(data)
    roles = _roles(pickle)
    made, harmless = bytearray(data), _Harmless()
    replaced, telling = list[bytes](), dict[bytes, None]()
    for at, found in pickle.leaves.items():
        if at in pickle.named or at in roles:
            continue
        own = data[found.start : found.stop]
        other = harmless.instead_of(found, own)
        if other is not None:
            made[found.start : found.stop] = other
            replaced.append(own)
            if found.opcode.name not in _NUMBERS and len(own) >= _TELLING:
                telling[own] = None
    kept = dict.fromkeys(entry for entries in roles.values() for entry in entries)
    result = bytes(made)
    kept |= {Kept("value", "", literals.octets(own)): None for own in telling if own in result}
    if [step.offset for step in read_pickle_as_symbols(result).leaves.values()] != list(pickle.leaves):
        raise MalformedPickleError("what was redacted reads as other opcodes", 0)
    return Redaction(result, len(replaced), tuple(kept))


def _roles(pickle: Pickle) -> dict[int, list[Kept]]:
    """Return the leaves that have another role than that of a value, by their places.

    That something is the name of an attribute is no news, unless it is a value besides.
    """
    found: dict[int, list[Kept]] = {}
    values: dict[int, Kept] = {}
    waiting: list[tuple[Any, Role, str]] = [(pickle.root, "value", "")]
    seen: set[tuple[int, Role]] = set()
    while waiting:
        symbol, role, place = waiting.pop()
        if isinstance(symbol, Leaf):
            if symbol.at is not None and role != "value":
                kept = [] if role == "key" and place.startswith("~") else [Kept(role, place, symbol.shown)]
                found.setdefault(symbol.at, []).extend(kept)
            elif symbol.at is not None:
                values.setdefault(symbol.at, Kept("key", place, symbol.shown))
        elif not isinstance(symbol, Reference) and (id(symbol), role) not in seen:
            seen.add((id(symbol), role))
            waiting += reversed(list(_parts(symbol, role, place)))
    return {at: kept or [values[at]] if at in values else kept for at, kept in found.items()}


def _parts(symbol: "Box | Made", role: Role, place: str) -> Iterator[tuple[Any, Role, str]]:
    """Yield what is in a symbol, in which role and where; the names of attributes are keys at a place with a ``~``."""
    if isinstance(symbol, Box):
        if symbol.kind != "dict":
            yield from ((part, role, f"{place}[{number}]") for number, part in enumerate(symbol.items))
        else:
            yield from _pairs(symbol.items, role, place)
        return
    if symbol.maker is not None:
        yield symbol.maker, "argument", place
    yield from _arguments(symbol, role, place)
    for state in symbol.states:
        attributes = attributes_in(state)
        if attributes is None:
            yield state, "state", f"{place}(state)"
            continue
        for key, value in attributes:
            yield key, "key", f"~{place}"
            yield value, "value", f"{place}.{key.text}"
    yield from ((part, "value", f"{place}[{number}]") for number, part in enumerate(symbol.items))
    yield from _pairs(symbol.pairs, "value", place)


def _arguments(made: Made, role: Role, place: str) -> Iterator[tuple[Any, Role, str]]:
    if made.how == "persistent":
        yield made.args, "id", f"{place}(id)"
        return
    target = made.maker.target if isinstance(made.maker, Reference) else None
    args = made.args.items if isinstance(made.args, Box) and made.args.kind == "tuple" else [made.args]
    for number, part in enumerate(args):
        plain = made.how == "call" and (target in _MAKERS_OF_VALUES or (target == _ENCODE and number == 0))
        yield part, role if plain else "argument", f"{place}({number})"
    if made.kwargs is not None:
        yield made.kwargs, "argument", f"{place}(keywords)"


def _pairs(items: list[Any], role: Role, place: str) -> Iterator[tuple[Any, Role, str]]:
    for key, value in paired(items):
        shown = key.shown if isinstance(key, Leaf) else "..."
        yield key, "key", f"{place}[{shown}]"
        yield value, role, f"{place}[{shown}]"


class _Harmless:
    """Gives harmless values, each time the same for the same, and others for others as far as the length goes."""

    def __init__(self) -> None:
        self._known: dict[tuple[str, bytes], int] = {}

    def instead_of(self, found: Step, own: bytes) -> bytes | None:
        """Return the argument of an opcode to put in the place of its `own`; None where that tells nothing."""
        opcode = found.opcode
        number = self._known.setdefault((opcode.argument, own), len(self._known))
        if opcode.name in _IN_DIGITS:
            if own in {b"00", b"01"} or not _DIGIT.search(own):  # truth values, infinity, what is no number
                return None
            return _DIGIT.sub(b"1", own)
        if opcode.name == "BINFLOAT":
            return pack(">d", number + 0.5)
        if opcode.name in _NUMBERS:
            return _small(number, len(own))
        if opcode.name == "STRING":
            return own[:1] + _word(number, len(own) - 2) + own[-1:]
        return _word(number, len(own))


def _small(number: int, size: int) -> bytes:
    """Return a number that is not negative in so many bytes."""
    return (number % (1 << (8 * size - 1))).to_bytes(size, "little")


def _word(number: int, size: int) -> bytes:
    """Return a word of so many letters, as many different ones as there can be."""
    letters = ""
    while number:
        number, digit = divmod(number, len(_DIGITS))
        letters = _DIGITS[digit] + letters
    return letters[-size:].rjust(size, "x").encode() if size else b""
