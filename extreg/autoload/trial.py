"""What a start of this Python really does: seen in a child process, whatever the variables of this one say."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

from extreg.autoload import SWITCH
from extreg.autoload.site_files import MODULE

_SECONDS = 60
_OURS = ("PYTHON", "EXTREG_")
_PLACES = ("PYTHONHOME", "PYTHONUSERBASE", "PYTHONPYCACHEPREFIX")  # which say where this very Python has its files
_PROBE = f"""
import copyreg, json, sys
ran, extreg = sys.modules.get({MODULE!r}), sys.modules.get("extreg")
own = [entry for entry in getattr(sys.modules.get("extreg.ledger"), "INSTALLED", ())]
live = {{*copyreg._extension_registry.values()}}
print("\\n" + json.dumps({{
    "ran": bool(ran is not None and ran._started),
    "extreg": [extreg.__version__, extreg.__file__] if extreg is not None else None,
    "installed": [str(entry._source) for entry in own],
    "live": len(live),
    "load-only": len([code for code, (module, _) in copyreg._inverted_registry.items()
                      if code not in live and module != "extreg.retired"]),
}}))
"""


class Start(NamedTuple):
    """What a fresh interpreter had: whether our module ``ran``, which ``extreg`` it found (its version and file).

    ``installed`` are the registries' paths, ``live`` and ``load_only`` how many codes stand in copyreg; ``said`` is
    what it wrote to stderr.
    """

    ran: bool
    extreg: tuple[str, str] | None
    installed: tuple[str, ...]
    live: int
    load_only: int
    said: str


def try_start(folder: Path) -> Start:
    """Start this Python with `folder` as its working directory, switched on, and return what it had."""
    clean = {name: value for name, value in os.environ.items() if name in _PLACES or not name.startswith(_OURS)}
    done = subprocess.run(  # noqa: S603 - this very interpreter
        [sys.executable, "-c", _PROBE],
        cwd=folder,
        env={**clean, SWITCH: "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        errors="replace",
        timeout=_SECONDS,
        check=False,
    )
    said = done.stderr.strip()
    try:
        found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    except (ValueError, IndexError):
        return Start(False, None, (), 0, 0, said or f"{sys.executable} ended with exit code {done.returncode}")
    which = tuple(found["extreg"]) if found["extreg"] else None
    return Start(found["ran"], which, tuple(found["installed"]), found["live"], found["load-only"], said)
