"""Globals of the standard library whose pickle key is not the same in every version of CPython.

Each row gives a target and, for each span of versions, the key under which the very object that the target leads to is
dumped there (None: there is no such object).  Measured on CPython 3.10.13, 3.11.7, 3.12.1 and 3.13.0 by asking every
public class and function of every public module for its `__module__` and `__qualname__`; what is said of 3.14 on 3.14.
"""

from typing import NamedTuple


class Key(NamedTuple):
    """Under which name a global is dumped from version ``first`` on."""

    first: tuple[int, int]
    target: str | None


DRIFTING: dict[str, tuple[Key, ...]] = {
    "asyncio.exceptions:TimeoutError": (
        Key((3, 10), "asyncio.exceptions:TimeoutError"),
        Key((3, 11), "builtins:TimeoutError"),
    ),
    "asyncio.tasks:current_task": (
        Key((3, 10), "asyncio.tasks:current_task"),
        Key((3, 12), "_asyncio:current_task"),
    ),
    "ctypes:c_buffer": (
        Key((3, 10), "ctypes:c_buffer"),
        Key((3, 11), "ctypes:create_string_buffer"),
    ),
    "decimal:getcontext": (
        Key((3, 10), "decimal:getcontext"),
        Key((3, 13), "_decimal:getcontext"),
    ),
    "decimal:localcontext": (
        Key((3, 10), "decimal:localcontext"),
        Key((3, 13), "_decimal:localcontext"),
    ),
    "decimal:setcontext": (
        Key((3, 10), "decimal:setcontext"),
        Key((3, 13), "_decimal:setcontext"),
    ),
    "enum:EnumMeta": (
        Key((3, 10), "enum:EnumMeta"),
        Key((3, 11), "enum:EnumType"),
    ),
    "importlib.abc:ResourceReader": (
        Key((3, 10), "importlib.abc:ResourceReader"),
        Key((3, 11), "importlib.resources.abc:ResourceReader"),
    ),
    "importlib.abc:Traversable": (
        Key((3, 10), "importlib.abc:Traversable"),
        Key((3, 11), "importlib.resources.abc:Traversable"),
    ),
    "importlib.abc:TraversableResources": (
        Key((3, 10), "importlib.abc:TraversableResources"),
        Key((3, 11), "importlib.resources.abc:TraversableResources"),
    ),
    "importlib.readers:FileReader": (
        Key((3, 10), "importlib.readers:FileReader"),
        Key((3, 11), "importlib.resources.readers:FileReader"),
    ),
    "importlib.readers:MultiplexedPath": (
        Key((3, 10), "importlib.readers:MultiplexedPath"),
        Key((3, 11), "importlib.resources.readers:MultiplexedPath"),
    ),
    "importlib.readers:NamespaceReader": (
        Key((3, 10), "importlib.readers:NamespaceReader"),
        Key((3, 11), "importlib.resources.readers:NamespaceReader"),
    ),
    "importlib.readers:ZipReader": (
        Key((3, 10), "importlib.readers:ZipReader"),
        Key((3, 11), "importlib.resources.readers:ZipReader"),
    ),
    "importlib.resources:contents": (
        Key((3, 10), "importlib.resources:contents"),
        Key((3, 11), "importlib.resources._legacy:contents"),
        Key((3, 13), "importlib.resources._functional:contents"),
    ),
    "importlib.resources:is_resource": (
        Key((3, 10), "importlib.resources:is_resource"),
        Key((3, 11), "importlib.resources._legacy:is_resource"),
        Key((3, 13), "importlib.resources._functional:is_resource"),
    ),
    "importlib.resources:open_binary": (
        Key((3, 10), "importlib.resources:open_binary"),
        Key((3, 11), "importlib.resources._legacy:open_binary"),
        Key((3, 13), "importlib.resources._functional:open_binary"),
    ),
    "importlib.resources:open_text": (
        Key((3, 10), "importlib.resources:open_text"),
        Key((3, 11), "importlib.resources._legacy:open_text"),
        Key((3, 13), "importlib.resources._functional:open_text"),
    ),
    "importlib.resources:path": (
        Key((3, 10), "importlib.resources:path"),
        Key((3, 11), "importlib.resources._legacy:path"),
        Key((3, 13), "importlib.resources._functional:path"),
    ),
    "importlib.resources:read_binary": (
        Key((3, 10), "importlib.resources:read_binary"),
        Key((3, 11), "importlib.resources._legacy:read_binary"),
        Key((3, 13), "importlib.resources._functional:read_binary"),
    ),
    "importlib.resources:read_text": (
        Key((3, 10), "importlib.resources:read_text"),
        Key((3, 11), "importlib.resources._legacy:read_text"),
        Key((3, 13), "importlib.resources._functional:read_text"),
    ),
    "io:open": (
        Key((3, 10), "io:open"),
        Key((3, 12), "_io:open"),
    ),
    "io:open_code": (
        Key((3, 10), "io:open_code"),
        Key((3, 12), "_io:open_code"),
    ),
    "io:text_encoding": (
        Key((3, 10), "io:text_encoding"),
        Key((3, 12), "_io:text_encoding"),
    ),
    "ntpath:isdevdrive": (
        Key((3, 10), None),
        Key((3, 12), "ntpath:isdevdrive"),
        Key((3, 13), "genericpath:isdevdrive"),
    ),
    "ntpath:isjunction": (
        Key((3, 10), None),
        Key((3, 12), "ntpath:isjunction"),
        Key((3, 13), "genericpath:isjunction"),
    ),
    "ntpath:islink": (
        Key((3, 10), "ntpath:islink"),
        Key((3, 12), "genericpath:islink"),
    ),
    "ntpath:lexists": (
        Key((3, 10), "ntpath:lexists"),
        Key((3, 13), "genericpath:lexists"),
    ),
    "pathlib._local:Path": (
        Key((3, 10), None),
        Key((3, 13), "pathlib._local:Path"),
        Key((3, 14), "pathlib:Path"),
    ),
    "pathlib._local:PosixPath": (
        Key((3, 10), None),
        Key((3, 13), "pathlib._local:PosixPath"),
        Key((3, 14), "pathlib:PosixPath"),
    ),
    "pathlib._local:PurePath": (
        Key((3, 10), None),
        Key((3, 13), "pathlib._local:PurePath"),
        Key((3, 14), "pathlib:PurePath"),
    ),
    "pathlib._local:PurePosixPath": (
        Key((3, 10), None),
        Key((3, 13), "pathlib._local:PurePosixPath"),
        Key((3, 14), "pathlib:PurePosixPath"),
    ),
    "pathlib._local:PureWindowsPath": (
        Key((3, 10), None),
        Key((3, 13), "pathlib._local:PureWindowsPath"),
        Key((3, 14), "pathlib:PureWindowsPath"),
    ),
    "pathlib._local:WindowsPath": (
        Key((3, 10), None),
        Key((3, 13), "pathlib._local:WindowsPath"),
        Key((3, 14), "pathlib:WindowsPath"),
    ),
    "pathlib:Path": (
        Key((3, 10), "pathlib:Path"),
        Key((3, 13), "pathlib._local:Path"),
        Key((3, 14), "pathlib:Path"),
    ),
    "pathlib:PosixPath": (
        Key((3, 10), "pathlib:PosixPath"),
        Key((3, 13), "pathlib._local:PosixPath"),
        Key((3, 14), "pathlib:PosixPath"),
    ),
    "pathlib:PurePath": (
        Key((3, 10), "pathlib:PurePath"),
        Key((3, 13), "pathlib._local:PurePath"),
        Key((3, 14), "pathlib:PurePath"),
    ),
    "pathlib:PurePosixPath": (
        Key((3, 10), "pathlib:PurePosixPath"),
        Key((3, 13), "pathlib._local:PurePosixPath"),
        Key((3, 14), "pathlib:PurePosixPath"),
    ),
    "pathlib:PureWindowsPath": (
        Key((3, 10), "pathlib:PureWindowsPath"),
        Key((3, 13), "pathlib._local:PureWindowsPath"),
        Key((3, 14), "pathlib:PureWindowsPath"),
    ),
    "pathlib:WindowsPath": (
        Key((3, 10), "pathlib:WindowsPath"),
        Key((3, 13), "pathlib._local:WindowsPath"),
        Key((3, 14), "pathlib:WindowsPath"),
    ),
    "posixpath:isjunction": (
        Key((3, 10), None),
        Key((3, 12), "posixpath:isjunction"),
        Key((3, 13), "genericpath:isjunction"),
    ),
    "posixpath:islink": (
        Key((3, 10), "posixpath:islink"),
        Key((3, 12), "genericpath:islink"),
    ),
    "posixpath:lexists": (
        Key((3, 10), "posixpath:lexists"),
        Key((3, 13), "genericpath:lexists"),
    ),
    "posixpath:normpath": (
        Key((3, 10), "posixpath:normpath"),
        Key((3, 13), "posix:_path_normpath"),
    ),
    "posixpath:splitroot": (
        Key((3, 10), None),
        Key((3, 12), "posixpath:splitroot"),
        Key((3, 13), "posix:_path_splitroot_ex"),
    ),
    "pydoc:getpager": (
        Key((3, 10), "pydoc:getpager"),
        Key((3, 13), "_pyrepl.pager:get_pager"),
    ),
    "pydoc:pipepager": (
        Key((3, 10), "pydoc:pipepager"),
        Key((3, 13), "_pyrepl.pager:pipe_pager"),
    ),
    "pydoc:plain": (
        Key((3, 10), "pydoc:plain"),
        Key((3, 13), "_pyrepl.pager:plain"),
    ),
    "pydoc:plainpager": (
        Key((3, 10), "pydoc:plainpager"),
        Key((3, 13), "_pyrepl.pager:plain_pager"),
    ),
    "pydoc:tempfilepager": (
        Key((3, 10), "pydoc:tempfilepager"),
        Key((3, 13), "_pyrepl.pager:tempfile_pager"),
    ),
    "pydoc:ttypager": (
        Key((3, 10), "pydoc:ttypager"),
        Key((3, 13), "_pyrepl.pager:tty_pager"),
    ),
    "re:error": (
        Key((3, 10), "re:error"),
        Key((3, 13), "re:PatternError"),
    ),
    "sre_compile:compile": (
        Key((3, 10), "sre_compile:compile"),
        Key((3, 11), "re._compiler:compile"),
    ),
    "sre_compile:dis": (
        Key((3, 10), "sre_compile:dis"),
        Key((3, 11), "re._compiler:dis"),
    ),
    "sre_compile:isstring": (
        Key((3, 10), "sre_compile:isstring"),
        Key((3, 11), "re._compiler:isstring"),
    ),
    "sre_parse:State": (
        Key((3, 10), "sre_parse:State"),
        Key((3, 11), "re._parser:State"),
    ),
    "sre_parse:SubPattern": (
        Key((3, 10), "sre_parse:SubPattern"),
        Key((3, 11), "re._parser:SubPattern"),
    ),
    "sre_parse:Tokenizer": (
        Key((3, 10), "sre_parse:Tokenizer"),
        Key((3, 11), "re._parser:Tokenizer"),
    ),
    "sre_parse:expand_template": (
        Key((3, 10), "sre_parse:expand_template"),
        Key((3, 11), "re._parser:expand_template"),
        Key((3, 12), None),
    ),
    "sre_parse:fix_flags": (
        Key((3, 10), "sre_parse:fix_flags"),
        Key((3, 11), "re._parser:fix_flags"),
    ),
    "sre_parse:parse": (
        Key((3, 10), "sre_parse:parse"),
        Key((3, 11), "re._parser:parse"),
    ),
    "sre_parse:parse_template": (
        Key((3, 10), "sre_parse:parse_template"),
        Key((3, 11), "re._parser:parse_template"),
    ),
    "zipfile:CompleteDirs": (
        Key((3, 10), "zipfile:CompleteDirs"),
        Key((3, 12), "zipfile._path:CompleteDirs"),
    ),
    "zipfile:Path": (
        Key((3, 10), "zipfile:Path"),
        Key((3, 12), "zipfile._path:Path"),
    ),
}

# Enumeration members that stand as constants in these modules are dumped by their own name up to 3.10, and as a call of
# their class since 3.11 (`Enum.__reduce_ex__` in Lib/enum.py; measured on the same versions).
CONSTANTS = ("signal", "socket", "ssl")

# Names with two leading underscores in a class body are mangled in `__qualname__` from this version on.
MANGLED_FROM = (3, 15)
