"""Object stores and other file systems that fsspec opens: S3, GCS, SFTP, HTTP, and what lies within their archives."""

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, Final

from extreg.stores.credentials import Secrets, shown
from extreg.stores.extras import library
from extreg.stores.items import Fault, Passed, describe
from extreg.stores.mapping import READ_WHOLE, mapped_file
from extreg.stores.store import Cell, Change, Part, PlaceError, Store, parts, read_only

# How many small objects are asked for at a time, and how many bytes they may have together.
_OBJECTS: Final = 64
_BYTES: Final = 1 << 23
_CHUNK: Final = 1 << 20


class FsspecStore:
    """The objects below a URL, each a cell: credentials are those that the library of the place finds by itself.

    A folder's list is held in memory, one folder at a time.
    """

    def __init__(self, place: str) -> None:
        fsspec = library("fsspec", "fsspec")
        self._secrets = Secrets(place)
        self.place = shown(place)
        try:
            self._files, self._root = fsspec.core.url_to_fs(place)
            self._files.invalidate_cache()
            there = self._files.exists(self._root)
        except ImportError as error:
            raise PlaceError(f"{self.place}: {describe(error)}", "pip installs it beside extreg[fsspec]") from None
        except Exception as error:  # noqa: BLE001 - each file system has errors of its own
            raise self._broken(error) from None
        if not there:
            raise PlaceError(f"{self.place}: there is nothing of that name")

    def _broken(self, error: Exception) -> PlaceError:
        return PlaceError(
            f"{self.place}: {self._secrets.scrub(describe(error))}",
            "what was read before holds; credentials are taken from the environment or the files of the library",
        )

    def parts(self, count: int) -> Sequence[str]:
        """Return the texts of `count` parts; each walks over all names, and reads the objects of its own."""
        return parts(count)

    def cells(self, part: str, cursor: str | None = None) -> Iterator[Cell | Fault | Passed]:
        """Yield each object, folder by folder, in the order of the names."""
        wanted = Part.parse(part)
        behind: list[str] | None = json.loads(cursor) if cursor is not None else None
        waiting: list[tuple[list[str], dict[str, Any]]] = []
        try:
            for names, found in self._below(behind):
                if isinstance(found, Fault):
                    yield from self._read(waiting)
                    waiting = []
                    yield found
                elif wanted.has("/".join(names).encode("utf-8", "surrogateescape")):
                    waiting.append((names, found))
                    sizes = [info.get("size") for _, info in waiting]
                    if len(waiting) == _OBJECTS or None in sizes or sum(map(int, filter(None, sizes))) > _BYTES:
                        yield from self._read(waiting)
                        waiting = []
            yield from self._read(waiting)
        except PlaceError:
            raise
        except Exception as error:  # noqa: BLE001 - each file system has errors of its own
            raise self._broken(error) from None

    def _below(self, behind: list[str] | None) -> Iterator[tuple[list[str], Any]]:
        """Yield each object by its names below the root, and what is known of it; a fault for a folder."""
        info = self._files.info(self._root)
        if info["type"] == "file":
            names = [self._last(self.place)]
            if behind is None or names > behind:
                yield names, info
            return
        yield from self._in_folder(self._root, [], behind)

    def _in_folder(self, folder: str, above: list[str], behind: list[str] | None) -> Iterator[tuple[list[str], Any]]:
        try:
            found = {self._last(info["name"]): info for info in self._files.ls(folder, detail=True)}
        except PermissionError as error:
            yield above, Fault("/".join(above), self._secrets.scrub(describe(error)))
            return
        except FileNotFoundError:  # meanwhile
            return
        for name, info in sorted(found.items()):
            names = [*above, name]
            if behind is not None and names < behind[: len(names)]:
                continue
            if info["type"] == "directory":
                if info["name"].rstrip("/") != folder.rstrip("/"):
                    yield from self._in_folder(info["name"], names, behind)
            elif name and (behind is None or names > behind):
                yield names, info

    def _read(self, waiting: list[tuple[list[str], dict[str, Any]]]) -> Iterator[Cell | Fault]:
        """Yield some objects: small ones are asked for together, large ones go through a file."""
        small = [info["name"] for _, info in waiting if info.get("size") is not None and info["size"] <= READ_WHOLE]
        got = self._files.cat(small, on_error="return") if len(small) > 1 else {}
        for names, info in waiting:
            key, cursor = "/".join(names), json.dumps(names)
            data = got.pop(info["name"], None)
            try:
                if isinstance(data, Exception):
                    raise data
                if data is not None:
                    yield Cell(key, data, cursor)
                else:
                    yield from self._streamed(info["name"], key, cursor)
            except FileNotFoundError:  # gone meanwhile, and so none
                continue
            except PermissionError as error:
                yield Fault(key, self._secrets.scrub(describe(error)))

    def _streamed(self, name: str, key: str, cursor: str) -> Iterator[Cell]:
        """Yield one object, which goes through a nameless file if it is large."""
        with self._files.open(name, "rb") as stream:
            begun = stream.read(READ_WHOLE + 1)
            if len(begun) <= READ_WHOLE:
                yield Cell(key, begun, cursor)
                return
            with tempfile.TemporaryFile() as file:
                file.write(begun)
                while chunk := stream.read(_CHUNK):
                    file.write(chunk)
                file.flush()
                file.seek(0)
                with mapped_file(file) as data:
                    yield Cell(key, data, cursor)

    def _last(self, name: str) -> str:
        """Return what an object is called in its folder; a URL may have its token there."""
        return self._secrets.scrub(name.rstrip("/").rpartition("/")[2])

    def swap(self, changes: Iterable[Change]) -> Iterator[bool]:  # noqa: ARG002 - the verb of all stores
        """Raise `ReadOnlyError`: few object stores compare before they set."""
        raise read_only(self.place)

    def size(self) -> int | None:
        """Return None: only a walk over all would tell."""
        return None

    def close(self) -> None:
        """Do nothing: fsspec keeps its connections for whoever comes next."""


def _is_store(store: FsspecStore) -> Store:
    """Let the type checker see that it is one."""
    return store
