"""Resolving a target as pickle would: import the module, walk the name, ask the object what it is called."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path

from extreg.errors import ExtregError, UnreadableError
from extreg.registry.target import join, split


def canonical(target: str, *, folder: Path | None = None) -> str:
    """Return the target under which pickle will look `target` up: its object's own module and qualified name.

    The module is imported, with `folder` (default: the working directory) and its ``src`` importable, as pytest has
    it.  Raises `ExtregError` when the import fails, the name is missing, or pickle could not find the object again.
    """
    try:
        module_name, qualname = split(target)
    except ValueError as error:
        raise UnreadableError(str(error)) from None
    with _importable(folder or Path.cwd()):
        found = _walk(_import(module_name, target), module_name, qualname)
        own = _own_name(found, module_name, qualname)
        if own == (module_name, qualname):
            return target
        _check_same(found, own, target)
    return join(*own)


@contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Make the modules in `folder` and its ``src`` importable for the length of a block."""
    added = [str(folder), str(folder / "src")]
    saved = list(sys.path)
    sys.path[:0] = [path for path in added if path not in sys.path and Path(path).is_dir()]
    importlib.invalidate_caches()
    try:
        yield
    finally:
        sys.path[:] = saved


def _import(module_name: str, target: str) -> object:
    """Import a module; what it prints must not mix with our output, and its failure must read as its own."""
    try:
        with redirect_stdout(sys.stderr):
            return importlib.import_module(module_name)
    except (KeyboardInterrupt, MemoryError):
        raise
    except BaseException as error:  # noqa: BLE001 - a user's module may raise anything, SystemExit too
        missing = isinstance(error, ModuleNotFoundError) and error.name is not None
        what = f"no module named {error.name!r}" if missing else f"{type(error).__name__}: {error}"  # type: ignore[attr-defined]
        raise ExtregError(
            f"cannot import {module_name} to resolve {target}: {what}{_where(error)}",
            f"run from the project's root, in its environment; or take the name as it is: "
            f"extreg add --no-import {target}",
        ) from None


def _where(error: BaseException) -> str:
    """Return the file and line at which a user's module failed, or nothing for a plain missing module."""
    traceback = error.__traceback__
    place = ""
    while traceback is not None:
        file = traceback.tb_frame.f_code.co_filename
        if file != __file__ and "importlib" not in file:
            place = f" ({file}:{traceback.tb_lineno})"
        traceback = traceback.tb_next
    return place


def _walk(module: object, module_name: str, qualname: str) -> object:
    found = module
    for position, name in enumerate(parts := qualname.split(".")):
        try:
            found = getattr(found, name)
        except AttributeError:
            holder = ".".join([module_name, *parts[:position]])
            raise ExtregError(f"{holder} has no {name!r}", _nearest(found, name, module_name)) from None
        except Exception as error:  # noqa: BLE001 - a lazy attribute of a user's module may raise anything
            holder = ".".join([module_name, *parts[:position]])
            raise ExtregError(f"{holder} fails to give its {name!r}: {type(error).__name__}: {error}") from None
    return found


def _nearest(holder: object, name: str, module_name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, [found for found in dir(holder) if not found.startswith("__")], n=1)
    return f"did you mean {module_name}:{near[0]}?" if near else "check the spelling"


def _own_name(found: object, module_name: str, qualname: str) -> tuple[str, str]:
    """Return module and qualified name as `pickle.whichmodule` and `save_global` take them from the object."""
    own_module = getattr(found, "__module__", None) or module_name
    own_name = getattr(found, "__qualname__", None) or getattr(found, "__name__", None)
    if own_name is None:
        own_name = _reduced_name(found, join(module_name, qualname))
    if not isinstance(own_name, str) or not isinstance(own_module, str):
        return module_name, qualname
    return own_module, own_name


def _reduced_name(found: object, target: str) -> str:
    """Return the name that the `__reduce_ex__` of an object without one gives: only then is it dumped as a global."""
    try:
        reduced = found.__reduce_ex__(4)
    except Exception as error:  # noqa: BLE001 - a user's class may raise anything
        raise ExtregError(f"{target} cannot be pickled: {error}") from None
    if isinstance(reduced, str):
        return reduced
    kind = type(found)
    raise ExtregError(
        f"{target} is an instance of {join(kind.__module__, kind.__qualname__)}: pickle dumps what it is made of, "
        f"never its name",
        f"extreg add {join(kind.__module__, kind.__qualname__)}",
    )


def _check_same(found: object, own: tuple[str, str], target: str) -> None:
    """Make sure that what the object calls itself leads back to the object, as pickle does before it dumps."""
    own_target = join(*own)
    where = f"{target} says of itself that it is {own_target}"
    if "<locals>" in own[1] or own[0] == "__main__":
        raise ExtregError(f"{where}, which pickle cannot find", "move the definition to the top level of a module")
    try:
        same = _walk(_import(own[0], own_target), *own)
    except ExtregError as error:
        raise ExtregError(f"{where}, but {error.message}", "set its __module__ and __qualname__ right") from None
    if same is not found:
        raise ExtregError(
            f"{where}, but that is another object: pickle refuses to dump either by name",
            "set its __module__ and __qualname__ right",
        )
