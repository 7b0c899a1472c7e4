"""Tell which globals the loading of a release's own pickles calls: of what classes objects are made, by what functions.

A class or function that a pickle only holds as a value is not among them: a change of it breaks nothing there.
"""

import io
import os
import pickle
from pathlib import Path
from typing import Any, ClassVar

from inside.quiet import TooLong, job, limited


class _Watching(pickle._Unpickler):  # type: ignore[name-defined, misc]
    """The unpickler in Python, which can be watched."""

    dispatch: ClassVar[dict[int, Any]] = dict(pickle._Unpickler.dispatch)  # type: ignore[attr-defined]

    def __init__(self, data: bytes) -> None:
        super().__init__(io.BytesIO(data))
        self.names: dict[int, str] = {}
        self.called: set[str] = set()

    def find_class(self, module: str, name: str) -> Any:
        found = super().find_class(module, name)
        self.names[id(found)] = f"{module}:{name}"
        return found

    def note(self, *callees: object) -> None:
        self.called.update(self.names[id(callee)] for callee in callees if id(callee) in self.names)

    def load_reduce(self) -> None:
        self.note(self.stack[-2])
        super().load_reduce()
        self.note(type(self.stack[-1]))  # by a function that was told the class

    def load_newobj(self) -> None:
        self.note(self.stack[-2])
        super().load_newobj()

    def load_newobj_ex(self) -> None:
        self.note(self.stack[-3])
        super().load_newobj_ex()

    dispatch[pickle.REDUCE[0]] = load_reduce
    dispatch[pickle.NEWOBJ[0]] = load_newobj
    dispatch[pickle.NEWOBJ_EX[0]] = load_newobj_ex


def main() -> None:
    task, answer = job()
    os.chdir(task["scratch"])
    for item in task["items"]:
        answer({"start": item["label"]})
        watching = _Watching(Path(task["folder"], item["file"]).read_bytes())
        try:
            with limited():
                watching.load()
        except (Exception, SystemExit, TooLong):
            watching.called.update(watching.names.values())  # slower than the unpickler in C, and so not known
        answer({"label": item["label"], "called": sorted(watching.called)})
    os._exit(0)
