"""What pyproject.toml says: to a start, which registry; to the command line, everything below ``[tool.extreg]``.

A start with such a file and without a cache runs this, so nothing heavier than tomli is imported unless something is
wrong.
"""

import os

from extreg.registry.toml.toml_reader import loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def parse_pyproject(source: bytes, path: "str | os.PathLike[str]") -> "dict[str, Any]":
    """Return what the bytes of the pyproject.toml at `path` say; raise `UnreadableError` where they are not TOML."""
    try:
        return loads(source.decode())
    except (ValueError, RecursionError) as error:  # not UTF-8, not TOML, or beyond tomli's limits
        raise _unreadable(f"cannot read {path}: {error}", "mend it, or name a registry: --registry PATH") from None


def table_in(data: "Mapping[str, Any]", path: "str | os.PathLike[str]", *keys: str) -> "Mapping[str, Any]":
    """Return the table at `keys` in the data of the file at `path`, empty where it is left out.

    Raises `UnreadableError` for anything but a table.
    """
    for position, key in enumerate(keys):
        data = data.get(key, {})
        if not isinstance(data, dict):
            raise _unreadable(f"{path}: {'.'.join(keys[: position + 1])}: expected a table")
    return data


def strings_in(table: "Mapping[str, Any]", key: str, where: str) -> "tuple[str, ...]":
    """Return the array of strings that is called `key` in the `table` at `where`; raise `UnreadableError`."""
    found = table.get(key, [])
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise _unreadable(f"{where}.{key}: expected an array of strings, found {found!r}")
    return tuple(found)


def registry_setting(source: bytes, path: "str | os.PathLike[str]") -> "str | None":
    """Return what ``[tool.extreg] registry`` says in the bytes of the pyproject.toml at `path`, or None.

    Raises `UnreadableError`.
    """
    value = table_in(parse_pyproject(source, path), path, "tool", "extreg").get("registry")
    if value is not None and not (isinstance(value, str) and value):
        raise _unreadable(
            f"{path}: tool.extreg.registry: expected a string, found {value!r}",
            'a path, or the name of a package that carries a registry: registry = "src/shop/registry.toml"',
        )
    return value


def _unreadable(message: str, hint: str = "") -> Exception:
    from extreg.errors import UnreadableError

    return UnreadableError(message, hint)
