"""Globals that must not have a code, or gain nothing by one.

Each row gives the target, what happens, and the source of that: a file of CPython's library, or "experiment" for what
was run on CPython 3.10 to 3.13 with the C and the Python pickle.
"""

from typing import NamedTuple


class Known(NamedTuple):
    """What is known of one global."""

    why: str
    source: str


_CALLS = "it acts when it is called, and a code hides its name from those who look for it in pickles"
_GETATTR = "every bound method and classmethod is dumped with it, so no pickle of one loads where the code is unknown"
_ABSTRACT = "calling it makes an object of another class, so that no object is dumped with it"
_UNNAMED = "it calls itself {}, which builtins does not have, so pickle cannot dump it by name"

DANGEROUS: dict[str, Known] = {
    "multiprocessing.process:AuthenticationString": Known(
        "spawn and forkserver children load one before they run your code, and die because they have no codes yet",
        "Lib/multiprocessing/spawn.py, get_preparation_data; experiment",
    ),
    "builtins:getattr": Known(_GETATTR, "Objects/classobject.c, method___reduce___impl; experiment"),
    "builtins:__import__": Known(_CALLS, "Python/bltinmodule.c"),
    "builtins:breakpoint": Known(_CALLS, "Python/bltinmodule.c"),
    "builtins:compile": Known(_CALLS, "Python/bltinmodule.c"),
    "builtins:delattr": Known(_CALLS, "Python/bltinmodule.c"),
    "builtins:eval": Known(_CALLS, "Python/bltinmodule.c"),
    "builtins:exec": Known(_CALLS, "Python/bltinmodule.c"),
    "builtins:setattr": Known(_CALLS, "Python/bltinmodule.c"),
    "ctypes:CDLL": Known(_CALLS, "Lib/ctypes/__init__.py: loads a shared library"),
    "importlib:import_module": Known(_CALLS, "Lib/importlib/__init__.py"),
    "io:open": Known(_CALLS, "Modules/_io/_iomodule.c"),
    "_io:open": Known(_CALLS, "Modules/_io/_iomodule.c"),
    "nt:system": Known(_CALLS, "Modules/posixmodule.c"),
    "os:popen": Known(_CALLS, "Lib/os.py"),
    "os:system": Known(_CALLS, "Modules/posixmodule.c, where os takes it from"),
    "pickle:_loads": Known(_CALLS, "Lib/pickle.py: a pickle within the pickle"),
    "_pickle:loads": Known(_CALLS, "Modules/_pickle.c: a pickle within the pickle"),
    "pickle:loads": Known(_CALLS, "Lib/pickle.py: a pickle within the pickle"),
    "posix:system": Known(_CALLS, "Modules/posixmodule.c"),
    "pty:spawn": Known(_CALLS, "Lib/pty.py"),
    "runpy:run_module": Known(_CALLS, "Lib/runpy.py"),
    "runpy:run_path": Known(_CALLS, "Lib/runpy.py"),
    "shutil:rmtree": Known(_CALLS, "Lib/shutil.py"),
    "subprocess:Popen": Known(_CALLS, "Lib/subprocess.py"),
    "subprocess:call": Known(_CALLS, "Lib/subprocess.py"),
    "subprocess:check_call": Known(_CALLS, "Lib/subprocess.py"),
    "subprocess:check_output": Known(_CALLS, "Lib/subprocess.py"),
    "subprocess:getoutput": Known(_CALLS, "Lib/subprocess.py"),
    "subprocess:getstatusoutput": Known(_CALLS, "Lib/subprocess.py"),
    "subprocess:run": Known(_CALLS, "Lib/subprocess.py"),
    "webbrowser:open": Known(_CALLS, "Lib/webbrowser.py"),
}

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
