"""Names of a package that are loaded when they are first used."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any


def lazy(package: "dict[str, Any]", homes: "dict[str, str]") -> "tuple[Callable[[str], Any], Callable[[], list[str]]]":
    """Return ``__getattr__`` and ``__dir__`` (PEP 562) for the package with these globals.

    `homes` maps a public name to the module that it is loaded from when it is first used.
    """

    def load(name: str) -> "Any":
        home = homes.get(name)
        if home is None:
            raise AttributeError(f"module {package['__name__']!r} has no attribute {name!r}")
        from importlib import import_module

        value = package[name] = getattr(import_module(home), name)
        return value

    def names() -> list[str]:
        return sorted({*package["__all__"], *(name for name in package if name.startswith("__"))})

    return load, names
