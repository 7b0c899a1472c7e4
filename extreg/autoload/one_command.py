"""One command with the codes in every Python that it starts, and nothing that stays: ``extreg run``.

A folder with one ``sitecustomize`` stands in front of ``PYTHONPATH``.  The command takes our place (exec), so that its
signals, its terminal and what it ends with are its own; a process that belongs to nobody waits for its end, by whatever
that comes, and takes the folder away.  Where a process cannot be replaced, the command is a child that we wait for.
"""

import os
import select
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from tempfile import mkdtemp
from typing import NoReturn

from extreg.errors import ExtregError
from extreg.project.effective import layers_of
from extreg.startup.strangers import refuse_strange_folders

NOT_FOUND, NOT_RUNNABLE = 127, 126  # as shells end that cannot run a command
_POLL = 0.5  # seconds
_SITECUSTOMIZE = '''\
"""Installs a registry at this start: written by `extreg run`, and taken away when its command has ended."""

import os
import sys


def _start():
    here = os.path.dirname(os.path.abspath(__file__))
    # Who looks through sys.path finds nothing of us; children have it in PYTHONPATH.
    sys.path[:] = [folder for folder in sys.path if os.path.abspath(folder) != here]
    if os.environ.get("EXTREG_AUTOLOAD") != "0":
        try:
            from extreg.autoload import start
        except ImportError:  # a Python without extreg, or with an older one
            pass
        else:
            start({registry!a}, {guide!a})
    _run_what_this_hides()


def _run_what_this_hides():
    import _frozen_importlib as importlib

    for finder in sys.meta_path:
        spec = finder.find_spec("sitecustomize", None)
        if spec is not None:
            module = sys.modules["sitecustomize"] = importlib.module_from_spec(spec)
            return spec.loader.exec_module(module)
    # Then there is none, for site as for anybody who imports it later.
    raise ModuleNotFoundError("No module named 'sitecustomize'", name="sitecustomize")


_start()
'''


def run_with_codes(registry: str, command: Sequence[str]) -> int:
    """Run `command`, in whose Pythons the file at the absolute path `registry` is installed.

    Where a process can be replaced this does not return, unless the command cannot be run; elsewhere it returns the
    command's exit code.  Raises `RegistryError`, `UnreadableError` (also for a file that others may write), and
    `ExtregError`, whose ``args[-1]`` is an exit code, for a command that cannot be run.
    """
    layers_of(registry)  # which says what is wrong with it
    guide = str(Path(registry).parent)
    refuse_strange_folders(registry, guide)
    folder = mkdtemp(prefix="extreg-run-")
    try:
        Path(folder, "sitecustomize.py").write_text(_SITECUSTOMIZE.format(registry=registry, guide=guide))
        path = os.pathsep.join(filter(None, [folder, os.environ.get("PYTHONPATH")]))
        environment = {**os.environ, "PYTHONPATH": path}
        if not hasattr(os, "fork"):
            return subprocess.run(command, env=environment, check=False).returncode  # noqa: S603 - as it was typed
        _leave_behind(folder)
        _become(command, environment)
    except OSError as error:
        raise CommandError(command[0], error) from None
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class CommandError(ExtregError):
    """A command that cannot be run; ``code`` (int) is what a shell would end with."""

    def __init__(self, name: str, error: OSError) -> None:
        super().__init__(f"cannot run {name}: {error.strerror}", "extreg run -- COMMAND, as a shell would run it")
        self.args = (name, error)
        self.code = NOT_FOUND if isinstance(error, FileNotFoundError) else NOT_RUNNABLE


def _become(command: Sequence[str], environment: dict[str, str]) -> NoReturn:
    sys.stdout.flush()
    sys.stderr.flush()
    for name in ("SIGPIPE", "SIGXFSZ"):  # which Python ignores, and a program that it becomes would too
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_DFL)
    os.execvpe(command[0], list(command), environment)  # noqa: S606 - as it was typed


def _leave_behind(folder: str) -> None:
    """Start a process that waits for the end of this one, whatever it has become, and removes `folder`.

    It is no child of this one, which may be surprised to have one, in no session of it, and holds none of its files.
    """
    ready, told = os.pipe()
    watched = os.getpid()
    child = os.fork()
    if child == 0:
        try:
            os.setsid()
            if os.fork() == 0:
                _watch(watched, folder, told)
        finally:
            os._exit(0)
    os.close(told)
    os.waitpid(child, 0)
    os.read(ready, 1)  # so that it watches us, and nobody who has our number later
    os.close(ready)


def _watch(watched: int, folder: str, told: int) -> None:
    for name in ("SIGINT", "SIGTERM", "SIGHUP"):
        signal.signal(getattr(signal, name), signal.SIG_IGN)
    try:
        descriptor = os.pidfd_open(watched)  # Linux 5.3
    except (AttributeError, OSError):
        descriptor = None
    os.chdir("/")
    nothing = os.open(os.devnull, os.O_RDWR)
    for stream in range(3):
        os.dup2(nothing, stream)
    os.write(told, b"!")
    if descriptor not in (None, 3):
        os.dup2(descriptor, 3)
        descriptor = 3
    os.closerange(3 if descriptor is None else 4, 65536)
    if descriptor is not None:
        select.select([descriptor], [], [])
    else:
        while _is_there(watched):
            time.sleep(_POLL)
    shutil.rmtree(folder, ignore_errors=True)


def _is_there(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it has become somebody else's
        return True
    return True
