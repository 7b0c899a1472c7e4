"""The sources of today and of an earlier revision, for the reader of shapes; unchanged files are read once."""

import hashlib
import importlib.util
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Protocol

from extreg.project.git import failure, resolve, run_git
from extreg.shapes.parsed import LARGEST, Body, NoSource, Parsed, parse_module
from extreg.targets.lookup import Module
from extreg.targets.trees import Sources


class Files(Protocol):
    """The files of a revision: what identifies the contents of each, by its path from the top with slashes."""

    @property
    def ids(self) -> Mapping[str, str]:
        """The identities of the contents."""

    def read(self, ids: Iterable[str]) -> dict[str, bytes]:
        """Return the contents of those that can be read."""


class Today:
    """The modules that can be imported now."""

    def __init__(self, sources: Sources) -> None:
        self.sources = sources
        self._parsed: dict[str, Parsed | NoSource | None] = {}
        self._own: dict[str, bool] = {}

    def is_own(self, package: str) -> bool:
        """Whether a top-level package lies in the project's folders."""
        if package not in self._own:
            self._own[package] = bool(self.sources.own([package]))
        return self._own[package]

    def load(self, name: str) -> Parsed | NoSource | None:
        """Return the module called `name`; None when there is none."""
        if name not in self._parsed:
            found = self.sources.load(name)
            if isinstance(found, Module):
                own = self.is_own(name.partition(".")[0])
                self._parsed[name] = parse_module(name, found.source, is_package=found.is_package, own=own)
            else:
                self._parsed[name] = None if found is None else NoSource(f"{name} is {found.why}")
        return self._parsed[name]

    def contents(self, name: str) -> bytes | None:
        """Return the bytes of a module's file, None where there is none."""
        origin = self.sources.origin(name)
        try:
            return Path(origin).read_bytes() if origin is not None and origin.endswith(".py") else None
        except OSError:
            return None


class Earlier:
    """The modules that could be imported at a revision: its files below `roots`, and what is not the project's.

    ``parsed`` counts the modules that were read and parsed here, because they differ from today's.
    """

    def __init__(self, files: Files, roots: Iterable[str], today: Today) -> None:
        self.files = files
        self.roots = list(dict.fromkeys(roots))
        self.today = today
        self.parsed = 0
        self._modules: dict[str, Parsed | NoSource | None] = {}
        self._texts: dict[str, bytes] = {}
        self._folders = {folder for path in files.ids for folder in _folders_of(path) if path.endswith(".py")}

    def is_own(self, package: str) -> bool:
        """Whether a top-level package lies in the project's folders, then or now."""
        return self._has(package) or self.today.is_own(package)

    def load(self, name: str) -> Parsed | NoSource | None:
        """Return the module called `name` as it was."""
        if name not in self._modules:
            self._modules[name] = self._load(name)
        return self._modules[name]

    def prepare(self, names: Iterable[str]) -> None:
        """Fetch at once what loading the modules `names` will read."""
        changed = [
            found for name in names if (found := self._find(name)) is not None and not self._unchanged(name, found)
        ]
        self._texts.update(self.files.read(self.files.ids[path] for path in changed))

    def _has(self, package: str) -> bool:
        return self._find(package) is not None or self._is_folder(package)

    def _load(self, name: str) -> Parsed | NoSource | None:
        if not self._has(name.partition(".")[0]):
            return None if self.today.is_own(name.partition(".")[0]) else self.today.load(name)
        path = self._find(name)
        if path is None:
            return Parsed(name, True, Body(), {}, frozenset(), None) if self._is_folder(name) else None
        if self._unchanged(name, path):
            return self.today.load(name)
        blob = self.files.ids[path]
        raw = self._texts.pop(blob, None)
        if raw is None:
            raw = self.files.read([blob]).get(blob)
        if raw is None:
            return NoSource(f"{path} is not in this clone")
        if len(raw) > 4 * LARGEST:
            return NoSource(f"{path} is larger than {4 * LARGEST:,} bytes")
        self.parsed += 1
        try:
            source = importlib.util.decode_source(raw)
        except (SyntaxError, UnicodeDecodeError):
            return NoSource(f"{path} is no Python text")
        return parse_module(name, source, is_package=path.endswith("/__init__.py"))

    def _unchanged(self, name: str, path: str) -> bool:
        contents = self.today.contents(name) if self.today.is_own(name.partition(".")[0]) else None
        return contents is not None and blob_id(contents, self.files.ids[path]) == self.files.ids[path]

    def _find(self, name: str) -> str | None:
        inside = name.replace(".", "/")
        for root in self.roots:
            for path in (f"{root}{inside}/__init__.py", f"{root}{inside}.py"):
                if path in self.files.ids:
                    return path
        return None

    def _is_folder(self, name: str) -> bool:
        return any(f"{root}{name.replace('.', '/')}" in self._folders for root in self.roots)


def _folders_of(path: str) -> Iterable[str]:
    parts = path.split("/")[:-1]
    return ("/".join(parts[:length]) for length in range(1, len(parts) + 1))


def blob_id(contents: bytes, like: str) -> str:
    """Return what git calls a file with `contents`, by the hash that `like` was made with (gitformat-objects)."""
    made = hashlib.sha1 if len(like) == 40 else hashlib.sha256
    return made(b"blob %d\0" % len(contents) + contents, usedforsecurity=False).hexdigest()


class CommitFiles:
    """The files of a commit in the repository that `folder` is in."""

    def __init__(self, folder: Path, ref: str) -> None:
        top = run_git(["rev-parse", "--show-toplevel"], folder=folder)
        if top.returncode != 0:
            raise failure(f"{folder} is not in a git repository that can be read", top)
        self.top = Path(top.stdout.decode(errors="surrogateescape").rstrip("\n"))
        commit = resolve(ref, folder=self.top) or ref
        listed = run_git(["ls-tree", "-r", "-z", "--full-tree", commit], folder=self.top)
        if listed.returncode != 0:
            raise failure(f"the files of {ref} cannot be listed", listed)
        self.ids: dict[str, str] = {}
        for entry in listed.stdout.split(b"\0"):
            kind, _, path = entry.partition(b"\t")
            if path.endswith((b".py", b"/")) and kind[:6] in (b"100644", b"100755"):
                self.ids[path.decode(errors="surrogateescape")] = kind.split(b" ")[2].decode()

    def read(self, ids: Iterable[str]) -> dict[str, bytes]:
        """Return the contents of those that can be read, by one process."""
        wanted = list(dict.fromkeys(ids))
        if not wanted:
            return {}
        done = run_git(["cat-file", "--batch"], folder=self.top, data="".join(f"{one}\n" for one in wanted).encode())
        found: dict[str, bytes] = {}
        position = 0
        for one in wanted:
            end = done.stdout.find(b"\n", position)
            header = done.stdout[position:end].split(b" ")
            if end < 0:
                break
            position = end + 1
            if header[-1].isdigit():
                size = int(header[-1])
                found[one] = done.stdout[position : position + size]
                position += size + 1
        return found


class FolderFiles:
    """The Python files in a folder, as those of a revision."""

    def __init__(self, top: Path) -> None:
        from extreg.targets.trees import project_files

        self.top = top
        self.ids = {}
        self._contents: dict[str, bytes] = {}
        for file in project_files(top):
            try:
                raw = file.read_bytes()
            except OSError:
                continue
            found = blob_id(raw, "0" * 40)
            self.ids[file.relative_to(top).as_posix()] = found
            self._contents[found] = raw

    def read(self, ids: Iterable[str]) -> dict[str, bytes]:
        """Return the contents of those that there are."""
        return {one: self._contents[one] for one in ids if one in self._contents}


def roots_below(top: Path, folders: Iterable[Path]) -> list[str]:
    """Return where modules are imported from, as beginnings of paths below `top`: folders, and the ``src`` in each."""
    real = top.resolve()
    found = []
    for folder in folders:
        place = folder.resolve()
        if place.is_relative_to(real):
            inside = place.relative_to(real).as_posix()
            prefix = "" if inside == "." else f"{inside}/"
            found += [prefix, f"{prefix}src/"]
    return list(dict.fromkeys(found))
