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
from extreg.jar.redacting import Redaction, redact
from extreg.jar.symbols import Pickle, read_pickle_as_symbols, tree_of_bytes
from extreg.jar.trials import SECONDS, Answer, Trial, tried
from extreg.printable import printable
from extreg.project.git import in_repository, resolve
from extreg.registry.model import Registry
from extreg.registry.target import is_target
from extreg.scoped.permits import permits_of


class Sample(NamedTuple):
    """A pickle that is to become an entry, ``where`` it was found, and whether it is to be redacted first."""

    data: bytes
    where: str
    redact: bool = False


class Added(NamedTuple):
    """What came of a sample: its ``entry``, whether that is ``new``, and what is wrong with it.

    ``redaction`` says what was done to its values.  Where nobody can say that it is the same with others, ``refused``
    tells why, and there is no entry in the jar.
    """

    entry: Entry
    new: bool
    faults: tuple[Fault, ...] = ()
    redaction: Redaction | None = None
    refused: str = ""


class _Fresh(NamedTuple):
    """An entry that is not in the jar yet, its pickle, and what that was before it was redacted."""

    entry: Entry
    data: bytes
    original: bytes
    redaction: Redaction | None


def add(
    samples: Iterable[Sample], folder: Path, registry: Registry, path: list[str], *, seconds: float = SECONDS
) -> Iterator[Added]:
    """Put each of `samples` into the jar in `folder`, unless its pickle is there, and yield what came of it.

    They are loaded under `registry` in a child process, with `path` as ``sys.path``: those that are redacted before and
    after that, to see that they become objects of the same types.  Raises `UnreadableError` for what is no pickle,
    `ExtregError` for one that refers to what the registry does not hold; nothing has been written then.
    """
    there = {entry.digest: entry for entry in jar_entries(folder)}
    taken = {entry.name for entry in there.values()}
    fresh: dict[str, _Fresh] = {}
    for sample in samples:
        redaction = _redacted(sample) if sample.redact else None
        data = sample.data if redaction is None else redaction.data
        digest = digest_of(data)
        known = there.get(digest) or (fresh[digest].entry if digest in fresh else None)
        if known is not None:
            yield Added(known, new=False)
            continue
        entry = _entry(sample._replace(data=data), digest, registry, taken)
        taken.add(entry.name)
        fresh[digest] = _Fresh(entry, data, sample.data, redaction)
    origin = _origin(folder, registry)
    for one, answer, before in _tried(fresh, registry, path, seconds):
        entry = _completed(one, answer, origin)
        refused = "" if before is None else _difference(before, answer)
        if refused:
            yield Added(entry, new=False, redaction=one.redaction, refused=refused)
            continue
        write_new(folder, entry, one.data)
        faults = faults_of_answer(entry, answer, registry)
        wrong = tuple(fault for fault in faults if fault.kind != "unrecorded")
        yield Added(entry, new=True, faults=wrong, redaction=one.redaction)


def _tried(
    fresh: Mapping[str, _Fresh], registry: Registry, path: list[str], seconds: float
) -> Iterator[tuple[_Fresh, Answer, Answer | None]]:
    """Yield what each pickle becomes, and what it became before it was redacted, if it was."""
    with tempfile.TemporaryDirectory(prefix="extreg-") as place:
        trials = []
        for digest, one in fresh.items():
            # The redacted one last: by then it is known what it should be.
            for kind, data in (
                (("original", one.original), ("kept", one.data)) if one.redaction else (("kept", one.data),)
            ):
                file = Path(place, f"{digest}.{kind}")
                file.write_bytes(data)
                trials.append(Trial(file.name, file, one.entry.protocol))
        before: Answer | None = None
        for name, answer in tried(trials, registry, path, seconds=seconds, more=True):
            digest, _, kind = name.partition(".")
            if kind == "original":
                before = answer
            else:
                yield fresh[digest], answer, before
                before = None


def _redacted(sample: Sample) -> Redaction:
    try:
        return redact(sample.data)
    except MalformedPickleError as error:
        raise UnreadableError(f"{sample.where}: {error}") from None


def _difference(before: Answer, after: Answer) -> str:
    """Say why a redacted pickle is no sample of what it was; nothing where it is."""
    if before.tree is None:
        return f"nobody can say what a redacted one should become: {before.error}"
    if after.tree is None:
        return f"redacted, {after.error}"
    return "" if before.types == after.types else "redacted, it becomes objects of other types"


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


def _completed(one: _Fresh, answer: Answer, origin: Mapping[str, str]) -> Entry:
    return replace(
        one.entry,
        origin={**one.entry.origin, **origin},
        libraries=answer.libraries,
        redacted=one.redaction is not None,
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
