"""Globals that gain nothing by a code.

Each row gives the target, what happens, and the source of that: a file of CPython's library, or "experiment" for what
was run on CPython 3.10 to 3.15 with the C and the Python pickle.  Those that must not have one are in
`extreg.registry.dangerous`.
"""

from typing import NamedTuple


class Known(NamedTuple):
    """What is known of one global."""

    why: str
    source: str


_ABSTRACT = "calling it makes an object of another class, so that no object is dumped with it"
_UNNAMED = "it calls itself {}, which builtins does not have, so pickle cannot dump it by name"

DEAD: dict[str, Known] = {
    "copyreg:__newobj__": Known(
        "pickle writes the opcode NEWOBJ in its place under every protocol that knows codes",
        "Lib/pickle.py, save_reduce; experiment",
    ),
    "copyreg:__newobj_ex__": Known(
        "pickle writes the opcode NEWOBJ_EX, or a call of functools.partial, in its place",
        "Lib/pickle.py, save_reduce",
    ),
    "pathlib:Path": Known(_ABSTRACT, "Lib/pathlib.py, Path.__new__; experiment"),
    "pathlib:PurePath": Known(_ABSTRACT, "Lib/pathlib.py, PurePath.__new__; experiment"),
    "pathlib._local:Path": Known(_ABSTRACT, "Lib/pathlib/_local.py, Path.__new__"),
    "pathlib._local:PurePath": Known(_ABSTRACT, "Lib/pathlib/_local.py, PurePath.__new__"),
    **{
        f"types:{name}": Known(_UNNAMED.format(f"builtins:{own}"), "Lib/types.py")
        for name, own in {
            "AsyncGeneratorType": "async_generator",
            "BuiltinFunctionType": "builtin_function_or_method",
            "BuiltinMethodType": "builtin_function_or_method",
            "CellType": "cell",
            "ClassMethodDescriptorType": "classmethod_descriptor",
            "CodeType": "code",
            "CoroutineType": "coroutine",
            "FrameType": "frame",
            "FunctionType": "function",
            "GeneratorType": "generator",
            "GetSetDescriptorType": "getset_descriptor",
            "LambdaType": "function",
            "MappingProxyType": "mappingproxy",
            "MemberDescriptorType": "member_descriptor",
            "MethodDescriptorType": "method_descriptor",
            "MethodType": "method",
            "MethodWrapperType": "method-wrapper",
            "ModuleType": "module",
            "TracebackType": "traceback",
            "WrapperDescriptorType": "wrapper_descriptor",
        }.items()
    },
}
