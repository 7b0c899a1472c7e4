"""What ``%load_ext extreg`` and ``%unload_ext extreg`` call."""

from extreg.startup import watch

_SHELL = "IPython"


def load_ipython_extension(_: object) -> None:
    """Watch reloads in this interactive shell; what ``%load_ext extreg`` calls."""
    watch.start(_SHELL)


def unload_ipython_extension(_: object) -> None:
    """Take `load_ipython_extension` back; what ``%unload_ext extreg`` calls."""
    watch.stop(_SHELL)
