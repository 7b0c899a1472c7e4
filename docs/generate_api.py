"""Writes docs/api.md, the public surface of extreg, from the docstrings: ``python docs/generate_api.py``.

What stands in ``__all__`` of these packages is public, and nothing else is.  Signatures are those of the source, read
by `ast`, so that the page is the same whichever Python writes it.
"""

import ast
import importlib
import inspect
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

PAGE = Path(__file__).with_name("api.md")
PACKAGES = (
    "extreg",
    "extreg.errors",
    "extreg.pickles",
    "extreg.scoped",
    "extreg.reduce",
    "extreg.stores",
    "extreg.testing",
    "extreg.workers",
    "extreg.workers.celery",
    "extreg.workers.dask",
)

# Members of public classes that our own modules call across rooms; they may change without notice.
INTERNAL = {
    "Binding": {"begin"},
    "ExtregError": {"several", "shown"},
    "Finding": {"place"},
    "Registration": {"broken", "renew", "take"},
    "Registry": {"derived", "of", "tables"},
}
# Classes of which users get instances and make none.
HANDED_OUT = {
    "Binding",
    "Blob",
    "Cell",
    "Event",
    "Fault",
    "Layer",
    "Passed",
    "Finding",
    "Installation",
    "Price",
    "Prices",
    "Registration",
    "Scan",
    "Sizes",
}

INTRODUCTION = """\
# The public surface

What this page documents is public; nothing else is, in whichever module it can be found.  Codes are integers from 1 to
2147483647, sizes are bytes, offsets count bytes from 0 and lines from 1.  A target is the string `module:qualname`.
Errors named below are in `extreg.errors`; those that a program meets most are in `extreg` as well.

These words stand for types in the signatures:

| word | type |
|---|---|
| `Buffer` | `bytes`, `bytearray`, a contiguous `memoryview` or an `mmap.mmap`; it is not changed |
| `Callback` | `Callable[[pickle.PickleBuffer], Any]`, as `pickle.Pickler` takes it |
| `Check` | `Literal["before", "each"]` |
| `Kind` | the strings listed at `Event` |
| `Migration` | a function of one state that returns the next |
| `Item` | a `Blob`, a `Fault` or a `Passed` |
| `OnConflict` | `Literal["error", "replace", "keep"]` |
| `Openers` | `Mapping[str, Callable[[str], Store]]`: functions that open a place, by the scheme of its URL |
| `Range` | a span of codes: `first` and `last` (both belong to it), `allocate` (`"hash"` or `"next"`), `modules` |
| `Readable` | what `pickle.load` takes: an object with `read(n)` and `readline()`, in bytes |
| `Reducer` | a function of one object that returns what `__reduce__` may |
| `Retired` | `Literal["refuse", "placeholder"]` |
| `Standing` | plain values: `fingerprint` (text), `codes`, `load_only` (how many), `pid`; `str()` is one line |
| `State` | `Literal["live", "load-only", "retired"]` |
| `Subscription` | a callback that is still callable; `unsubscribe()`, or the end of its `with` block, ends it |
| `Writable` | what `pickle.dump` takes: an object with `write(data)`, in bytes |
| `_T`, `_Class` | the type of the argument |

This page is written by `docs/generate_api.py` from the docstrings: change those, and run it.
"""


class _Unquoted(ast.NodeTransformer):
    """Annotations as a reader wants them: strings are what they say."""

    def visit_Constant(self, node: ast.Constant) -> ast.expr:
        return ast.parse(node.value, mode="eval").body if isinstance(node.value, str) else node

    def visit_Subscript(self, node: ast.Subscript) -> ast.expr:
        if isinstance(node.value, ast.Name) and node.value.id == "Literal":
            return node
        self.generic_visit(node)
        return node


def annotation(node: ast.expr | None) -> str:
    """Return the annotation as text without quotes; empty for none."""
    return "" if node is None else ast.unparse(_Unquoted().visit(node))


def signature(name: str, function: ast.FunctionDef, *, method: bool) -> str:
    """Return the call as it is written, on one line or, if that is long, on one for each argument."""
    given = function.args
    arguments = [*given.posonlyargs, *given.args]
    defaults: list[ast.expr | None] = [None] * (len(arguments) - len(given.defaults))
    pairs = list(zip(arguments, [*defaults, *given.defaults], strict=True))[method:]
    parts = [argument(*pair) for pair in pairs]
    if given.vararg:
        parts.append("*" + argument(given.vararg, None))
    elif given.kwonlyargs:
        parts.append("*")
    parts += [argument(*pair) for pair in zip(given.kwonlyargs, given.kw_defaults, strict=True)]
    if given.kwarg:
        parts.append("**" + argument(given.kwarg, None))
    returns = annotation(function.returns) if function.name != "__init__" else ""
    end = f") -> {returns}" if returns else ")"
    line = f"{name}({', '.join(parts)}{end}"
    return line if len(line) <= 100 else "\n".join([f"{name}(", *(f"    {part}," for part in parts), end])


def argument(node: ast.arg, default: ast.expr | None) -> str:
    """Return one parameter as it is written."""
    text = f"{node.arg}: {annotation(node.annotation)}" if node.annotation else node.arg
    if default is None:
        return text
    return f"{text} = {ast.unparse(default)}" if node.annotation else f"{text}={ast.unparse(default)}"


def source_of(value: object) -> ast.ClassDef | ast.FunctionDef:
    """Return the definition of a class or function.

    Raises TypeError for anything else: only these two have a docstring.
    """
    function = inspect.unwrap(value) if callable(value) else value
    tree = ast.parse(inspect.cleandoc("\n" + inspect.getsource(function)))  # type: ignore[arg-type]
    node = tree.body[0]
    if not isinstance(node, (ast.ClassDef, ast.FunctionDef)):
        raise TypeError(f"{value!r} is no class and no function")
    return node


def described(head: str, docstring: str | None, level: int, title: str) -> str:
    """Return one entry of the page.

    Raises ValueError where there is no docstring.
    """
    if not docstring:
        raise ValueError(f"{title} is public and has no docstring")
    return f"{'#' * level} {title}\n\n```py\n{head}\n```\n\n{inspect.cleandoc(docstring)}\n"


def members(owner: str, node: ast.ClassDef) -> Iterator[str]:
    """Yield an entry for each public method and property of a class."""
    for item in node.body:
        if not isinstance(item, ast.FunctionDef) or item.name.startswith("_"):
            continue
        decorators = {ast.unparse(decorator) for decorator in item.decorator_list}
        if item.name in INTERNAL.get(owner, ()) or any(name.endswith(".setter") for name in decorators):
            continue
        title = f"{owner}.{item.name}"
        if decorators & {"property", "cached_property", "functools.cached_property"}:
            head = f"{title}: {annotation(item.returns)}"
        else:
            head = signature(title, item, method="staticmethod" not in decorators)
        yield described(head, ast.get_docstring(item), 4, title)


def class_head(name: str, value: type, node: ast.ClassDef) -> str:
    """Return the first line of a class, and its fields or its constructor."""
    bases = [ast.unparse(base) for base in node.bases]
    lines = [f"class {name}({', '.join(bases)})" if bases else f"class {name}"]
    if not issubclass(value, Exception) and name not in HANDED_OUT:
        lines += [signature(name, item, method=True) for item in node.body if is_constructor(item)]
    for item in node.body:
        if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
            field = item.target.id
            if not field.startswith("_") and field not in INTERNAL.get(name, ()):
                lines.append(f"    {field}: {annotation(item.annotation)}")
    return "\n".join(lines)


def is_constructor(node: ast.stmt) -> bool:
    """Say whether this is ``__init__``."""
    return isinstance(node, ast.FunctionDef) and node.name == "__init__"


def entries(package: ModuleType) -> Iterator[str]:
    """Yield an entry for each name in ``__all__``, and those of its members; once what several packages have."""
    for name in package.__all__:
        value = getattr(package, name)
        shown = f"{package.__name__}.{name}"
        other = "extreg.errors" if value.__module__ == "extreg.errors" else "extreg"
        if package.__name__ != other and getattr(sys.modules[other], name, None) is value:
            yield f"### {shown}\n\nThe same as `{other}.{name}`.\n"
            continue
        node = source_of(value)
        if isinstance(node, ast.FunctionDef):
            yield described(signature(shown, node, method=False), ast.get_docstring(node), 3, shown)
        else:
            yield described(class_head(name, value, node), ast.get_docstring(node), 3, shown)
            yield from members(name, node)


def page() -> str:
    """Return the whole page."""
    parts = [INTRODUCTION]
    for name in PACKAGES:
        package = importlib.import_module(name)
        parts += [f"## {name}\n\n{inspect.cleandoc(package.__doc__ or '')}\n", *entries(package)]
    return "\n".join(parts)


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
