"""Libraries that are there only where somebody asked for them, and keys as people are shown them."""

from importlib import import_module
from typing import Any

from extreg.pickles.kinds import may_be_text
from extreg.stores.envelopes import unwrap
from extreg.stores.items import Blob
from extreg.stores.store import PlaceError

# With what base64 begins of a pickle, zlib and gzip.
_PACKED = (b"gA", b"eJ", b"eA", b"eF", b"eN", b"H4sI")


def library(module: str, extra: str) -> Any:
    """Return a module that comes with an extra of ours; raise `PlaceError` where it is not installed."""
    try:
        return import_module(module)
    except ImportError:
        raise PlaceError(
            f"reading such a place takes the package {module.partition('.')[0]}, which is not installed",
            f'pip install "extreg[{extra}]"',
        ) from None


def label(key: bytes) -> str:
    """Return a key as people read it."""
    return key.decode("utf-8", "backslashreplace")


def may_be_packed(key: bytes) -> bool:
    """Tell whether a key may itself hold a pickle, so that it has to be looked at as a value is.

    Keys are full of identifiers, which look as base64 does: a text counts only if there is a pickle in it.
    """
    if not may_be_text(key) or not _is_utf8(key):
        return True
    return any(mark in key for mark in _PACKED) and any(isinstance(item, Blob) for item in unwrap(key))


def _is_utf8(key: bytes) -> bool:
    try:
        key.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
