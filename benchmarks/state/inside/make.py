"""Make objects of a release's classes, dump them, and tell what the release itself thinks of them.

An object is taken only if the release loads its own pickle of it. What a label's record says of attributes and of
uses that raise is said of the object *after* that round trip: what a class leaves out of its pickles on purpose, and
what its objects never could do, is nobody's break.
"""

import base64
import enum
import os
import pickle
import types
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from inside import walk
from inside.graph import certain, name_of
from inside.quiet import TooLong, job, limited, said
from inside.using import PROTOCOL, broken


def main() -> None:
    task, answer = job()
    os.chdir(task["scratch"])
    folder, packages = Path(task["folder"]), tuple(task["packages"])
    left_out = set(task["skip_labels"])
    done: dict[str, int] = {}
    states: dict[str, set[bytes]] = {}
    files = 0
    for group, label, make, arguments in _all(task, answer):
        if label in left_out or (group and walk.enough(done.get(group, 0), label)):
            continue
        answer({"start": label})
        try:
            with limited():
                record, data = _record(make, packages)
        except (Exception, SystemExit, TooLong) as error:
            if not group:
                answer({"label": label, "failed": said(error)})
            _say_what_it_has(label, group, make, packages, answer)
            continue
        done[group] = done.get(group, 0) + 1
        if group and data in states.setdefault(group, set()):
            continue  # another way to the same object
        states.setdefault(group, set()).add(data)
        files += 1
        file = f"{task['number']}-{files}.pickle"
        folder.joinpath(file).write_bytes(data)
        answer({"label": label, "file": file, "group": group, "arguments": _kept(arguments), **record})
    os._exit(0)  # no thread that a class started keeps the child


def _all(task: dict[str, Any], answer: Any) -> Iterator[tuple[str, str, Callable[[], Any], Any]]:
    """Yield (class or "", label, maker, arguments): what is written by hand, then what is found by walking."""
    space: dict[str, Any] = {"__name__": "__maker__"}
    try:
        with limited():
            exec(task["setup"], space)
    except (Exception, TooLong) as error:
        answer({"label": "setup", "failed": said(error)})
    for expression in task["objects"]:
        yield "", expression, lambda expression=expression: eval(expression, space), None
    for kind in walk.classes(task["walk"], task["skip"]):
        for label, make, arguments in walk.makers(kind):
            yield name_of(kind), label, make, arguments


def _kept(arguments: Any) -> str | None:
    """Return arguments as text, for whoever wants to make the same object in another release."""
    try:
        return None if arguments is None else base64.b64encode(pickle.dumps(arguments, PROTOCOL)).decode()
    except Exception:
        return None


def _say_what_it_has(label: str, group: str, make: Callable[[], Any], packages: tuple[str, ...], answer: Any) -> None:
    """Say which attributes objects have that this release cannot dump any more: an older one's pickles of them load."""
    try:
        with limited():
            answer({"label": label, "group": group, "attributes": certain(make(), packages)})
    except (Exception, SystemExit, TooLong):
        return  # no object, then


def _record(make: Callable[[], Any], packages: tuple[str, ...]) -> tuple[dict[str, Any], bytes]:
    obj = make()
    if obj is None or isinstance(obj, (type, types.FunctionType)):
        raise TypeError("no object of a class")
    fresh = certain(obj, packages)
    data = pickle.dumps(obj, PROTOCOL)
    back, again = pickle.loads(data), pickle.loads(data)
    after = certain(back, packages)
    attributes = {name: sorted(set(names) & set(fresh.get(name, ()))) for name, names in after.items()}
    record = {"attributes": attributes, "raises": sorted(broken(back, again)), "shown": type(obj).__qualname__}
    if isinstance(obj, dict) and obj and all(isinstance(member, enum.Enum) for member in obj.values()):
        record["members"] = name_of(type(next(iter(obj.values()))))
    return record, data
