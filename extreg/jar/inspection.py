"""Checking a jar: each entry's bytes against its record, and what its pickle has become today."""

from collections.abc import Collection, Iterator
from dataclasses import replace
from difflib import get_close_matches
from pathlib import Path
from typing import NamedTuple

from extreg.errors import UnreadableError
from extreg.jar.checking import Fault, faults_of_answer, faults_of_bytes, loaded_of
from extreg.jar.entries import PICKLE, RECORD, Entry, jar_entries, pickle_of, write_record
from extreg.jar.symbols import read_pickle_as_symbols, tree_of_bytes
from extreg.jar.trials import SECONDS, Answer, Trial, tried
from extreg.registry.model import Registry


class Checked(NamedTuple):
    """An ``entry``, what is wrong with it, and whether its record has been ``updated``."""

    entry: Entry
    faults: tuple[Fault, ...]
    updated: bool = False


def check(
    folder: Path,
    entries: Collection[Entry],
    registry: Registry,
    path: list[str],
    *,
    seconds: float = SECONDS,
    update: bool = False,
) -> Iterator[Checked]:
    """Load the pickles of `entries` under `registry`, with `path` as ``sys.path``, and yield what is wrong with each.

    With `update`, the records are made to say what there is, where a pickle is the one that its record is of and loads;
    what is wrong after that is yielded.
    """
    trials, before = [], {}
    for entry in entries:
        file = pickle_of(folder, entry)
        faults = tuple(faults_of_bytes(entry, _read(file), registry))
        if any(fault.kind == "altered" for fault in faults):
            yield Checked(entry, faults)
        else:
            before[entry.name] = entry, faults
            trials.append(Trial(entry.name, file, entry.protocol))
    for name, answer in tried(trials, registry, path, seconds=seconds):
        entry, faults = before[name]
        if update and answer.tree is not None:
            fresh = _updated(folder, entry, answer)
            changed = write_record(folder, fresh)
            left = tuple(fault for fault in faults if fault.kind == "code-changed")
            yield Checked(fresh, (*left, *faults_of_answer(fresh, answer, registry)), changed)
        else:
            yield Checked(entry, (*faults, *faults_of_answer(entry, answer, registry)))


def chosen(folder: Path, names: Collection[str]) -> list[Entry]:
    """Return the entries of the jar in `folder` that `names` mean, all without any.

    A name may be that of an entry, or the path of its pickle or record.  Raises `UnreadableError` for what is none, and
    for a jar without an entry.
    """
    entries = {entry.name: entry for entry in jar_entries(folder)}
    if not entries:
        raise UnreadableError(f"there is no entry in the jar {folder}", "extreg jar add FILE puts a pickle into it")
    found = {}
    for given in names:
        name = Path(given).name
        for ending in (PICKLE, RECORD):
            name = name.removesuffix(ending)
        if name not in entries:
            near = get_close_matches(name, entries, n=1)
            hint = f"did you mean {near[0]}?" if near else "extreg jar list shows all"
            raise UnreadableError(f"there is no entry {given} in the jar {folder}", hint)
        found[name] = entries[name]
    return list((found or entries).values())


def _updated(folder: Path, entry: Entry, answer: Answer) -> Entry:
    data = pickle_of(folder, entry).read_bytes()
    tree = tuple(tree_of_bytes(read_pickle_as_symbols(data), entry.codes))
    return replace(entry, tree=tree, loaded=loaded_of(answer, looked_at=True))


def _read(file: Path) -> bytes | None:
    try:
        return file.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise UnreadableError(f"cannot read {file}: {error.strerror}", "look at its rights, and its disk") from None
