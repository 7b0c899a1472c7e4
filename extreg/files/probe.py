"""The child process of ``lint --import``: it imports each module and asks each object what pickle makes of it.

Started by `extreg.files.imported`.  It reads one JSON object from standard input, ``{"path": [...], "targets":
[...]}``, and answers with one JSON line per step on what was its standard output: ``["module", name]`` before it
imports a module, and ``["answer", target, kind, own target, detail]``.  What user code prints goes nowhere, and what
user code does to the process (a hang, a crash, an exit) the parent sees by the line that is missing.
"""

import copyreg
import importlib
import json
import os
import pickle
import sys
from itertools import groupby
from types import ModuleType
from typing import Any, TextIO

from extreg.files.dumped import described, own_target
from extreg.registry.target import split

PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
_NESTED_LOADS_FROM = 4  # the protocols below look up one attribute only; the rule nested-name says so


def main() -> None:
    """Answer for every target on standard input, then leave at once."""
    request = json.load(sys.stdin)
    with _taken_over() as answers:
        sys.path[:] = request["path"]
        for module, targets in groupby(sorted(request["targets"]), key=lambda target: split(target)[0]):
            _say(answers, "module", module)
            for target, verdict in _module(module, list(targets)).items():
                _say(answers, "answer", target, *verdict)
        answers.flush()
        os._exit(0)  # threads, atexit handlers and finalizers of user modules are not waited for


def _taken_over() -> TextIO:
    """Return standard output, and leave user code a standard input and output that lead nowhere."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    nowhere = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nowhere, descriptor)
    return answers


def _say(answers: TextIO, *parts: str) -> None:
    answers.write(json.dumps(parts) + "\n")
    answers.flush()


def _module(name: str, targets: list[str]) -> dict[str, tuple[str, str, str]]:
    """Return kind, own target and detail for each of `targets`, which are all in one module."""
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        inside = error.name is not None and f"{name}.".startswith(f"{error.name}.")
        kind = "missing" if inside else "unimportable"
        return dict.fromkeys(targets, (kind, "", f"importing {name} fails: {error}"))
    except BaseException as error:  # noqa: BLE001 - a user's module may raise anything, SystemExit too
        return dict.fromkeys(targets, ("unimportable", "", f"importing {name} fails: {_shown(error)}"))
    return {target: _object(module, target) for target in targets}


def _object(module: object, target: str) -> tuple[str, str, str]:
    found = module
    shown = split(target)[0]
    for name in split(target)[1].split("."):
        try:
            found = getattr(found, name)
        except AttributeError:
            return "missing", "", f"{shown} has no {name!r}"
        except BaseException as error:  # noqa: BLE001 - a property or a lazy import of a user's may raise anything
            return "unimportable", "", f"getting {shown}.{name} fails: {_shown(error)}"
        shown = f"{shown}.{name}"
    try:
        return _verdict(found, target)
    except BaseException as error:  # noqa: BLE001 - `__reduce_ex__` and metaclasses are user code
        return "unpicklable", "", _shown(error)


def _verdict(found: Any, target: str) -> tuple[str, str, str]:
    if isinstance(found, ModuleType):
        return "unpicklable", "", f"it is {described(found)}"
    own = own_target(found, target)
    if own is None:
        return "unpicklable", "", f"it is {described(found)}"
    if own != target:
        if not _leads_to(own, found):
            return "unpicklable", "", f"it says of itself that it is {own}, where pickle does not find it"
        return "reexported", own, ""
    failed = [str(protocol) for protocol in PROTOCOLS if not _round_trip(found, target, protocol)]
    if failed:
        return "unpicklable", "", f"a pickle of it does not load under protocol {', '.join(failed)}"
    return "found", "", ""


def _leads_to(own: str, found: object) -> bool:
    try:
        module, qualname = split(own)
        there: object = importlib.import_module(module)
        for name in qualname.split("."):
            there = getattr(there, name)
    except BaseException:  # noqa: BLE001 - whatever it is, pickle does not get there either
        return False
    return there is found


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
        return f"{type(error).__name__}: {error}"
    except BaseException:  # noqa: BLE001 - even saying what went wrong is user code
        return type(error).__name__
