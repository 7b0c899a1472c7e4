"""What is in a cell, to the last pickle in it: each row of pickles with what it refers to, and what is within those."""

from bisect import bisect_left
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress

from extreg.pickles.hidden import hidden_places
from extreg.pickles.tally import Tally, beginnings, tally
from extreg.pickles.walking.opcodes import Buffer, Step, steps
from extreg.stores.envelopes import LOOKED_THROUGH, carved, framed, tried
from extreg.stores.items import Blob, Fault, Item, Layer, Passed
from extreg.stores.mapping import release
from extreg.stores.texts import MOST_OF_TEXT

# Envelopes and pickles within each other, further in than anybody packs them.
_DEEPEST = 16
# What texts are in a pickle; and whatever holds bytes.
_TEXTS = frozenset({"BINUNICODE", "SHORT_BINUNICODE", "BINUNICODE8"})
_VALUES = _TEXTS | {"BINBYTES", "SHORT_BINBYTES", "BINBYTES8", "BYTEARRAY8", "BINSTRING", "SHORT_BINSTRING"}


def read(items: Iterable[Item], *, carve: bool = False) -> Iterator[tuple[Blob, Tally] | Fault | Passed]:
    """Yield each row of pickles among `items`, as `unwrap` gives them, with what it refers to; then what is within it.

    The bytes are valid until the next one is asked for. What cannot be read, or is passed over, comes as it is.
    """
    for item in items:
        if isinstance(item, Blob):
            yield from _row(item, carve)
        else:
            yield item


def _row(blob: Blob, carve: bool) -> Iterator[tuple[Blob, Tally] | Fault | Passed]:
    result = tally(blob.data)
    if result.fault is None:
        yield blob, result
        yield from read(_inside(blob, result, carve), carve=carve)
        return
    if not result.pickles:
        # The first bytes of a header may look as a pickle's do.
        found = framed(blob.data, blob.member, blob.path)
        if found is not None:
            yield from read(found, carve=carve)
            return
    else:
        yield blob, result
    yield Fault(blob.member, after(result.pickles, str(result.fault)))
    if carve:
        yield from read(carved(blob.data[result.whole :], blob.member, blob.path), carve=carve)


def after(pickles: int, fault: str) -> str:
    """Say what is wrong after so many whole pickles."""
    if not pickles:
        return f"no whole pickle: {fault}"
    return f"after {pickles} whole pickle{'s' if pickles != 1 else ''}: {fault}"


def _inside(blob: Blob, result: Tally, carve: bool) -> Iterator[Item]:
    """Yield the pickles within the values of a row of whole pickles, and what else may be packed there."""
    places = sorted(hidden_places(blob.data, result.marked, beginnings(blob.data), release), key=lambda item: item[1])
    if not places:
        return
    if len(blob.path) >= _DEEPEST:
        yield Fault(blob.member, f"pickles within pickles, more than {_DEEPEST} deep")
        return
    for found in _holding(blob.data, [place for _, place in places]):
        with _value(blob.data, found) as value:
            path = (*blob.path, Layer("pickled", found.start, found.stop, found.opcode.name))
            items = tried(value, blob.member, path)
            if items is not None:
                places = [item for item in places if not found.start <= item[1] < found.stop]
                yield from items
            elif carve:
                yield from carved(value, blob.member, path)
    if places:
        yield Passed(blob.member, places[0][0] + (LOOKED_THROUGH if carve else ""))


def _holding(data: Buffer, places: list[int]) -> Iterator[Step]:
    """Yield the opcodes of a row of pickles whose values, bytes or text, take in one of the `places`."""
    ends = tuple(beginnings(data))
    for begin in ends[:-1]:
        for found in steps(data, begin):
            if found.opcode.name not in _VALUES:
                continue
            index = bisect_left(places, found.start)
            if index < len(places) and places[index] < found.stop:
                yield found


@contextmanager
def _value(data: Buffer, found: Step) -> Iterator[Buffer]:
    """Give the bytes that an opcode pushes, or those for which a text has a character each, while a block runs."""
    with memoryview(data) as view, view[found.start : found.stop] as value:
        if found.opcode.name in _TEXTS and found.stop - found.start <= MOST_OF_TEXT:
            with suppress(UnicodeError):  # protocols below 3 write bytes so
                yield bytes(value).decode("utf-8").encode("latin-1")
                return
        yield value
