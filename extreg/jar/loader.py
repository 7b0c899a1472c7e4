"""The child process of the jar: it loads each pickle under the registry and says what that has become.

Started by `extreg.jar.trials`.  It reads one JSON object from standard input, ``{"path": [...], "registry": TOML,
"pickles": [[name, file, protocol], ...], "more": bool}``, and answers with one JSON line per step:
``["ready"]``, ``["pickle", name]`` before it loads one, and ``["answer", name, {...}]``, whose keys are those of
`extreg.jar.trials.Answer`.
"""

import os
import sys
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path
from typing import Any

from extreg.errors import ExtregError
from extreg.jar.certain import is_standard
from extreg.jar.drawing import capped, draw
from extreg.jar.literals import digest
from extreg.jar.objects import ObjectLooks, TypeLooks, tree_of_object
from extreg.jar.probing import described, raised
from extreg.reduce.binding import Binding, ReducerRow
from extreg.registry.model import Registry
from extreg.scoped import loads
from extreg.targets.answering import answered, say, taken_over


def main() -> None:
    """Answer for every pickle on standard input, then leave at once."""
    answered(_answer)


def _answer(request: dict[str, Any]) -> None:
    with taken_over() as answers:
        registry = Registry.parse(request["registry"])
        say(answers, "ready")
        sys.path[:] = request["path"]
        rows = [ReducerRow(kind, function, "[reducers]") for kind, function in registry.reducers.items()]
        Binding(rows, "keep").begin()
        for name, file, protocol in request["pickles"]:
            say(answers, "pickle", name)
            say(answers, "answer", name, _tried(Path(file), registry, protocol, more=request["more"]))
        answers.flush()
        os._exit(0)  # threads, atexit handlers and finalizers of user modules are not waited for


def _tried(file: Path, registry: Registry, protocol: int, *, more: bool) -> dict[str, Any]:
    try:
        made = loads(file.read_bytes(), registry)
    except BaseException as error:  # noqa: BLE001 - user code may raise anything, SystemExit too
        hint = error.hint if isinstance(error, ExtregError) else ""
        return {"error": f"it does not load: {_said(error)}", "hint": hint}
    try:
        looks = ObjectLooks(registry)
        lines, lacks, objects = tree_of_object(made, looks)
        problems = list(raised(objects, looks.name_of, registry, protocol))
        names = _distributions(objects) if more else {}
        types = "\n".join(line for line, _, _ in draw(made, TypeLooks(registry))) if more else ""
    except BaseException as error:  # noqa: BLE001 - looking at an object may run user code too
        return {"error": f"it loads, but what it became cannot be looked at: {_said(error)}", "hint": ""}
    return {
        "tree": capped(lines),
        "lacks": lacks,
        "raised": problems,
        "libraries": names,
        "types": digest(types.encode("utf-8", "surrogatepass")),
    }


def _said(error: BaseException) -> str:
    kind, message = described(error)
    return f"{kind}: {message}" if message else kind


def _distributions(objects: Iterable[Any]) -> dict[str, str]:
    """Return the installed distributions that the classes of `objects` are from, and their versions."""
    modules = {type(found).__module__.partition(".")[0] for found in objects if not is_standard(type(found))}
    known = metadata.packages_distributions() if modules else {}
    names = sorted({name for module in modules for name in known.get(module, ())})
    return {name: metadata.version(name) for name in names}
