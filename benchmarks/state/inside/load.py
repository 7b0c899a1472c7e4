"""Load the pickles that one release dumped under another, and use what comes out."""

import base64
import functools
import importlib
import os
import pickle
from pathlib import Path
from typing import Any

from inside.graph import attributes, name_of, parts
from inside.quiet import TooLong, job, limited, said
from inside.using import broken


def main() -> None:
    task, answer = job()
    os.chdir(task["scratch"])
    packages = tuple(task["packages"])
    for item in task["items"]:
        answer({"start": item["label"]})
        answer({"label": item["label"], **_outcome(item, Path(task["folder"], item["file"]), packages)})
    os._exit(0)


def _outcome(item: dict[str, Any], path: Path, packages: tuple[str, ...]) -> dict[str, Any]:
    data = path.read_bytes()
    try:
        with limited():
            obj, again = pickle.loads(data), pickle.loads(data)
    except (Exception, SystemExit, TooLong) as error:
        return {"outcome": "fails", "error": said(error)}
    if isinstance(obj, dict) and item["members"]:
        others = {name: member.name for name, member in obj.items() if _is_another(name, member)}
        if others:
            return {"outcome": "another", "error": ", ".join(f"{old} is {new}" for old, new in others.items())}
    absent: list[str] = []
    with limited():
        for part in parts(obj, packages):
            absent += _absent(part, item["attributes"].get(name_of(type(part)), []))
    raised = {name: text for name, text in broken(obj, again).items() if name not in item["raises"]}
    if raised and not absent and item["arguments"]:
        raised = _without_nonsense(raised, item)
    outcome = "breaks" if raised else "absent" if absent else "ok"
    return {"outcome": outcome, "raised": raised, "absent": sorted(set(absent))}


def _without_nonsense(raised: dict[str, str], item: dict[str, Any]) -> dict[str, str]:
    """Return the uses that raise though a new object of the same arguments does them: guesses may be no sense."""
    try:
        args, named = pickle.loads(base64.b64decode(item["arguments"]))
        module, _, qualname = item["group"].partition(":")
        with limited():
            kind = functools.reduce(getattr, qualname.split("."), importlib.import_module(module))
            fresh = broken(kind(*args, **named), kind(*args, **named))
    except (Exception, TooLong):
        return raised
    return {name: text for name, text in raised.items() if name not in fresh}


def _is_another(name: str, member: Any) -> bool:
    """Whether a member loaded as one of another name, and not because its own name went away."""
    members = type(member).__members__
    return name in members and members[name] is not member


def _absent(part: object, expected: list[str]) -> list[str]:
    """Return the expected attributes that the object does not have, not even from its class."""
    missing = []
    own = attributes(part)
    for name in expected:
        if name in own:
            continue
        try:
            getattr(part, name)
        except AttributeError:
            missing.append(f"{name_of(type(part))} {name}")
        except Exception:
            continue  # it is there, and raises; the uses tell that
    return missing
