"""Opening a place by its name: a path, or a URL."""

import os
import re
from typing import Final

from extreg.stores.file_store import FileStore
from extreg.stores.store import Opener, Openers, PlaceError, Store

# How a URL begins; a single letter is a drive of Windows.
_SCHEME: Final = re.compile(r"([A-Za-z][A-Za-z0-9+.-]+):")


def open_store(place: str, others: Openers | None = None) -> Store:
    """Open the place called `place`: a path of a file or folder, or a URL.

    `others` are what opens the URLs of schemes that are not known here, by scheme, as `installed` finds them. Raises
    `PlaceError` where there is no such place, or nobody who could open it.
    """
    found = _SCHEME.match(place)
    if found is None or os.path.lexists(place):
        return FileStore(place)
    opener = _opener(found[1].lower(), others or {})
    if opener is None:
        raise PlaceError(
            f"nothing here opens {found[1]}: as a place",
            "a place is a path, or the URL of a database or an object store; ./ in front makes a path of it",
        )
    return opener(place)


def _opener(scheme: str, others: Openers) -> Opener | None:
    return others.get(scheme)


def installed() -> Openers:
    """Return what other packages open, by scheme: the entry points of the group ``extreg.stores``.

    Only the command line asks for them; they are imported when they are used.
    """
    from importlib.metadata import EntryPoint, entry_points

    def late(entry: EntryPoint) -> Opener:
        def opener(place: str) -> Store:
            store: Store = entry.load()(place)
            return store

        return opener

    return {entry.name: late(entry) for entry in entry_points(group="extreg.stores")}
