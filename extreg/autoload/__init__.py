"""What a start of Python runs where ``extreg autoload enable`` was given.

That is before the program's first line, in every process of an environment, in those that have nothing to do with the
project too.  So it costs what `extreg.install` costs and two small modules more, and a registry that cannot be
installed is said in one line and stops nobody, unless ``EXTREG_AUTOLOAD_STRICT=1`` says that it shall.  Under ``-E``
and ``-I`` no variable is heeded, as Python heeds none of its own.
"""

import os
import sys

import extreg

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping

SWITCH = "EXTREG_AUTOLOAD"
STRICT = "EXTREG_AUTOLOAD_STRICT"
STOPPED = 78  # EX_CONFIG, as sysexits.h has it
_OTHERS = 0o002
_SHOWN = 2  # lines of a message with several: a head and the first item


def start(registry: str, guide: str) -> None:
    """Install the file `registry`; it must belong to root, the user, or who owns the environment's folder `guide`.

    extreg's own command line goes without, so that it can mend what is broken here.
    """
    if extreg._called_as():
        return
    # We are here before pytest is, which would warn that it cannot rewrite us as it does with plugins.
    extreg.__doc__ = f"{extreg.__doc__}\nPYTEST_DONT_REWRITE"
    variables = {} if sys.flags.ignore_environment else os.environ
    registry = as_here(registry)
    try:
        _refuse_strangers(registry, guide)
        extreg._install_file(registry, extreg._policy("error", variables))
    except Exception as error:  # noqa: BLE001 - whatever it is, the program that starts here has nothing to do with it
        _tell(registry, error, variables)


def as_here(path: str) -> str:
    """Return a `path` as this process spells it: it may have been written down under another locale."""
    return path if path.isascii() else os.fsdecode(path.encode("utf-8", "surrogateescape"))


def _refuse_strangers(registry: str, guide: str) -> None:
    """Raise `UnreadableError` where others may have written the file, or may put another into its place."""
    if not hasattr(os, "geteuid"):
        return
    ours = (0, os.geteuid())
    file, folder = os.lstat(registry), os.stat(os.path.dirname(registry))
    if (
        file.st_mode & (0o170000 | _OTHERS) == 0o100000
        and not folder.st_mode & _OTHERS
        and file.st_uid in ours
        and folder.st_uid in ours
    ):
        return
    from extreg.startup.strangers import refuse_strange_folders

    refuse_strange_folders(registry, guide)


def _tell(registry: str, error: Exception, variables: "Mapping[str, str]") -> None:
    """Say in one line that there are no codes, and why; and end the process where that is wished."""
    from extreg.printable import printable

    if isinstance(error, OSError):
        message = f"cannot read {registry}: {error.strerror}"
    else:
        message = getattr(error, "message", "") or f"{type(error).__name__}: {error}"
    lines = [line.strip() for line in message.splitlines()]
    text = " ".join(lines[:_SHOWN]) + (f" (and {len(lines) - _SHOWN} more lines)" if len(lines) > _SHOWN else "")
    about = "" if registry in text else f"{registry}: "
    strict = variables.get(STRICT) == "1"
    stop = f"stopped, for {STRICT}=1 is set" if strict else f"going on without codes; {SWITCH}=0 switches this off"
    try:
        sys.stderr.write(f"extreg: autoload: {printable(about + text)}: {stop}; extreg autoload status says more\n")
        sys.stderr.flush()
    except (OSError, ValueError, AttributeError):  # there is no stderr, or nobody reads it
        pass
    if strict:
        # An exception here would be "Fatal Python error", with exit code 1; on PyPy it would be passed over.
        os._exit(STOPPED)
