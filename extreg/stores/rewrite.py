"""Rewriting stored pickles in place: names to codes or codes to names, file by file, each in one step."""

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import Literal, NamedTuple

from extreg.errors import ExtregError, MalformedPickleError, WrittenError
from extreg.pickles.kinds import UNKNOWN, kind_of
from extreg.pickles.rewriting.rewriter import Rewritten, rewrite
from extreg.pickles.walking.opcodes import Buffer
from extreg.pickles.walking.sniff import plausible
from extreg.registry.model import Registry
from extreg.stores.bounded import BROKEN, Budget, compression, decompressor, expanded
from extreg.stores.files import Found
from extreg.stores.forms import Form, form_of
from extreg.stores.items import describe
from extreg.stores.mapping import mapped_file
from extreg.stores.replacing import MeanwhileError, Original, replace, tidy

# What is not rewritten, though it may hold pickles.
_ALONE = {"zip": "an archive", "npy": "an array", "sqlite": "a database", "gdbm": "a database"}
_HEAD = 16
# How often a file is read again that somebody else wrote meanwhile.
_ATTEMPTS = 3

_Change = Callable[[Buffer], Rewritten]


class Outcome(NamedTuple):
    """What became of one file, or would: ``size`` and ``new_size`` are the file's own, compressed if it is.

    ``problem`` is why it could not be read, or written if it ``failed``; ``alone`` what it is, or what keeps it, when
    it is left alone; ``passed`` is the kind of what may hold pickles and was not understood; ``left`` and ``refused``
    are as in `Rewritten`.
    """

    found: Found
    changed: int = 0
    pickles: int = 0
    references: int = 0
    size: int = 0
    new_size: int = 0
    left: dict[str, int] = {}  # noqa: RUF012 - never changed
    refused: dict[str, int] = {}  # noqa: RUF012 - never changed
    alone: str | None = None
    passed: str | None = None
    problem: str | None = None
    failed: bool = False


def rewrite_files(
    files: Iterable[Found],
    registry: Registry,
    *,
    to: Literal["codes", "names"],
    check: bool,
    independent: bool = False,
    renamed: bool = False,
) -> Iterator[Outcome]:
    """Rewrite each of `files`, or with `check` only find out what that would change, and yield what became of it.

    `independent` and `renamed` are for `extreg.pickles.rewriting.rewriter.rewrite`.
    """
    change = partial(rewrite, registry=registry, to=to, independent=independent, renamed=renamed)
    tidied: set[Path] = set()
    for found in files:
        folder = Path(os.path.realpath(found.path)).parent
        if not check and folder not in tidied:
            tidied.add(folder)
            tidy(folder)
        try:
            yield _rewritten(found, change, to, check)
        except BROKEN as error:
            yield Outcome(found, problem=describe(error))


def _rewritten(found: Found, change: _Change, to: Literal["codes", "names"], check: bool) -> Outcome:
    if found.problem is not None:
        return Outcome(found, problem=found.problem)
    if found.database is not None:
        return Outcome(found, alone="a database")
    attempts = 0
    while True:
        attempts += 1
        try:
            return _rewritten_once(found, change, to, check)
        except MeanwhileError as error:
            if not error.again or attempts == _ATTEMPTS:
                return Outcome(found, problem=error.message, failed=True)


def _rewritten_once(found: Found, change: _Change, to: Literal["codes", "names"], check: bool) -> Outcome:
    path = Path(os.path.realpath(found.path))
    with path.open("rb", buffering=0) as file:
        names = os.fstat(file.fileno()).st_nlink
        with mapped_file(file) as stored:
            form = form_of(stored[:_HEAD])
            if form in _ALONE:
                return Outcome(found, alone=_ALONE[form])
            original = None if check else Original(path, file, stored)
            outcome, new = _changed(found, stored, form, change, to)
        if new is not None and names > 1:
            # Replaced under this name, it would go on as it was under the others.
            return outcome._replace(changed=0, new_size=outcome.size, alone="a file with several names (hard links)")
        return outcome if new is None or original is None else _replaced(original, new, outcome)


def _replaced(original: Original, new: bytes, outcome: Outcome) -> Outcome:
    """Write what a file holds from now on; return what became of it."""
    try:
        replace(original, new)
    except MeanwhileError:
        raise
    except WrittenError as error:
        return outcome._replace(problem=f"it is rewritten, but {error.failed}", failed=True)
    except ExtregError as error:
        return Outcome(outcome.found, problem=f"cannot be written: {error.message}", failed=True)
    except OSError as error:
        return Outcome(outcome.found, problem=f"cannot be written: {describe(error)}", failed=True)
    return outcome


def _changed(
    found: Found, stored: Buffer, form: Form | None, change: _Change, to: Literal["codes", "names"]
) -> tuple[Outcome, bytes | None]:
    """Return what becomes of a file that holds `stored`, and what it holds then if that is something else."""
    size = len(stored)
    if form is None:
        return _without(found, stored), None
    try:
        if form == "pickle":
            if not plausible(stored):
                return _without(found, stored), None
            result = change(stored)
        else:
            with (
                decompressor(form, BytesIO(bytes(stored))) as plain,
                expanded(plain, Budget(), _is_pickle) as data,
            ):
                if data is None or not _is_pickle(data):
                    return _without(found, data), None
                result = change(data)
    except MalformedPickleError as error:
        return Outcome(found, problem=f"no whole pickle: {error}"), None
    account = Outcome(found, 0, result.pickles, 0, size, size, dict(result.left), dict(result.refused))
    if "malformed" in result.refused:
        # Whoever reads what follows may count on its place, as an index would.
        return account._replace(alone="other bytes follow its last whole pickle"), None
    if not result.changed:
        return account, None
    new = _compressed(form, result.data, stored)
    if to == "codes" and len(new) >= size:
        return account._replace(alone="a compressed file that would not be smaller"), None
    return account._replace(changed=result.changed, references=result.references, new_size=len(new)), new


def _without(found: Found, data: Buffer | None) -> Outcome:
    """Return the outcome for a file of whose `data`, unpacked as far as that went, no pickle begins."""
    passed = kind_of(data) if data is not None else UNKNOWN
    if found.named and passed is None:
        return Outcome(found, problem="holds no pickle")
    return Outcome(found, passed=passed)


def _is_pickle(begun: Buffer) -> bool:
    return form_of(begun[:_HEAD]) == "pickle" and plausible(begun)


def _compressed(form: Form, data: bytes, stored: Buffer) -> bytes:
    """Return what a file that held `stored` holds with `data` in its place."""
    if form == "pickle":
        return data
    # The time in gzip's header is that of what was compressed, and stays.
    options = {"mtime": int.from_bytes(bytes(stored[4:8]), "little")} if form == "gzip" else {}
    made: bytes = compression(form).compress(data, **options)
    return made
