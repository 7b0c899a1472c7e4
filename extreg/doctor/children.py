"""What runs in a child of doctor: it becomes, or starts, a process of one kind, and says what stands there.

The request comes as JSON through stdin, and what was found goes as JSON to what was stdout; whatever the project's own
code prints goes to stderr.
"""

import json
import os
import runpy
import sys
import traceback
from types import ModuleType
from typing import Any

import extreg
from extreg.ledger import CODES, INVERTED, RETIRED
from extreg.startup import find

Rows = list[tuple[int, str, str, bool]]  # code, module, name, and whether it is live
_SECONDS = 15.0


def main() -> None:
    """Answer the request on stdin."""
    answer = os.fdopen(os.dup(1), "w", encoding="utf-8")
    request = json.load(sys.stdin)
    sys.stdout.flush()
    os.dup2(2, 1)
    try:
        found = _KINDS[request["kind"]](request)
    except BaseException as error:  # noqa: BLE001 - also what ends a program: it is the project's, and told
        found = _failure(error)
    json.dump(found, answer)
    answer.close()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)  # whatever threads or children the project's code left


def report(expected: Rows) -> dict[str, Any]:
    """Return what stands in this process, and which of the `expected` codes do not stand as they should."""
    lacking = [
        code
        for code, module, name, live in expected
        if INVERTED.get(code) != (module, name) or (live and CODES.get((module, name)) != code)
    ]
    known = {code for code, _, _, _ in expected}
    others = {code: ":".join(key) for code, key in INVERTED.items() if code not in known and key[0] != RETIRED}
    return {"standing": extreg.standing()._asdict(), "lacking": lacking, "others": sorted(others.items())}


def _plain(request: dict[str, Any]) -> dict[str, Any]:
    path = _install(request)
    return {**report(request["expected"]), "registry": path}


def _start_method(request: dict[str, Any]) -> dict[str, Any]:
    from multiprocessing import get_context

    _stand_in(request)
    context: Any = get_context(request["kind"])
    reader, writer = context.Pipe(duplex=False)
    process = context.Process(target=_tell, args=(writer, request), daemon=True)
    process.start()
    writer.close()
    if not reader.poll(_SECONDS):
        process.kill()
        raise TimeoutError(f"the child said nothing for {_SECONDS:g} seconds")
    try:
        found: dict[str, Any] = reader.recv()
    except EOFError:
        process.join(_SECONDS)
        raise RuntimeError(f"the child ended with exit code {process.exitcode} before it ran anything") from None
    return found


def _fork(request: dict[str, Any]) -> dict[str, Any]:
    """Fork as the program would: a child has what its parent has by then."""
    if request["main"] is not None:
        _run_top_level(request["main"])
        if report(request["expected"])["lacking"]:  # then it installs where only the program itself comes to
            _install(request)
    return _start_method({**request, "main": None, "inherits": request["main"] is not None})


def _loky(request: dict[str, Any]) -> dict[str, Any]:
    try:
        from loky import get_reusable_executor
    except ImportError:
        from joblib.externals.loky import get_reusable_executor
    _stand_in(request)
    return _submitted(get_reusable_executor(max_workers=1, **_initializer(request)), request)


def _interpreters(request: dict[str, Any]) -> dict[str, Any]:
    from concurrent import futures

    pool: Any = futures.InterpreterPoolExecutor  # type: ignore[attr-defined,unused-ignore]
    return _submitted(pool(1, **_initializer(request)), request)


def _submitted(executor: Any, request: dict[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = executor.submit(_found, request).result(timeout=_SECONDS)
    return found


def _celery(request: dict[str, Any]) -> dict[str, Any]:
    from celery.app.utils import find_app

    app = find_app(request["address"])
    replies = app.control.broadcast("extreg", reply=True, timeout=2.0) or []
    return {"processes": {name: said for reply in replies for name, said in reply.items()}}


def _dask(request: dict[str, Any]) -> dict[str, Any]:
    from distributed import Client

    with Client(request["address"], timeout=5) as client:
        found = {"scheduler": client.run_on_scheduler(extreg.standing), **client.run(extreg.standing)}
    return {"processes": {name: standing._asdict() for name, standing in found.items()}}


def _initializer(request: dict[str, Any]) -> dict[str, Any]:
    if not request["initializer"]:
        return {}
    from extreg.workers import initializer

    return {"initializer": initializer(request["registry"])}


def _stand_in(request: dict[str, Any]) -> None:
    """Make this process look as if it ran the program, whose top level children then run."""
    main = ModuleType("__main__")
    if request["main"] is not None:
        main.__file__ = request["main"]
        sys.path.insert(0, os.path.dirname(request["main"]))  # noqa: PTH120 - as Python does
    sys.modules["__main__"] = main


def _run_top_level(path: str) -> None:
    sys.path.insert(0, os.path.dirname(path))  # noqa: PTH120
    runpy.run_path(path, run_name="__mp_main__")


def _install(request: dict[str, Any]) -> str:
    """Install as the program would, from the file that it is, and return the registry that is found."""
    path = find(None, {"__file__": request["main"]} if request["main"] is not None else {})
    extreg.install(path)
    return path


def _tell(writer: Any, request: dict[str, Any]) -> None:
    """Run in the child: by now it has run the program's top level, where there is one."""
    writer.send(_found(request))
    writer.close()


def _found(request: dict[str, Any]) -> dict[str, Any]:
    try:
        if request["initializer"]:
            from extreg.workers import initializer

            initializer(request["registry"])()
        if request["main"] is None and not request.get("inherits"):
            _install(request)
        return report(request["expected"])
    except Exception as error:  # noqa: BLE001 - it is told
        return _failure(error)


def _failure(error: BaseException) -> dict[str, Any]:
    lines = traceback.format_exception_only(type(error), error)
    message = error.message if isinstance(error, extreg.ExtregError) else lines[-1].strip()
    hint = error.hint if isinstance(error, extreg.ExtregError) else ""
    if isinstance(error, extreg.ConflictError):
        hint = error.conflicts[0].cure
    return {"failure": message, "hint": hint, "late": isinstance(error, TimeoutError)}


_KINDS = {
    "plain": _plain,
    "spawn": _start_method,
    "forkserver": _start_method,
    "fork": _fork,
    "loky": _loky,
    "interpreters": _interpreters,
    "celery": _celery,
    "dask": _dask,
}
