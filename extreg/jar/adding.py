"""Making entries of pickles: what their bytes say, what they have become, and where they came from."""

import platform
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import datetime, timezone
from pathlib import Path
from typing import NamedTuple

from extreg.errors import ExtregError, ForbiddenGlobalError, MalformedPickleError, UnreadableError
from extreg.jar.checking import Fault, faults_of_answer, loaded_of
from extreg.jar.entries import Entry, digest_of, jar_entries, new_name, write_new
from extreg.jar.symbols import Pickle, read_pickle_as_symbols, tree_of_bytes
from extreg.jar.trials import SECONDS, Answer, Trial, tried
from extreg.printable import printable
from extreg.project.git import in_repository, resolve
from extreg.registry.model import Registry
from extreg.registry.target import is_target
from extreg.scoped.permits import permits_of


class Sample(NamedTuple):
    """A pickle that is to become an entry, and ``where`` it was found."""

    data: bytes
    where: str


class Added(NamedTuple):
    """What came of a sample: its ``entry``, whether that is ``new``, and what is wrong with it."""

    entry: Entry
    new: bool
    faults: tuple[Fault, ...] = ()


def add(
    samples: Iterable[Sample], folder: Path, registry: Registry, path: list[str], *, seconds: float = SECONDS
) -> Iterator[Added]:
    """Put each of `samples` into the jar in `folder`, unless its pickle is there, and yield what came of it.

    They are loaded under `registry` in a child process, with `path` as ``sys.path``.  Raises `UnreadableError` for what
    is no pickle, `ExtregError` for one that refers to what the registry does not hold; nothing has been written then.
    """
    there = {entry.digest: entry for entry in jar_entries(folder)}
    taken = {entry.name for entry in there.values()}
    fresh: dict[str, tuple[Entry, bytes]] = {}
    known: list[Entry] = []
    for sample in samples:
        digest = digest_of(sample.data)
        if digest in there or digest in fresh:
            known.append(there[digest] if digest in there else fresh[digest][0])
            continue
        entry = _entry(sample, digest, registry, taken)
        taken.add(entry.name)
        fresh[digest] = entry, sample.data
    yield from (Added(entry, new=False) for entry in known)
    origin = _origin(folder, registry)
    with tempfile.TemporaryDirectory(prefix="extreg-") as place:
        trials = []
        for entry, data in fresh.values():
            file = Path(place, entry.digest)
            file.write_bytes(data)
            trials.append(Trial(entry.digest, file, entry.protocol))
        for digest, answer in tried(trials, registry, path, seconds=seconds, libraries=True):
            entry, data = fresh[digest]
            entry = _completed(entry, answer, origin)
            write_new(folder, entry, data)
            faults = faults_of_answer(entry, answer, registry)
            yield Added(entry, new=True, faults=tuple(fault for fault in faults if fault.kind != "unrecorded"))


def _entry(sample: Sample, digest: str, registry: Registry, taken: Iterable[str]) -> Entry:
    """Return the entry of a sample as far as its bytes tell."""
    try:
        pickle = read_pickle_as_symbols(sample.data)
        permits_of(registry).check(sample.data, fix_imports=True)
    except MalformedPickleError as error:
        raise UnreadableError(f"{sample.where}: {error}") from None
    except ForbiddenGlobalError as error:
        offenders = "; ".join(map(str, error.offenders))
        message = f"{sample.where} refers to what the registry does not hold, and nothing was added: {offenders}"
        raise ExtregError(message, "the registry says what a pickle in the jar may refer to") from None
    codes = _codes(pickle, registry)
    subject = pickle.subject
    target = subject.target if subject.code is None else codes.get(subject.code, f"code {subject.code}")
    shown = target if target is not None and (is_target(target) or subject.code is not None) else "something"
    names = {found.target for found in pickle.references if found.target is not None and is_target(found.target)}
    return Entry(
        name=new_name(shown, digest, taken),
        digest=digest,
        subject=shown,
        protocol=pickle.protocol,
        names=tuple(sorted(names)),
        codes=codes,
        origin={"from": printable(sample.where)},
        tree=tuple(tree_of_bytes(pickle, codes)),
    )


def _codes(pickle: Pickle, registry: Registry) -> dict[int, str]:
    used = sorted({found.code for found in pickle.references if found.code is not None})
    meant = {code: registry.target(code) or registry.retired.get(code) for code in used}
    return {code: target for code, target in meant.items() if target is not None}


def _completed(entry: Entry, answer: Answer, origin: Mapping[str, str]) -> Entry:
    return replace(
        entry,
        origin={**entry.origin, **origin},
        libraries=answer.libraries,
        loaded=loaded_of(answer, looked_at=False),
    )


def _origin(folder: Path, registry: Registry) -> dict[str, str]:
    """Return when, by what and from which state of the project entries are made."""
    here = next(place for place in (folder.absolute(), *folder.absolute().parents) if place.is_dir())
    commit = None
    if in_repository(here):
        try:
            commit = resolve("HEAD", folder=here)
        except UnreadableError:  # a repository that git refuses tells nothing
            commit = None
    found = {
        "added": datetime.now(timezone.utc).date().isoformat(),
        "python": f"{platform.python_implementation()} {platform.python_version()}",
        "registry": registry.fingerprint,
    }
    return {**found, "commit": commit} if commit is not None else found
