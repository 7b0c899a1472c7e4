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
    "UnreadableError",
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
import os
import sys


def _begin_command() -> None:
    """Prepare the process of ``python -m extreg``, and take the working directory off the import path.

    Whatever is imported later, copyreg to begin with, would be taken from a strange project that has a file of that
    name.  What imports modules of the project puts it there again.
    """
    named = sys.orig_argv[-len(sys.argv)]  # what stands before the program's own arguments
    if named == "extreg" or (named.startswith("-") and named.endswith("mextreg")):
        # From here on an interrupt ends the command without a traceback.
        from extreg.cli.process import prepare

        prepare()
        safe = sys.flags.isolated or getattr(sys.flags, "safe_path", False)  # then it is not there, or by wish
        try:
            if not safe and sys.path[0] in ("", os.getcwd()):  # noqa: PTH109 - pathlib is for later
                del sys.path[0]
        except OSError:  # it is gone, and so was never put there
            return


# This file is run before extreg/__main__.py is; until that is found, runpy has "-m" in the place of its name.
if getattr(sys, "argv", None) and sys.argv[0] == "-m" and hasattr(sys, "orig_argv"):
    _begin_command()

from extreg.startup import Installation, install, lazy, reload, uninstall  # noqa: E402 - see above
from extreg.startup import __version__ as __version__  # noqa: E402

TYPE_CHECKING = False
if TYPE_CHECKING:
    from extreg.errors import (
        AllocationError,
        CallbackError,
        ConflictError,
        ExtregError,
        ForbiddenGlobalError,
        RegistryError,
        UnreadableError,
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
    "UnreadableError": "extreg.errors",
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
