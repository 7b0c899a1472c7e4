"""Load pickles of another release, and tell which of some names an object of a class does not have."""

import os
import pickle
from pathlib import Path

from inside.graph import name_of, parts
from inside.quiet import TooLong, job, limited


def main() -> None:
    task, answer = job()
    os.chdir(task["scratch"])
    for item in task["items"]:
        answer({"start": item["label"]})
        try:
            with limited():
                root = pickle.loads(Path(task["folder"], item["file"]).read_bytes())
                same = [part for part in parts(root, tuple(task["packages"])) if name_of(type(part)) == task["target"]]
        except (Exception, SystemExit, TooLong):
            continue
        lacking = sorted({name for part in same for name in task["names"] if _lacks(part, name)})
        answer({"label": item["label"], "lacking": lacking})
    os._exit(0)


def _lacks(part: object, name: str) -> bool:
    try:
        with limited():
            getattr(part, name)
    except AttributeError:
        return True
    except (Exception, SystemExit, TooLong):
        return False
    return False
