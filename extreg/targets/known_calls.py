"""Names of the standard library and of attrs that the reader of Python sources knows."""

# What pickle finds an object by.
OWN_NAME = frozenset({"__module__", "__qualname__", "__name__"})

# Decorators after which a class or function still is what its statement says: same object or same names.
HARMLESS = frozenset(
    {
        "abc.abstractmethod",
        "attr.attributes",
        "attr.attrs",
        "attr.dataclass",
        "attr.define",
        "attr.frozen",
        "attr.mutable",
        "attr.s",
        "attrs.define",
        "attrs.frozen",
        "attrs.mutable",
        "contextlib.asynccontextmanager",
        "contextlib.contextmanager",
        "dataclasses.dataclass",
        "enum.unique",
        "enum.verify",
        "functools.cache",
        "functools.lru_cache",
        "functools.singledispatch",
        "functools.total_ordering",
        "typing.dataclass_transform",
        "typing.final",
        "typing.no_type_check",
        "typing.override",
        "typing.runtime_checkable",
        "typing_extensions.dataclass_transform",
        "typing_extensions.deprecated",
        "typing_extensions.final",
        "typing_extensions.override",
        "typing_extensions.runtime_checkable",
        "warnings.deprecated",
    }
)
# Calls that make a class with the name they are given, in the module that calls them (each sets `__module__` from
# its caller's frame: Lib/collections/__init__.py, Lib/typing.py, Lib/enum.py).
MAKERS = frozenset(
    {
        "collections.namedtuple",
        "enum.Enum",
        "enum.Flag",
        "enum.IntEnum",
        "enum.IntFlag",
        "enum.StrEnum",
        "typing.NamedTuple",
        "typing.TypedDict",
        "typing_extensions.NamedTuple",
        "typing_extensions.TypedDict",
    }
)
# Context managers that let every exception through.
NEVER_SWALLOW = frozenset({"open", "io.open", "warnings.catch_warnings", "importlib.resources.path"})
# What is in the standard library and writes to the namespace of a module whose name or classes it is given.
WRITERS = frozenset({"_convert", "_convert_", "global_enum"})
# What gives its caller a namespace or a module, or does what it is told.
HANDLERS = frozenset(
    {
        "__import__",
        "exec",
        "eval",
        "get",
        "getmodule",
        "import_module",
        "partial",
        "reload",
        "resolve_name",
        "run_module",
        "run_path",
        "setattr",
        "setdefault",
        "vars",
    }
)
