"""How names in a pickle become names in a program, and back: Python 2's spelling below protocol 3, and targets.

Source of facts: Lib/pickle.py, ``Unpickler.find_class`` and ``Pickler.save_global``.  The mapping is the one pickle
itself uses.
"""

import _compat_pickle

from extreg.registry.target import pattern

_TARGET = pattern()
_LOADED_NAME: dict[tuple[str, str], tuple[str, str]] = _compat_pickle.NAME_MAPPING
_LOADED_MODULE: dict[str, str] = _compat_pickle.IMPORT_MAPPING
TRANSLATED = frozenset(_LOADED_MODULE) | {module for module, _ in _LOADED_NAME}  # modules of which names may change
_DUMPED_NAME: dict[tuple[str, str], tuple[str, str]] = _compat_pickle.REVERSE_NAME_MAPPING
_DUMPED_MODULE: dict[str, str] = _compat_pickle.REVERSE_IMPORT_MAPPING


def loaded(module: str, name: str, protocol: int) -> tuple[str, str]:
    """Return what an unpickler looks up when a pickle of `protocol` names `module` and `name`."""
    if protocol >= 3:
        return module, name
    if (module, name) in _LOADED_NAME:
        return _LOADED_NAME[module, name]
    return _LOADED_MODULE.get(module, module), name


def dumped(module: str, name: str, protocol: int) -> tuple[str, str] | None:
    """Return what a pickle of `protocol` must name for `module` and `name` to be looked up, or None if nothing does."""
    if protocol >= 3:
        return module, name
    spelling = _DUMPED_NAME.get((module, name)) or (_DUMPED_MODULE.get(module, module), name)
    for candidate in (spelling, (module, name)):
        if loaded(*candidate, protocol) == (module, name):
            return candidate
    return None


def target(module: str, name: str) -> str | None:
    """Return the registry's spelling of a global, or None if it has none."""
    joined = f"{module}:{name}"
    return joined if _TARGET.fullmatch(joined) else None
