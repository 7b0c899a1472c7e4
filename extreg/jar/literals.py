"""Values as a record shows them: in one line, safe to print, and the same under every Python.

`repr` escapes what this Python's Unicode database does not know, so that a newer one shows more; here the database of
Unicode 3.2 decides, which every Python has for IDNA (RFC 3490).
"""

import unicodedata
from hashlib import sha256
from struct import pack
from typing import Final

from extreg.printable import printable
from extreg.registry.target import is_target

# What is shown of a text or of bytes, and how long one may be to be shown whole.
_WHOLE: Final = 120
_BEGINNING: Final = 80
_DIGITS: Final = 60
_NAN: Final = "7ff8000000000000"
# Blocks that are full of characters since Unicode 8 and that Unicode 3.2 did not have: emoji, as people write them.
_LATER: Final = (range(0x1F300, 0x1F650), range(0x1F680, 0x1F6C6))
_ESCAPED: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\t": "\\t", "\r": "\\r"}


def text(value: str) -> str:
    """Return a string in double quotes; of a long one the beginning, its length and a digest."""
    if len(value) <= _WHOLE:
        return _quoted(value)
    mark = digest(value.encode("utf-8", "surrogatepass"))
    return f"{_quoted(value[:_BEGINNING])}... ({len(value)} characters, sha256 {mark})"


def octets(value: "bytes | bytearray | memoryview", prefix: str = "b") -> str:
    """Return bytes in double quotes; of many the beginning, their number and a digest."""
    data = bytes(value[: _WHOLE + 1])
    shown = "".join(_octet(byte) for byte in (data if len(value) <= _WHOLE else data[:_BEGINNING]))
    shown = f'{prefix}"{_apart(shown)}"'
    return shown if len(value) <= _WHOLE else f"{shown}... ({len(value)} bytes, sha256 {digest(bytes(value))})"


def integer(value: int) -> str:
    """Return an integer in digits, or how large it is: no Python makes digits of any integer."""
    size = int.bit_length(value)
    if size <= 3 * _DIGITS:
        return int.__repr__(value)
    mark = digest(int.to_bytes(value, size // 8 + 1, "little", signed=True))
    return f"{'-' if value < 0 else ''}integer of {size} bits (sha256 {mark})"


def floating(value: float) -> str:
    """Return a float by its shortest digits that mean it exactly (PEP 3101 and bpo-1580)."""
    if value != value:
        bits = pack(">d", value).hex()
        return "nan" if bits == _NAN else f"nan (0x{bits})"
    return float.__repr__(value)


def complex_number(value: complex) -> str:
    """Return a complex number by its two floats."""
    return f"complex({floating(value.real)}, {floating(value.imag)})"


def name(value: str) -> str:
    """Return an identifier as it is, and anything else as what it is: no name."""
    return value if value.isidentifier() and printable(value) == value and len(value) <= _WHOLE else text(value)


def digest(data: bytes) -> str:
    """Return sixteen hexadecimal digits that tell `data` from others."""
    return sha256(data).hexdigest()[:16]


def _quoted(value: str) -> str:
    return f'"{_apart("".join(letter if _is_shown(letter) else _escape(letter) for letter in value))}"'


def _is_shown(letter: str) -> bool:
    if letter in _ESCAPED:
        return False
    if letter.isascii():
        return letter.isprintable()
    if any(ord(letter) in block for block in _LATER):
        return True
    return unicodedata.ucd_3_2_0.category(letter)[0] not in "CZ" and printable(letter) == letter


def _escape(letter: str) -> str:
    return _ESCAPED.get(letter) or letter.encode("unicode_escape").decode("ascii")


def _octet(byte: int) -> str:
    letter = chr(byte)
    return _ESCAPED.get(letter) or (letter if 0x20 <= byte < 0x7F else f"\\x{byte:02x}")


def _apart(shown: str) -> str:
    """Return what is shown without three single quotes in a row, which would end a literal string in TOML."""
    return shown.replace("'''", "''\\x27")


def target(value: str) -> str:
    """Return ``module:qualname`` as it is, and anything else in quotes."""
    plain = is_target(value) and printable(value) == value and not {"'", '"', "\\"} & set(value)
    return value if plain and len(value) <= 2 * _WHOLE else text(value)
