"""The entries of a jar: in its folder a pickle and a record of it, ``NAME.pickle`` and ``NAME.toml``.

A record is written once and read by people: where the pickle came from, what its bytes say, and what it has become.
"""

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from extreg.disk.atomic import explained, write
from extreg.disk.locking import locked
from extreg.errors import UnreadableError
from extreg.registry.toml.render import key, string
from extreg.registry.toml.toml_reader import loads
from extreg.startup.pyproject import table_in

FORMAT: Final = 1
RECORD: Final = ".toml"
PICKLE: Final = ".pickle"
_ATTRIBUTES: Final = ".gitattributes"
# Git changes the ends of lines in what it takes for text, as it does pickles of protocol 0.
_NO_TEXT: Final = "*.pickle binary\n"
_LONGEST: Final = 100
_DIGITS: Final = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Loaded:
    """What a pickle has become: its ``tree``, and what somebody has looked at and let pass besides.

    ``lacks`` are places of attributes that are not there, ``raises`` what is raised by which use: ``"repr: KeyError"``.
    """

    tree: tuple[str, ...]
    lacks: tuple[str, ...] = ()
    raises: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One pickle of a jar and its record, which are called ``name``.

    ``digest`` is the SHA-256 of the pickle.  ``subject`` is what it is a pickle of, as far as that has a name;
    ``names`` are all targets in it as they stand there, ``codes`` its codes with what they meant.  ``origin`` says
    where it came from, in words.  ``tree`` is what the bytes say, ``loaded`` what it has become, None where it did not
    load.
    """

    name: str
    digest: str
    subject: str
    protocol: int
    tree: tuple[str, ...]
    names: tuple[str, ...] = ()
    codes: Mapping[int, str] = field(default_factory=dict)
    origin: Mapping[str, str] = field(default_factory=dict)
    libraries: Mapping[str, str] = field(default_factory=dict)
    redacted: bool = False
    loaded: Loaded | None = None


def new_name(subject: str, digest: str, taken: Iterable[str]) -> str:
    """Return a name for an entry that no file of a jar has: what it is of, and as much of its digest as it takes."""
    plain = re.sub(r"[^A-Za-z0-9_.-]+", "-", subject.replace(":", ".")).strip(".-")[:_LONGEST] or "pickle"
    lower = {name.casefold() for name in taken}
    size = _DIGITS
    while f"{plain}-{digest[:size]}".casefold() in lower:
        size += 1
    return f"{plain}-{digest[:size]}"


def digest_of(data: bytes) -> str:
    """Return the SHA-256 of a pickle, by which the same one is known again."""
    return sha256(data).hexdigest()


def render_record(entry: Entry) -> str:
    """Return the record of an entry as TOML; ``parse_record(render_record(e), ...) == e``."""
    lines = [
        f"format = {FORMAT}",
        f"subject = {string(entry.subject)}",
        f"protocol = {entry.protocol}",
        f"sha256 = {string(entry.digest)}",
        *(["redacted = true"] if entry.redacted else []),
        f"names = {_array(entry.names)}",
        *_table("codes", {str(code): target for code, target in sorted(entry.codes.items())}),
        *_table("origin", entry.origin),
        *_table("libraries", entry.libraries),
        "",
        "# What the bytes say; nothing was loaded for it.",
        "[bytes]",
        _tree(entry.tree),
    ]
    if entry.loaded is not None:
        lines += ["", "# What it became when it was loaded.", "[loads]", _tree(entry.loaded.tree)]
        lines += [f"lacks = {_array(entry.loaded.lacks)}"] if entry.loaded.lacks else []
        lines += [f"raises = {_array(entry.loaded.raises)}"] if entry.loaded.raises else []
    return "\n".join(lines) + "\n"


def parse_record(text: str, name: str, place: str) -> Entry:
    """Return the entry whose record says `text`; raise `UnreadableError`, naming `place`, where it is none."""
    try:
        data = loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableError(f"{place}: {error}", _RENEW) from None
    if data.get("format") != FORMAT:
        found = data.get("format")
        raise UnreadableError(f"{place}: format: expected {FORMAT}, found {found!r}", "update extreg, or add it anew")
    reader = _Reader(data, place)
    table = table_in(data, place, "bytes")
    return Entry(
        name=name,
        digest=reader.text(data, "sha256"),
        subject=reader.text(data, "subject"),
        protocol=reader.number(data, "protocol"),
        tree=tuple(reader.text(table, "tree", "bytes.").split("\n")[:-1]),
        names=reader.texts(data, "names"),
        codes={reader.code(code): target for code, target in reader.table("codes").items()},
        origin=reader.table("origin"),
        libraries=reader.table("libraries"),
        redacted=data.get("redacted") is True,
        loaded=_parse_loaded(reader, table_in(data, place, "loads")) if "loads" in data else None,
    )


def jar_entries(folder: Path) -> Iterator[Entry]:
    """Yield the entries of the jar in `folder`, by name; nothing where there is no such folder.

    Raises `UnreadableError` for a record that cannot be read.
    """
    if not folder.is_dir():
        return
    for path in sorted(folder.glob(f"*{RECORD}")):
        yield read_entry(path)


def read_entry(path: Path) -> Entry:
    """Return the entry whose record is at `path`; raise `UnreadableError`."""
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UnreadableError(f"cannot read {path}: {error}", _RENEW) from None
    return parse_record(text, path.name.removesuffix(RECORD), str(path))


def strays(folder: Path, entries: Iterable[Entry]) -> list[Path]:
    """Return the pickles in a jar that have no record."""
    known = {f"{entry.name}{PICKLE}" for entry in entries}
    return sorted(path for path in folder.glob(f"*{PICKLE}") if path.name not in known) if folder.is_dir() else []


def pickle_of(folder: Path, entry: Entry) -> Path:
    """Return where the pickle of an entry is."""
    return folder / f"{entry.name}{PICKLE}"


def record_of(folder: Path, entry: Entry) -> Path:
    """Return where the record of an entry is."""
    return folder / f"{entry.name}{RECORD}"


def mentioned(folder: Path) -> set[str]:
    """Return the targets that the entries of the jar in `folder` mention, by name or by what their codes meant."""
    return {name for entry in jar_entries(folder) for name in (*entry.names, *entry.codes.values())}


def write_new(folder: Path, entry: Entry, data: bytes) -> None:
    """Put an entry into the jar in `folder`, which is made where there is none; raise `ExtregError`.

    The pickle is there before its record, so that there is no record without one.
    """
    with explained(folder / _ATTRIBUTES):
        folder.mkdir(parents=True, exist_ok=True)
    paths = ((folder / _ATTRIBUTES, _NO_TEXT.encode()), (pickle_of(folder, entry), data))
    with locked(folder / _ATTRIBUTES):
        for path, content in (*paths, (record_of(folder, entry), render_record(entry).encode())):
            if path.name != _ATTRIBUTES or not path.exists():
                with explained(path):
                    write(path, content, was=None)


def write_record(folder: Path, entry: Entry) -> bool:
    """Replace the record of an entry; return whether anything in it has changed.  Raises `ExtregError`."""
    path = record_of(folder, entry)
    with locked(path), explained(path):
        before = path.read_bytes()
        after = render_record(entry).encode()
        if after == before:
            return False
        write(Path(os.path.realpath(path)), after, was=before)
        return True


_RENEW: Final = "take the entry from git again, or add its pickle anew: extreg jar add FILE"


def _parse_loaded(reader: "_Reader", table: Mapping[str, Any]) -> Loaded:
    return Loaded(
        tree=tuple(reader.text(table, "tree", "loads.").split("\n")[:-1]),
        lacks=reader.texts(table, "lacks", "loads."),
        raises=reader.texts(table, "raises", "loads."),
    )


class _Reader:
    """Reads the keys of a record and says which of them is not what it should be."""

    def __init__(self, data: Mapping[str, Any], place: str) -> None:
        self._data = data
        self._place = place

    def text(self, table: Mapping[str, Any], name: str, where: str = "") -> str:
        """Return a string."""
        value = table.get(name)
        return value if isinstance(value, str) else self._refuse(f"{where}{name}", "a string", value)

    def texts(self, table: Mapping[str, Any], name: str, where: str = "") -> tuple[str, ...]:
        """Return an array of strings; empty where it is left out."""
        value = table.get(name, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            self._refuse(f"{where}{name}", "an array of strings", value)
        return tuple(value)

    def number(self, table: Mapping[str, Any], name: str) -> int:
        """Return an integer."""
        value = table.get(name)
        return value if type(value) is int else self._refuse(name, "an integer", value)

    def table(self, name: str) -> dict[str, str]:
        """Return a table of strings; empty where it is left out."""
        found = table_in(self._data, self._place, name)
        return {each: self.text(found, each, f"{name}.") for each in found}

    def code(self, spelled: str) -> int:
        """Return the code that a key is."""
        return int(spelled) if spelled.isascii() and spelled.isdecimal() else self._refuse("codes", "codes", spelled)

    def _refuse(self, where: str, expected: str, found: object) -> Any:
        raise UnreadableError(f"{self._place}: {where}: expected {expected}, found {found!r:.80}", _RENEW)


def _array(values: Iterable[str]) -> str:
    return f"[{', '.join(map(string, values))}]"


def _table(name: str, rows: Mapping[str, str]) -> list[str]:
    return ["", f"[{name}]", *(f"{key(each)} = {string(value)}" for each, value in rows.items())] if rows else []


def _tree(lines: Iterable[str]) -> str:
    """Return a tree as a literal string, in which TOML reads every character as itself: there are no ``'''`` in it."""
    return "tree = '''\n{}\n'''".format("\n".join(lines))
