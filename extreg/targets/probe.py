"""The child process of ``lint --import``: it imports each module and asks each object what pickle makes of it.

Started by `extreg.targets.child`.  It reads one JSON object from standard input, ``{"path": [...], "targets":
[...], "dump": true}``, and answers with one JSON line per step on what was its standard output: ``["module", name]``
before it imports a module, and ``["answer", target, kind, own target, detail, hint]``.  Pickles are made only where
``dump`` is wanted.  What user code prints goes to standard error, and what user code does to the process (a hang, a
crash, an exit) the parent sees by the line that is missing.
"""

import copyreg
import importlib
import os
import pickle
import re
import sys
from itertools import groupby
from types import ModuleType
from typing import Any

from extreg.registry.target import is_target, split
from extreg.targets.answering import answered, say, taken_over
from extreg.targets.dumped import described, own_target
from extreg.targets.instead import instead_of_instance, instead_of_missing

# What differs from run to run in the `repr` of an object.
_ADDRESS = re.compile(r" at 0x[0-9a-fA-F]+\b")
PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
_NESTED_LOADS_FROM = 4  # the protocols below look up one attribute only; the rule nested-name says so
_RENAME = "set its __module__ and __qualname__ right"

# Kind, own target, detail and hint.
_Verdict = tuple[str, str, str, str]


def main() -> None:
    """Answer for every target on standard input, then leave at once."""
    answered(_answer)


def _answer(request: dict[str, Any]) -> None:
    with taken_over() as answers:
        sys.path[:] = request["path"]
        for module, targets in groupby(sorted(request["targets"]), key=lambda target: split(target)[0]):
            say(answers, "module", module)
            for target, verdict in _module(module, list(targets), dump=request["dump"]).items():
                say(answers, "answer", target, *verdict)
        answers.flush()
        os._exit(0)  # threads, atexit handlers and finalizers of user modules are not waited for


def _module(name: str, targets: list[str], *, dump: bool) -> dict[str, _Verdict]:
    """Return the verdict on each of `targets`, which are all in one module."""
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        inside = error.name is not None and f"{name}.".startswith(f"{error.name}.")
        kind = "missing" if inside else "unimportable"
        return dict.fromkeys(targets, (kind, "", f"importing {name} fails: {error}", _where(error)))
    except BaseException as error:  # noqa: BLE001 - a user's module may raise anything, SystemExit too
        return dict.fromkeys(targets, ("unimportable", "", f"importing {name} fails: {_shown(error)}", _where(error)))
    return {target: _object(module, target, dump=dump) for target in targets}


def _where(error: BaseException) -> str:
    """Return the file and line at which a user's module failed; nothing where it was not there."""
    traceback = error.__traceback__
    place = ""
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if file != __file__ and "importlib" not in file:
            place = f"see {file}:{traceback.tb_lineno}"
        traceback = traceback.tb_next
    return place


def _object(module: object, target: str, *, dump: bool) -> _Verdict:
    found = module
    holder, qualname = split(target)
    for name in qualname.split("."):
        shown = holder.replace(":", ".")
        try:
            found = getattr(found, name)
        except AttributeError:
            return "missing", "", f"{shown} has no {name!r}", instead_of_missing(found, holder, name)
        except BaseException as error:  # noqa: BLE001 - a property or a lazy import of a user's may raise anything
            return "unimportable", "", f"getting {shown}.{name} fails: {_shown(error)}", _where(error)
        holder = f"{holder}{'.' if ':' in holder else ':'}{name}"
    try:
        return _verdict(found, target, dump=dump)
    except BaseException as error:  # noqa: BLE001 - `__reduce_ex__` and metaclasses are user code
        return "unpicklable", "", f"it cannot be pickled: {_shown(error)}", _where(error)


def _verdict(found: Any, target: str, *, dump: bool) -> _Verdict:
    own = None if isinstance(found, ModuleType) else own_target(found, target)
    if own is None:
        return "unpicklable", "", f"it is {described(found)}", instead_of_instance(found)
    if own != target:
        astray = _astray(own, found)
        if astray is not None:
            return "unpicklable", "", f"it says of itself that it is {own}, {astray}", _RENAME
        return "reexported", own, "", ""
    failed = [str(protocol) for protocol in PROTOCOLS if dump and not _round_trip(found, target, protocol)]
    if failed:
        return "unpicklable", "", f"a pickle of it does not load under protocol {', '.join(failed)}", ""
    return "found", "", "", ""


def _astray(own: str, found: object) -> str | None:
    """Say why what an object calls itself does not lead back to it, as it has to before pickle dumps it; or None."""
    if not is_target(own):
        return "which is no target"
    module, qualname = split(own)
    if "<locals>" in qualname or module == "__main__":
        return "which pickle cannot find"
    try:
        there: object = importlib.import_module(module)
        for name in qualname.split("."):
            there = getattr(there, name)
    except BaseException as error:  # noqa: BLE001 - whatever it is, pickle does not get there either
        return f"where pickle does not find it: {_shown(error)}"
    return None if there is found else "but that is another object"


def _round_trip(found: object, target: str, protocol: int) -> bool:
    """Whether the global survives a pickle by name, and one by code."""
    if not _same(found, protocol):
        return False
    module, qualname = split(target)
    if protocol < 2 or ("." in qualname and protocol < _NESTED_LOADS_FROM):
        return True
    with _Registered(module, qualname):
        return _same(found, protocol)


def _same(found: object, protocol: int) -> bool:
    try:
        return pickle.loads(pickle.dumps(found, protocol)) is found  # noqa: S301 - our own pickle
    except BaseException:  # noqa: BLE001 - user code runs here
        return False


class _Registered:
    """A block in which a global has a code, if nobody else gave it one."""

    def __init__(self, module: str, qualname: str) -> None:
        self.row = module, qualname, 0x7FFFFFFF

    def __enter__(self) -> None:
        copyreg.clear_extension_cache()
        try:
            copyreg.add_extension(*self.row)
        except ValueError:  # it has a code already, and that one is tried
            self.row = ("", "", 0)

    def __exit__(self, *_: object) -> None:
        if self.row[2]:
            copyreg.remove_extension(*self.row)


def _shown(error: BaseException) -> str:
    try:
        return _ADDRESS.sub("", f"{type(error).__name__}: {error}")
    except BaseException:  # noqa: BLE001 - even saying what went wrong is user code
        return type(error).__name__
