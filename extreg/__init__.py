"""Stable pickle extension codes from a committed registry.toml.

``import extreg`` changes nothing in the process and imports nothing but the start-up modules; every other
public name is loaded when it is first used (PEP 562).
"""

__all__ = [
    "AllocationError",
    "CallbackError",
    "ConflictError",
    "ExtregError",
    "ForbiddenGlobalError",
    "Installation",
    "Registry",
    "RegistryError",
    "RewriteError",
    "clear_cache",
    "dump",
    "dumps",
    "install",
    "lint",
    "load",
    "load_ipython_extension",
    "loads",
    "on_clear",
    "reload",
    "uninstall",
    "unload_ipython_extension",
]
from extreg.startup import Installation, install, lazy, reload, uninstall
from extreg.startup import __version__ as __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from extreg.errors import (
        AllocationError,
        CallbackError,
        ConflictError,
        ExtregError,
        ForbiddenGlobalError,
        RegistryError,
        RewriteError,
    )
    from extreg.files.lint import lint
    from extreg.registry.model import Registry
    from extreg.scoped import dump, dumps, load, loads
    from extreg.startup.hooks import clear_cache, on_clear
    from extreg.startup.watch import load_ipython_extension, unload_ipython_extension

# Where each public name lives that is not needed at start-up.
_LAZY = {
    "AllocationError": "extreg.errors",
    "CallbackError": "extreg.errors",
    "ConflictError": "extreg.errors",
    "ExtregError": "extreg.errors",
    "ForbiddenGlobalError": "extreg.errors",
    "Registry": "extreg.registry.model",
    "RegistryError": "extreg.errors",
    "RewriteError": "extreg.errors",
    "clear_cache": "extreg.startup.hooks",
    "dump": "extreg.scoped",
    "dumps": "extreg.scoped",
    "lint": "extreg.files.lint",
    "load": "extreg.scoped",
    "load_ipython_extension": "extreg.startup.watch",
    "loads": "extreg.scoped",
    "on_clear": "extreg.startup.hooks",
    "unload_ipython_extension": "extreg.startup.watch",
}

__getattr__, __dir__ = lazy(globals(), _LAZY)
