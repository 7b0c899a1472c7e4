"""Resolving a target as pickle would: import the module, walk the name, ask the object what it is called."""

import importlib
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stdout
from pathlib import Path
from types import ModuleType

from extreg.errors import ExtregError, UnreadableError
from extreg.files.defining import defining
from extreg.files.dumped import described, own_target, reconstructor
from extreg.registry.dangerous import danger
from extreg.registry.target import is_target, split


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
        own = _own_name(found, target)
        if own != target:
            _check_same(found, own, target)
    return own


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
            holder = ":".join(filter(None, [module_name, ".".join(parts[:position])]))
            raise ExtregError(f"{holder.replace(':', '.')} has no {name!r}", _instead(found, holder, name)) from None
        except Exception as error:  # noqa: BLE001 - a lazy attribute of a user's module may raise anything
            holder = ".".join([module_name, *parts[:position]])
            raise ExtregError(f"{holder} fails to give its {name!r}: {type(error).__name__}: {error}") from None
    return found


def _instead(found: object, holder: str, name: str) -> str:
    """Return what to type where `holder`, written as a target so far, has no `name`."""
    from difflib import get_close_matches

    if isinstance(found, ModuleType) and (homes := defining(found, name)):
        return f"did you mean {' or '.join(f'{home}:{name}' for home in homes)}?"
    near = get_close_matches(name, [other for other in dir(found) if not other.startswith("__")], n=1)
    separator = "." if ":" in holder else ":"
    if near and not (isinstance(found, ModuleType) and isinstance(getattr(found, near[0], None), ModuleType)):
        return f"did you mean {holder}{separator}{near[0]}?"
    return "check the spelling"


def _own_name(found: object, target: str) -> str:
    """Return the target under which pickle dumps an object; raise `ExtregError` for one that it never does."""
    if isinstance(found, ModuleType):
        raise ExtregError(f"{target} is {described(found)}", f"extreg add {found.__name__}:CLASS")
    try:
        own = own_target(found, target)
    except Exception as error:  # noqa: BLE001 - a user's class may raise anything
        raise ExtregError(f"{target} cannot be pickled: {error}") from None
    if own is not None:
        return own
    maker = reconstructor(found)
    raise ExtregError(f"{target} is {described(found)}", _add(maker))


def _add(target: str | None) -> str:
    """Return the offer to add what pickle dumps instead, unless it must not have a code or is never dumped itself."""
    if target is None or danger(target) is not None or target.startswith("builtins:"):
        return "register classes and functions"
    return f"extreg add {target}"


def _check_same(found: object, own: str, target: str) -> None:
    """Make sure that what the object calls itself leads back to the object, as pickle does before it dumps."""
    where = f"{target} says of itself that it is {own}"
    if not is_target(own):
        raise ExtregError(f"{where}, which is no target", "set its __module__ and __qualname__ right")
    module_name, qualname = split(own)
    if "<locals>" in qualname or module_name == "__main__":
        raise ExtregError(f"{where}, which pickle cannot find", "move the definition to the top level of a module")
    try:
        same = _walk(_import(module_name, own), module_name, qualname)
    except ExtregError as error:
        raise ExtregError(f"{where}, but {error.message}", "set its __module__ and __qualname__ right") from None
    if same is not found:
        raise ExtregError(
            f"{where}, but that is another object: pickle refuses to dump either by name",
            "set its __module__ and __qualname__ right",
        )
