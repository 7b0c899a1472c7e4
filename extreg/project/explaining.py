"""`explain`: what is known, in this process and around it, of the extension code that a load failed at."""

import os
import re
from collections.abc import Iterator
from pathlib import Path

from extreg.errors import ExtregError
from extreg.ledger import CODES, INSTALLED, INVERTED, RETIRED
from extreg.printable import printable
from extreg.project.effective import effective
from extreg.project.locate import registry_path_if_any
from extreg.project.unknown import facts_of
from extreg.registry.document import read_document
from extreg.startup.retirement import named_by
from extreg.startup.shown import fingerprint_of

_UNKNOWN = re.compile(r"unregistered extension code (\d{1,10})\b")
_MOST_ERRORS = 100
_POOL = "give it initializer=extreg.workers.initializer(), or install at the top level of the program, above the guard"
# What a traceback that came from another process tells of it: the first that fits, and what is right there.
_PROCESSES = (
    (
        re.compile(r"\bcelery[/\\.]|\bkombu[/\\.]"),
        "a Celery worker",
        "extreg.workers.celery.connect(app), below the app",
    ),
    (re.compile(r"\bdistributed[/\\.]"), "a Dask worker or scheduler", "extreg.workers.dask.register(client)"),
    (re.compile(r"\bloky[/\\.]"), "a worker of loky", _POOL),
    (re.compile(r"concurrent[/\\.]futures[/\\.]interpreter"), "an interpreter of a pool", _POOL),
    (re.compile(r"concurrent[/\\.]futures[/\\.]process|\b_RemoteTraceback\b"), "a worker of an executor", _POOL),
    (re.compile(r"multiprocessing[/\\.]managers"), "the process of a manager", _POOL),
    (re.compile(r"multiprocessing[/\\.]"), "a child of multiprocessing", _POOL),
)


def explain(error: BaseException) -> str:
    """Return what is known of the extension code that `error` is about, as lines of text for a person.

    The error is pickle's "unregistered extension code N" or one of extreg's, or has such a one among its causes,
    contexts or group: tracebacks of worker processes are searched too.  Told are what is installed in this process,
    with fingerprints; whether the code is known now, or to the file as it is now, or is retired; which commits of which
    branches have it; and which kind of process lacks it, where a traceback tells.  For that, files are read and git is
    run; nothing is imported or changed.  What cannot be read is said, and not raised.
    """
    for found in _chain(error):
        if isinstance(found, ExtregError):
            return str(found)
        match = _UNKNOWN.search(str(found))
        if match is not None:
            lines = [*_of_code(int(match[1])), *_of_process("\n".join(map(str, _chain(error))))]
            return "\n".join(map(printable, lines))
    return printable(f"{type(error).__name__}: nothing in it is about an extension code")


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield `error`, what it holds and what it came from, each once."""
    waiting, seen = [error], set[int]()
    while waiting and len(seen) < _MOST_ERRORS:
        found = waiting.pop(0)
        if id(found) in seen:
            continue
        seen.add(id(found))
        yield found
        inside = getattr(found, "exceptions", ())
        others = (found.__cause__, found.__context__, *(inside if isinstance(inside, (list, tuple)) else ()))
        waiting += [other for other in others if isinstance(other, BaseException)]


def _of_code(code: int) -> Iterator[str]:
    row = INVERTED.get(code)
    if row is None:
        yield f"extension code {code} is registered by nobody in this process ({os.getpid()})"
    elif row[0] == RETIRED:
        yield from str(named_by(row[1])).splitlines()
    else:
        state = "live" if CODES.get(row) == code else "load-only"
        yield f"extension code {code} is {':'.join(row)} in this process ({os.getpid()}) now, {state}"
        yield "it was registered after that load, or the error is another process's: install at the start of each"
    yield from _installed()
    if row is None:
        yield from _in_files(code)


def _of_process(text: str) -> Iterator[str]:
    """Yield which process lacks the code, as far as the text of the errors tells, and how one finds out."""
    for pattern, process, cure in _PROCESSES:
        if pattern.search(text):
            yield f"by its traceback it is {process} that lacks the code: {cure}"
            break
    yield "extreg doctor starts a process of each kind that the project uses, and says which have the codes"


def _installed() -> Iterator[str]:
    if not INSTALLED:
        yield "no registry is installed in this process: extreg.install() must run before the load, in workers too"
    for entry in INSTALLED:
        layers = entry._owner.layers
        loaded = sum(len(rows.inverted) - len(rows.retired) for rows in layers)
        yield (
            f"installed is {layers[0].path} (fingerprint {fingerprint_of(layers)}), which loads {loaded} codes and "
            f"has retired {sum(len(rows.retired) for rows in layers)}"
        )


def _in_files(code: int) -> Iterator[str]:
    paths = [Path(entry._source) for entry in INSTALLED if isinstance(entry._source, str)]
    try:
        if not INSTALLED and (nearest := registry_path_if_any(None)) is not None:
            paths.append(nearest)
        for path in dict.fromkeys(paths):
            yield from _in_file(code, path)
    except ExtregError as error:
        yield f"the registry cannot be read: {error.message}"


def _in_file(code: int, path: Path) -> Iterator[str]:
    known = effective(read_document(path).require(), path)
    registry = known.everything
    state = registry.state(code)
    if state is None:
        yield f"{path} does not hold it, nor does what it includes"
        yield from facts_of(code, registry, path)
        return
    file = known.files.get(code, str(path))
    line = next((row.line for row in read_document(file).rows if row.code == code), None)
    target = registry.target(code) or registry.retired[code]
    yield f"{file}{'' if line is None else f':{line}'} has it: {target}, {state}"
    if state == "retired":
        yield "its number is spent for ever: what holds it is read with a release from before the retirement"
    elif INSTALLED:
        yield "the file has changed since it was installed: extreg.reload() reads it again"
    else:
        yield f"extreg.install({str(path)!r}) before the load makes it known"
