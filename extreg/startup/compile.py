"""The start-up cache as ``extreg compile`` sees it: is it current, and write it now."""

from extreg.startup import cache_path, load_entries, read_through, sealed
from extreg.startup.cache import entries, write

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


def is_current(path: str, search: "Sequence[str] | None" = None) -> bool:
    """Whether the next start from the registry file at `path` would be warm, with included packages in `search`.

    Raises `RegistryError` or `UnreadableError` when the registry itself cannot be read.
    """
    cached = load_entries(path)
    layers, _, known = read_through(path, cached, search)
    return known == len(layers) == len(cached)


def compile_registry(path: str, search: "Sequence[str] | None" = None) -> "str | None":
    """Read the registry file at `path` and what it includes, and write the cache; return the cache's path.

    Included packages are looked for in `search`, without one as this process would import them.

    None where Python has no bytecode caches.  Raises `RegistryError`, `UnreadableError`, or OSError when the cache
    cannot be written.
    """
    layers, sources, _ = read_through(path, [], search)
    return write(cache_path(path), sealed(entries(sources, layers)))
