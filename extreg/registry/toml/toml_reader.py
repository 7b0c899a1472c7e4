"""The TOML reader: tomli, or the standard library's where tomli cannot be loaded.

tomli's compiled wheel does not load everywhere: not in subinterpreters (CPython 3.12 and later raise ImportError), and
not in an application that was frozen without the module of nameless symbols that it brings along.  `tomllib`, in every
Python from 3.11 on, is tomli's own code and answers the same; before 3.15 it does not know TOML 1.1.
"""

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any

    loads: Callable[[str], dict[str, Any]]
    TOMLDecodeError: type[ValueError]


def in_main_interpreter() -> bool:
    """Whether this is the main interpreter of its process, as far as this Python can tell."""
    try:
        if sys.version_info >= (3, 13):
            import _interpreters as interpreters
        else:
            import _xxsubinterpreters as interpreters  # type: ignore[import-not-found]
    except ImportError:  # a Python without subinterpreters, such as PyPy
        return True
    return bool(interpreters.get_current() == interpreters.get_main())


if sys.version_info < (3, 11):
    from tomli import TOMLDecodeError, loads
# Elsewhere tomli is not even tried: on 3.11 a subinterpreter that loads the wheel breaks it for the main interpreter.
elif in_main_interpreter():
    try:
        from tomli import TOMLDecodeError, loads
    except (ImportError, TypeError, ValueError):  # the latter two on 3.11, after somebody else's subinterpreter
        from tomllib import TOMLDecodeError, loads
else:
    from tomllib import TOMLDecodeError, loads

__all__ = ["TOMLDecodeError", "in_main_interpreter", "loads"]
