"""What lies around pickles where they are kept, taken off: compression, base64, JSON, signatures, headers, archives.

An envelope is told by how its bytes begin, and by nothing else. What is guessed, because it bears no mark (a header of
a few bytes, a text that may be base64), counts only if what is within it is whole to its last byte; otherwise the cell
is passed over as something that may hold pickles.
"""

import re
from collections.abc import Generator, Iterator
from itertools import islice
from struct import Struct
from typing import IO, Final

from extreg.pickles.hidden import BASE64
from extreg.pickles.kinds import HEAD, UNKNOWN, kind_of, may_be_text
from extreg.pickles.tally import tally
from extreg.pickles.walking.opcodes import Buffer
from extreg.pickles.walking.sniff import marked, plausible, sound
from extreg.stores.archived import may_hold_bytes, members, objects_from
from extreg.stores.bounded import BROKEN, Budget, decompressor, expanded, opened
from extreg.stores.forms import HEAD_OF_FORM, form_of
from extreg.stores.items import Blob, Fault, Item, Layer, Passed, describe
from extreg.stores.mapping import pieces
from extreg.stores.texts import BEGINS, MOST_OF_TEXT, encoded_parts

# What is said of bytes that were carved: whatever was found, nobody knows what is in the rest.
LOOKED_THROUGH: Final = ", looked through at every offset"
# Archives and compressed data within each other, further in than anybody packs them; and envelopes of every kind.
_DEEPEST: Final = 4
_DEEPEST_OF_ALL: Final = 12
_PACKED: Final = frozenset({"gzip", "bz2", "xz", "zlib", "lzma", "zip"})
_COMPRESSED: Final = _PACKED - {"zip"}
# What a part of a text, or of a cell, may become before it is known whether it is anything at all.
_TRIED: Final = 1 << 28

# The expiry of an entry in Django's file cache: a pickle of a float or None, before the value as zlib.
_EXPIRY: Final = re.compile(rb"\x80[\x02-\x05](?:\x95.{8})?(?:G.{8}|N|K.|M..|J....)\.", re.DOTALL)
_MARK: Final = re.compile(rb"\x80[\x02-\x05]")
_CANDIDATES: Final = 4
_PROTO: Final = 0x80
# A header without a meaning that is known: of so many bytes, or of a text of so many.
_HEADER_OF_BYTES: Final = 16
_HEADER_OF_TEXT: Final = 256
_LENGTHS: Final = tuple((Struct(form), form) for form in (">I", "<I", ">Q", "<Q", ">H", "<H"))

Path = tuple[Layer, ...]


def unwrap(data: Buffer, member: str = "", *, path: Path = (), carve: bool = False) -> Iterator[Item]:
    """Yield the rows of pickles in a cell, with the envelopes around each; nothing for what is known to hold none.

    `data` is what the cell holds, behind the envelopes in `path`; `member` is what all that is yielded is called by,
    with the name of the member behind it where the cell is an archive. What is passed over is said, and with `carve`
    the pickles that are found in it at any offset are yielded too. What is within pickles is for
    `extreg.stores.inside.read`, which knows them whole.
    """
    return _Unwrapping(carve, Budget()).within(data, member, path)


def framed(data: Buffer, member: str, path: Path = ()) -> Iterator[Item] | None:
    """Return what is behind a header, or each behind its length: rows of pickles, or what is compressed and holds some.

    None where that is not so to the last byte.
    """
    head = bytes(data[: _HEADER_OF_TEXT + 8])
    first = _MARK.search(head, 1)
    frames = _frames(data, first.start()) if first is not None else None
    if frames is not None:
        form, spans = frames
        return (Blob(member, data[begin:end], (*path, Layer("length", begin, end, form))) for begin, end in spans)
    for found in islice(BEGINS.finditer(head, 1), _CANDIDATES):
        begin = found.start()
        if begin > _HEADER_OF_BYTES and not _is_plain(head[:begin]):
            break
        rest = memoryview(data)[begin:]
        inner = (*path, Layer("header", begin, len(data)))
        if head[begin] == _PROTO:
            if is_row(rest):
                return iter([Blob(member, rest, inner)])
        elif (items := tried(rest, member, inner)) and any(isinstance(item, Blob) for item in items):
            return iter(items)
    return None


def is_row(data: Buffer) -> bool:
    """Tell whether `data` is a row of whole pickles, the first of which bears the mark of its protocol."""
    return marked(data) and tally(data).fault is None


def carved(data: Buffer, member: str, path: Path) -> Iterator[Blob]:
    """Yield each row of pickles that begins somewhere in `data`, whatever lies around it."""
    place = 0
    while (found := _next_mark(data, place)) is not None:
        place = found + 1
        if sound(data, found)[0] is None:
            continue
        with memoryview(data) as view, view[found:] as rest:
            whole = tally(rest).whole
            if whole:
                place = found + whole
                yield Blob(member, bytes(rest[:whole]), (*path, Layer("carved", found, place)))


def _next_mark(data: Buffer, place: int) -> int | None:
    for begin in range(place, len(data), 1 << 20):
        for found in _MARK.finditer(bytes(data[begin : begin + (1 << 20) + 1])):
            if marked(data[begin + found.start() : begin + found.start() + 3]):
                return begin + found.start()
    return None


def _frames(data: Buffer, begin: int) -> tuple[str, list[tuple[int, int]]] | None:
    """Return where the rows of pickles are that stand behind their lengths, from the first byte to the last."""
    for width, form in _LENGTHS:
        if width.size != begin:
            continue
        spans = []
        place = 0
        while place + width.size <= len(data):
            first = place + width.size
            place = first + width.unpack(bytes(data[place:first]))[0]
            if place > len(data) or not is_row(data[first:place]):
                break
            spans.append((first, place))
        else:
            if place == len(data):
                return form, spans
    return None


def _is_plain(head: bytes) -> bool:
    """Tell whether a header is ASCII, zeros between, in which nothing is encoded."""
    return head.isascii() and kind_of(head.replace(b"\0", b" ")) is None


class _Unwrapping:
    """Taking envelopes off one cell, within a budget of bytes that are made by that."""

    def __init__(self, carve: bool, budget: Budget) -> None:
        self._carve = carve
        self._budget = budget

    def within(self, data: Buffer, member: str, path: Path) -> Iterator[Item]:
        """Yield the rows of pickles in `data`."""
        form = form_of(data[:HEAD_OF_FORM])
        if len(path) >= _DEEPEST_OF_ALL:
            yield Fault(member, f"envelopes within envelopes, more than {_DEEPEST_OF_ALL} deep")
        elif form == "pickle" and plausible(data):
            yield from self._pickles(data, member, path)
        elif form == "npy":
            yield from self._array(data, member, path)
        elif form in _PACKED:
            yield from self._packed(form, data, member, path)
        else:
            yield from self._other(data, member, path)

    def _pickles(self, data: Buffer, member: str, path: Path) -> Iterator[Item]:
        """Yield a row of pickles, or an expiry and what stands behind it."""
        expiry = _EXPIRY.match(bytes(data[:32]))
        rest = data[expiry.end() :] if expiry is not None and len(data) > expiry.end() else b""
        if expiry is None or kind_of(rest[:512]) != "zlib":
            yield Blob(member, data, path)
            return
        yield Blob(member, expiry[0], (*path, Layer("expiry", 0, expiry.end())))
        yield from self.within(rest, member, (*path, Layer("expiry", expiry.end(), len(data))))

    def _array(self, data: Buffer, member: str, path: Path) -> Iterator[Item]:
        """Yield the pickle behind the header of an array of objects; numbers are none, but bytes and texts may be."""
        start = objects_from(data)
        if start is not None:
            with memoryview(data) as view, view[start:] as payload:
                yield Blob(member, payload, (*path, Layer("npy", start, len(data))))
        elif may_hold_bytes(data):
            yield Passed(member, "arrays of bytes or text")

    def _packed(self, form: str, data: Buffer, member: str, path: Path) -> Iterator[Item]:
        """Yield what is in an archive, or in what is compressed."""
        if sum(layer.name in _PACKED for layer in path) == _DEEPEST:
            yield Fault(member, f"archives within archives, more than {_DEEPEST} deep")
            return
        inner = (*path, Layer(form, 0, len(data), _level(form, data)))
        try:
            with opened(data) as stream:
                if form != "zip":
                    with decompressor(form, stream) as plain:
                        yield from self._stream(plain, member, inner)
                    return
                for packed, info in members(stream):
                    name = f"{member}::{info.filename}" if member else info.filename
                    try:
                        plain = packed.open(info)
                    except BROKEN as error:  # encrypted, or in a way that nobody here decompresses
                        yield Fault(name, describe(error))
                        continue
                    with plain:
                        yield from self._stream(plain, name, inner)
        except BROKEN as error:
            yield Fault(member, describe(error))

    def _stream(self, plain: IO[bytes], member: str, path: Path) -> Iterator[Item]:
        """Yield what is in a decompressed stream, read as far as it takes to know that."""
        try:
            with expanded(plain, self._budget, self._promising) as data:
                if data is not None:
                    yield from self.within(data, member, path)
                else:
                    yield Passed(member, UNKNOWN)
        except BROKEN as error:
            yield Fault(member, describe(error))

    def _promising(self, begun: bytes) -> bool:
        """Tell whether the rest of what has `begun` so has to be read as well."""
        form = form_of(begun)
        if form == "npy":
            return objects_from(begun) is not None
        if self._carve or form in _PACKED or (form == "pickle" and plausible(begun)) or may_be_text(begun):
            return True
        return kind_of(begun[:512]) in _COMPRESSED or BEGINS.search(begun[: _HEADER_OF_TEXT + 8]) is not None

    def _other(self, data: Buffer, member: str, path: Path) -> Iterator[Item]:
        """Yield what is in bytes in which no pickle begins, and what may be in them besides."""
        kind: str | None
        if len(data) <= MOST_OF_TEXT and may_be_text(bytes(data[:HEAD])):
            kind = yield from self._text(bytes(data), member, path)
        else:
            kind = kind_of(data, pieces)
        if kind is None:
            return
        if kind in _COMPRESSED:
            yield from self._packed(kind, data, member, path)
            return
        found = framed(data, member, path) if kind == UNKNOWN else None
        if found is not None:
            yield from found
            return
        if self._carve:
            yield from carved(data, member, path)
            kind += LOOKED_THROUGH
        yield Passed(member, kind)

    def _text(self, text: bytes, member: str, path: Path) -> Generator[Item, None, str | None]:
        """Yield what is encoded in a text; return what the rest of it still may be."""
        rest: bytearray | None = None
        doubtful = False
        for part in encoded_parts(text):
            items = tried(part.data, member, (*path, *part.layers))
            if items is not None:
                yield from items
                rest = rest or bytearray(text)
                rest[part.begin : part.end] = b" " * (part.end - part.begin)
            else:
                # A pickle stands somewhere in it, behind more than a header.
                doubtful = doubtful or next(carved(part.data, member, path), None) is not None
        return kind_of(text if rest is None else rest) or (BASE64 if doubtful else None)


def tried(data: Buffer, member: str, path: Path) -> list[Item] | None:
    """Return what is in bytes that are only thought to be some; None where that is not understood."""
    items: list[Item] = []
    for item in _Unwrapping(False, Budget(_TRIED)).within(data, member, path):
        if isinstance(item, Blob):
            if not is_row(item.data):
                return None
            item = item._replace(data=bytes(item.data))
        items.append(item)
    if any(isinstance(item, Blob) for item in items) or not items:
        return items
    return None


def _level(form: str, data: Buffer) -> str:
    """Return how hard the compressor tried, as far as its output tells."""
    if form == "bz2":
        return chr(data[3])
    if form == "zlib":
        return ("0-1", "2-5", "6", "7-9")[data[1] >> 6]  # RFC 1950, FLEVEL
    if form == "gzip":
        return {2: "9", 4: "1"}.get(data[8], "6")  # RFC 1952, XFL
    return ""
