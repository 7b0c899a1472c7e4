"""Bytes that are kept as text: base64, by itself, in JSON or in any other text, and signed."""

import binascii
import re
from collections.abc import Iterator
from typing import Final, NamedTuple

from extreg.pickles.hidden import BASE64, encodings, token_at, unwrapped
from extreg.stores.items import Layer

# Texts up to this size are looked into: beyond it, whether there may be bytes in them is all that is known.
MOST_OF_TEXT: Final = 1 << 26

# What may begin behind a header: a pickle, or what is compressed.
BEGINS: Final = re.compile(
    rb"\x80[\x02-\x05]|x[\x01\x5e\x9c\xda]|\x1f\x8b\x08|BZh[1-9]|\xfd7zXZ\x00|\]\x00\x00", re.DOTALL
)
_WORD: Final = re.compile(rb"(?<![A-Za-z0-9+/_-])[A-Za-z0-9+/_-]{12,}")
# How far into a word its header may reach: as much of base64 as there may be bytes, a third more.
_FAR: Final = 352
_LINE: Final = re.compile(rb"\r?\n|\\n")
# What Django's and itsdangerous' signers put behind a payload: a time, and a signature.  A dot in front of the payload
# means that it is compressed; what it is, its first bytes say anyhow.
_SIGNED: Final = re.compile(
    rb"\.?(?P<payload>[A-Za-z0-9_-]+)(?P<end>:[A-Za-z0-9]{1,12}:[A-Za-z0-9_-]{27,86}|:[A-Za-z0-9_-]{27,86}"
    rb"|\.[A-Za-z0-9_-]{1,12}\.[A-Za-z0-9_-]{27,86})"
)


class Encoded(NamedTuple):
    """A part of a text that is bytes in base64: the ``data`` behind its ``layers``.

    What was understood of the text with it is ``text[begin:end]``.
    """

    begin: int
    end: int
    data: bytes
    layers: tuple[Layer, ...]


def encoded_parts(text: bytes) -> Iterator[Encoded]:
    """Yield each part of a text that may be base64 and can be decoded."""
    signed = _signed(text)
    if signed is not None:
        yield signed
        return
    behind = 0
    for begin in sorted({begin for kind, begin in encodings(text) if kind == BASE64} | set(_tokens(text))):
        if begin < behind:
            continue
        token = token_at(text, begin)
        data = _decoded(token)
        if data is not None:
            behind = begin + len(token)
            yield Encoded(begin, behind, data, (*_around(text), Layer("base64", begin, behind, _how(token))))


def _tokens(text: bytes) -> Iterator[int]:
    """Yield where a word begins that would be, in base64, something with a pickle, or compressed data, not far in."""
    for found in _WORD.finditer(text):
        data = _decoded(found[0][:_FAR])
        if data is not None and BEGINS.search(data, 1):
            yield found.start()


def _signed(text: bytes) -> Encoded | None:
    """Return what a text is the signed form of."""
    bare = text.strip()
    found = _SIGNED.fullmatch(bare)
    data = _decoded(found["payload"]) if found is not None else None
    if found is None or data is None:
        return None
    start = text.index(bare)
    begin, end = start + found.start("payload"), start + found.end("payload")
    layers = (Layer("signed", begin, end), Layer("base64", 0, end - begin, "-_"))
    return Encoded(start, start + len(bare), data, layers)


def _around(text: bytes) -> tuple[Layer, ...]:
    """Return the envelope that a text is by itself, of which a part is base64."""
    return (Layer("JSON", 0, len(text)),) if text.lstrip()[:1] in {b"{", b"["} else ()


def _decoded(token: bytes) -> bytes | None:
    digits = unwrapped(token).rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    if len(digits) % 4 == 1:
        return None
    try:
        return binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))
    except binascii.Error:
        return None


def _how(token: bytes) -> str:
    """Return the way in which a text is base64: its last two digits, padding, and the length and end of its lines."""
    alphabet = "-_" if b"-" in token or b"_" in token else "+/"
    line = _LINE.search(token)
    wrapped = f" {line.start()} {line[0]!r}" if line else ""
    return f"{alphabet}{'=' if token.endswith(b'=') else ''}{wrapped}"
