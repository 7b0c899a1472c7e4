"""Where PyInstaller finds our hook: the entry point ``pyinstaller40`` of PyInstaller 4.0 and later.

A frozen application has no folders of packages: what is no import in plain sight is in it only if a hook says so.
"""

from pathlib import Path


def get_hook_dirs() -> list[str]:
    """Return the folder with ``hook-extreg.py``."""
    return [str(Path(__file__).with_name("frozen"))]
