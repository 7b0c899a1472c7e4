"""What is packed inside other bytes: pickles, compressed data, and either of them as base64 or the like.

Found by how it begins, and then tried: a pickle has to keep the stack sound up to its STOP, compressed data to be
decompressed without a fault.  Of what bears no mark, as what is encrypted, nothing is known here.
"""

import binascii
import gc
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from importlib import import_module
from typing import Final

from extreg.pickles.walking.opcodes import Buffer
from extreg.pickles.walking.sniff import marked, sound

BASE64: Final = "text that may be base64"
HEX: Final = "text that may be hex"
ESCAPED: Final = "text with escaped bytes"

# How much of something is tried.
_TRIED: Final = 1 << 16
# Bytes that are cut off are a pickle if so many opcodes are sound.
_ENOUGH: Final = 16
_WINDOW: Final = 1 << 20
_COLLECTED: Final = 64 * _WINDOW
# More than any pattern below matches.
_AHEAD: Final = 32

# How base64 begins of a pickle with PROTO, of zlib, gzip, bz2, xz, zstd and zip, and of Fernet (which is a text).
_PICKLE_64: Final = rb"gA[I-X]"
_ZLIB_64: Final = rb"e(?:J[w-z]|A[E-H]|F[4-7]|N[o-r])"
_OTHERS_64: Final = rb"H4sI|Qlpo[MNO]|/Td6WFo|KLUv[/_]|UEsDB|gAAAAA"

# How it goes on of a pickle with PROTO that stands one or two bytes behind a multiple of three.
_SHIFTED_64: Final = rb"A(?:(?<=[IYo4]A)[C-F]|(?<=[CGKOSWaeimquy26+/_-]A)[AB])[A-Za-z0-9+/_-]{6}"
# What is said of each kind of text in a pickle.
_ENCODINGS: Final = {
    "base64": "base64 in pickles",
    "shifted": "base64 in pickles",
    "hex": "hex in pickles",
    "escaped": "escaped bytes in pickles",
}
# How far in front of it its text may begin.
_HEADER_64: Final = 24

# Protocols below 3 write bytes as a text with a character for each of them, so that those from 0x80 on are two bytes.
# One pattern each, so that each begins with a byte that is looked for at the speed of memchr: all in one took 20 times
# as long.
_HINTS: Final = tuple(
    (kind, re.compile(pattern, re.DOTALL))
    for kind, pattern in (
        ("pickle", rb"\x80[\x02-\x05]"),
        ("zlib", rb"x(?:[\x01\x5e\x9c\xda]|\xc2\x9c|\xc3\x9a)"),
        ("gzip", rb"\x1f(?:\x8b\x08|\xc2\x8b\x08)"),
        ("bz2", rb"B(?:Zh[1-9]1AY&SY)"),
        ("xz", rb"\xfd(?:7zXZ\x00)"),
        ("xz", rb"\xc3(?:\xbd7zXZ\x00)"),
        ("zstd", rb"\((?:\xb5/\xfd|\xc2\xb5/\xc3\xbd)"),
        ("lz4", rb"\x04(?:\x22\x4d\x18)"),
        ("base64", rb"g(?:A[I-X]|AAAAA)"),
        ("base64", _ZLIB_64),
        ("base64", rb"H(?:4sI)"),
        ("base64", rb"Q(?:lpo[MNO])"),
        ("base64", rb"/(?:Td6WFo)"),
        ("shifted", _SHIFTED_64),
        ("hex", rb"8(?:00[2-5])"),
        ("hex", rb"7(?:8(?:01|5[eE]|9[cC]|[dD][aA]))"),
        ("hex", rb"1(?:[fF]8[bB]08)"),
        ("hex", rb"4(?:25[aA]683)"),
        ("hex", rb"3(?<=[fF][dD]3)(?:77[aA]585[aA]00)"),
        ("escaped", rb"\\(?:x80\\x0[2-5]|200\\00[2-5]|u0080\\u000[2-5]|x1f\\x8b|x9c)"),
    )
)
# How compressed and encoded data in pickles begin, all in one: what is not there need not be looked for one by one.
PACKED: Final = b"|".join(pattern.pattern for kind, pattern in _HINTS if kind != "pickle")

_ALPHABET: Final = rb"[A-Za-z0-9+/_-]"
_ENCODED: Final = re.compile(
    rb"(?:(?<![A-Za-z0-9])|(?<=\\[nrt]))(?P<base64>%s|%s|%s)"
    rb"|(?P<hex>800[2-5]|1[fF]8[bB]08|78(?:01|5[eE]|9[cC]|[dD][aA])|425[aA]683|[fF][dD]377[aA]585[aA]00)"
    rb"|(?P<escaped>\\x80\\x0[2-5]|\\200\\00[2-5]|\\u0080\\u000[2-5]|=80=0[2-5]|%%80%%0[2-5]|\\x1f\\x8b|x\\x(?:9c|da)|BZh[1-9]1AY&SY|\\xfd7zXZ)"
    rb"|(?P<uu>^begin [0-7]{3,4} )" % (_PICKLE_64, _ZLIB_64, _OTHERS_64),
    re.MULTILINE,
)
_LONG: Final = re.compile(rb"(?<!%s)%s{32,}" % (_ALPHABET, _ALPHABET))
_ONE: Final = re.compile(_ALPHABET)
_PROTO: Final = re.compile(rb"\x80[\x02-\x05]")
# A text in base64, which may be wrapped, also within a string of JSON.
_TOKEN: Final = re.compile(rb"%s{6,}={0,2}(?:(?:\r?\n|\\n)%s+={0,2})*" % (_ALPHABET, _ALPHABET))
_WRAPPING: Final = re.compile(rb"\r?\n|\\n")
_DIGITS: Final = re.compile(rb"[0-9a-fA-F]{8,}")
# Digits of no digest that is in use: those of SHA-512 are 128.
_MANY_DIGITS: Final = 130
_CHANGES: Final = re.compile(rb"(?<=[a-z])[A-Z0-9]|(?<=[A-Z])[a-z0-9]|(?<=[0-9])[A-Za-z]")


def encoded_in(text: bytes) -> str | None:
    """Return what in a text may be bytes that are encoded, by the name of the code; None if nothing is."""
    return next((kind for kind, _ in encodings(text)), None)


def encodings(text: bytes) -> Iterator[tuple[str, int]]:
    """Yield what in a text may be bytes that are encoded, by the name of the code, and where each begins."""
    for found in _ENCODED.finditer(text):
        kind = found.lastgroup
        if kind == "base64" and _is_base64(text, found.start()):
            yield BASE64, found.start()
        elif kind == "hex" and _is_hex(text, found.start()):
            yield HEX, found.start()
        elif kind == "escaped":
            yield ESCAPED, found.start()
        elif kind == "uu":
            yield "uuencoded text", found.start()
    for found in _LONG.finditer(text):
        if _is_mixed(found[0]):
            yield BASE64, found.start()


def token_at(text: bytes, place: int) -> bytes:
    """Return the text in base64, wrapped or not, that begins at `place`."""
    found = _TOKEN.match(text, place)
    # A line of dashes is the end of what is armoured, as PEM is.
    return found[0].partition(b"\n--")[0].rstrip(b"\r") if found else b""


def unwrapped(token: bytes) -> bytes:
    """Return a text in base64 without the ends of its lines."""
    return _WRAPPING.sub(b"", token)


def hidden_in(
    data: Buffer, known: int, begins: Iterable[int], release: Callable[[Buffer], None] = lambda _: None
) -> str | None:
    """Return what is packed in the values of the pickles in `data`, or None for nothing that shows.

    For the arguments see `hidden_places`.
    """
    return next((kind for kind, _ in hidden_places(data, known, begins, release)), None)


def hidden_places(
    data: Buffer, known: int, begins: Iterable[int], release: Callable[[Buffer], None] = lambda _: None
) -> Iterator[tuple[str, int]]:
    """Yield what is packed in the values of the pickles in `data`, and where each of it begins.

    `known` of these pickles begin with PROTO; `begins` are the places where they begin, asked for where there is doubt.
    `release` is called wherever what was read of them can go out of memory.
    """
    # A pickle without PROTO keeps bytes as text, with escapes that nothing here follows.
    old = bool(len(data)) and data[0] != 0x80
    found = list(_hints(data, release))
    if len(found) == known and not old:
        return
    places = set(begins)
    for place, kind in found:
        if kind == "pickle":
            if place not in places and (old or _is_pickle(data, place)):
                yield "pickles in pickles", place
        elif kind in _ENCODINGS:
            if _is_encoded(kind, data, place):
                yield _ENCODINGS[kind], place
        elif _is_compressed(kind, bytes(data[place : place + _TRIED])):
            yield f"{kind} in pickles", place


def _is_encoded(kind: str, data: Buffer, place: int) -> bool:
    """Tell whether what begins at `place` as a text does in which something is encoded is one."""
    if kind == "base64":
        return _is_base64(bytes(data[place : place + _TRIED]), 0)
    if kind == "hex":
        return _is_hex(bytes(data[place : place + 2 * _TRIED]), 0)
    if kind == "shifted":
        return _is_shifted(bytes(data[max(0, place - _HEADER_64) : place + _TRIED]), min(place, _HEADER_64))
    return True


def _hints(data: Buffer, release: Callable[[Buffer], None]) -> Iterator[tuple[int, str]]:
    """Yield where in `data` something may begin, and what."""
    for begin in range(0, len(data), _WINDOW):
        if len(data) > _WINDOW and begin % _COLLECTED == 0 and not hasattr(sys, "getrefcount"):
            gc.collect()  # where nothing counts references, windows stay until somebody looks for them
        window = bytes(data[begin : begin + _WINDOW + _AHEAD]) if len(data) > _WINDOW else data
        if len(data) > _WINDOW and not bytes(window).strip(b"\0"):
            release(data)
            continue
        for kind, pattern in _HINTS:
            for found in pattern.finditer(window):
                if found.start() < _WINDOW:
                    yield begin + found.start(), kind
        release(data)


def _is_pickle(data: Buffer, place: int) -> bool:
    """Tell whether a pickle begins at `place`, as bytes or as a text with a character for each byte."""
    part = bytes(data[place - 1 : place + _TRIED])
    return _is_sound(_bytes_of(part) if part[0] == 0xC2 else part[1:])


def _bytes_of(text: bytes) -> bytes:
    """Return the bytes that a text has a character each for, as far as it has."""
    characters = text.decode("utf-8", "ignore")
    return re.match("[\0-\xff]*", characters)[0].encode("latin-1")  # type: ignore[index]


def _is_sound(data: bytes) -> bool:
    end, count = sound(data, 0)
    return marked(data) and (end is not None or (count >= _ENOUGH and len(data) >= _TRIED))


def _is_compressed(kind: str, data: bytes) -> bool:
    tests = {"zlib": as_zlib, "gzip": as_gzip}
    if kind not in tests:
        return True
    # What is written as text may hold no byte from 0x80 on in its head, as zlib's at its lowest level: both are tried.
    return tests[kind](data) or tests[kind](_bytes_of(data))


def as_zlib(data: bytes) -> bool:
    """Tell whether `data` begins with a zlib stream that can be decompressed as far as it is tried."""
    head = int.from_bytes(data[:2], "big")
    # RFC 1950: the method is 8, the window 32 KiB at most, the two bytes a multiple of 31, and no dictionary is needed.
    if len(data) < 8 or data[0] & 0x8F != 0x08 or head % 31:
        return False
    return _inflates(data, 15)


def as_gzip(data: bytes) -> bool:
    """Tell whether `data` begins with a gzip member that can be decompressed as far as it is tried."""
    return _inflates(data, 31)


def as_lzma(data: bytes) -> bool:
    """Tell whether `data` begins with an .lzma stream that can be decompressed as far as it is tried."""
    try:
        lzma = import_module("lzma")
    except ImportError:
        return True
    try:
        made = lzma.LZMADecompressor(format=lzma.FORMAT_ALONE, memlimit=1 << 28).decompress(data, _TRIED)
    except lzma.LZMAError as error:
        return "memory" in str(error).lower()
    return bool(made)


def _inflates(data: bytes, window: int) -> bool:
    try:
        zlib = import_module("zlib")
    except ImportError:
        return True
    decompressor = zlib.decompressobj(window)
    try:
        made = decompressor.decompress(data[:_TRIED], _TRIED)
    except zlib.error:
        return False
    return bool(made) or bool(decompressor.eof)


def _is_base64(text: bytes, place: int) -> bool:
    """Tell whether the text from `place` on, which begins as base64 of something packed does, is that."""
    token = _TOKEN.match(text, place)
    if token is None:
        return False
    digits = _WRAPPING.sub(b"", token[0]).rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
    digits = digits[: _TRIED - _TRIED % 4]
    try:
        data = binascii.a2b_base64(digits[: len(digits) - (len(digits) % 4 == 1)] + b"=" * (-len(digits) % 4))
    except binascii.Error:
        return False
    if marked(data):
        return True
    if data[:1] == b"x":
        return as_zlib(data)
    return len(digits) >= 16 and not digits.isalpha()


def _is_shifted(text: bytes, place: int) -> bool:
    """Tell whether what `place` is in is base64 of a few bytes and a whole pickle behind them.

    Where it begins is where no more of its characters stand in front, or somewhat behind that: what counts a text's
    length may look as one.
    """
    first = place
    while first and _ONE.match(text, first - 1):
        first -= 1
    for begin in range(first, place):
        digits = token_at(text, begin).rstrip(b"=").translate(bytes.maketrans(b"-_", b"+/"))
        with suppress(binascii.Error):
            data = binascii.a2b_base64(digits + b"=" * (-len(digits) % 4))
            found = _PROTO.search(data[:_HEADER_64], 1)
            if found is not None and _is_sound(data[found.start() :]):
                return True
    return False


def _is_mixed(token: bytes) -> bool:
    """Tell whether the letters and digits of a long token change as often as in base64, and not as in a name."""
    plain = token.translate(None, b"+/_-")
    for begin in range(0, max(1, len(plain) - 31), 8):
        part = plain[begin : begin + 32]
        if len(part) == 32 and len(_CHANGES.findall(part)) >= 16 and not part.isupper() and not part.islower():
            return True
    return False


def _is_hex(text: bytes, place: int) -> bool:
    """Tell whether the digits from `place` on are those of something packed."""
    found = _DIGITS.match(text, place)
    if found is None:
        return False
    digits = found[0][: 2 * _TRIED]
    data = bytes.fromhex(digits[: len(digits) // 2 * 2].decode())
    if data.startswith((b"BZh", b"\xfd7zXZ", b"7zXZ")):
        return True
    if data[0] == 0x80:
        return marked(data) and (sound(data, 0)[0] is not None or len(digits) > _MANY_DIGITS)
    return as_gzip(data) if data[0] == 0x1F else as_zlib(data)
