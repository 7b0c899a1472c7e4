"""What is in a key of Redis that is no string, page by page, so that a walk can go on from any element."""

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Any, Final, NamedTuple

from extreg.stores.extras import label, may_be_packed

# How many elements are asked for at a time.
_ELEMENTS: Final = 200


class Element(NamedTuple):
    """One value within a key, with a ``place`` there by which they are sorted."""

    place: str
    label: str
    data: bytes


Pages = Iterator[tuple[Any, list[Element]]]


def _list(client: Any, key: bytes, page: int | None) -> Pages:
    begin = page or 0
    while found := client.lrange(key, begin, begin + _ELEMENTS - 1):
        yield begin, [Element(f"{begin + i:020}", f"[{begin + i}]", data) for i, data in enumerate(found)]
        begin += _ELEMENTS


def _hash(client: Any, key: bytes, page: int | None) -> Pages:
    for position, found in _scanned(client.hscan, key, page):
        elements = []
        for field, data in found.items():
            if may_be_packed(field):
                elements.append(Element(f"{field.hex()}-", f".name {label(field)}", field))
            elements.append(Element(f"{field.hex()}.", f".{label(field)}", data))
        yield position, sorted(elements)


def _set(client: Any, key: bytes, page: int | None) -> Pages:
    for position, found in _scanned(client.sscan, key, page):
        yield position, sorted(map(_member, set(found)))


def _sorted_set(client: Any, key: bytes, page: int | None) -> Pages:
    for position, found in _scanned(client.zscan, key, page):
        yield position, sorted(_member(data) for data in {data for data, _ in found})


def _stream(client: Any, key: bytes, page: str | None) -> Pages:
    begin = page or "-"
    while found := client.xrange(key, min=begin, count=_ELEMENTS):
        elements = [
            Element(f"{number:09} {index:09}", f"[{label(entry)}].{label(field)}", data)
            for number, (entry, fields) in enumerate(found)
            for index, (field, data) in enumerate((fields or {}).items())
        ]
        yield begin, elements
        begin = f"({label(found[-1][0])}"


PAGES: Final[dict[str, Callable[..., Pages]]] = {
    "list": _list,
    "hash": _hash,
    "set": _set,
    "zset": _sorted_set,
    "stream": _stream,
}


def _member(data: bytes) -> Element:
    """Return a member of a set, which has no name but itself."""
    digest = sha256(data).hexdigest()
    return Element(digest, f"{{{digest[:16]}}}", data)


def _scanned(scan: Any, key: bytes, page: int | None) -> Iterator[tuple[int, Any]]:
    position = page or 0
    while True:
        following, found = scan(key, cursor=position, count=_ELEMENTS)
        yield position, found
        if not following:
            return
        position = following
