"""Simple arguments for any class: by annotation where there is one, else by the parameter's name."""

import enum
import inspect
import re
import sys
import typing
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

_DEPTH = 2
# What a word of an annotation is answered by; the first that is found in it.
_BY_WORD: tuple[tuple[str, Any], ...] = (
    ("NoneType|None|Optional|Any|object", None),
    ("bool", True),
    ("int|Integral|SupportsInt|SupportsIndex", 1),
    ("float|Number|Real", 1.5),
    ("bytes|bytearray|ReadableBuffer", b"a"),
    ("str|Text|AnyStr|LiteralString", "a"),
    ("dict|Dict|Mapping|MutableMapping", {}),
    ("tuple|Tuple", ()),
    ("set|Set|frozenset|FrozenSet|AbstractSet", frozenset()),
    ("list|List|Sequence|Iterable|Collection|Iterator|MutableSequence", []),
    ("Callable|type|Type", str),
)
# What a parameter's name suggests where nothing is annotated.
_BY_NAME: tuple[tuple[str, Any], ...] = (
    ("n|k|num|count|size|length|width|height|level|index|position|start|end|stop|line|lineno|column|port|seconds", 1),
    ("x|y|z|lat|lon|value|val|v|timeout|amount|number", 1),
    ("args|items|values|iterable|seq|sequence|children|fields|columns|rows|elements|nodes|parts|names|paths", ["a"]),
    ("kwargs|mapping|data|dict|options|config|params|headers|attrs|attributes|d", {}),
    ("func|function|callable|factory|fn|callback|f|type|type_|cls|klass", str),
)
_FALLBACKS: tuple[tuple[Any, ...], ...] = (
    (), ("a",), (1,), (["a"],), ({"a": 1},), ("a", "b"), (1, 2), ("a", 1), (None,), (1, 2, 3), ("a", "b", "c"),
)  # fmt: skip


class NoGuessError(Exception):
    """No argument comes to mind for a required parameter."""


def ways(kind: type) -> Iterator[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Yield arguments to try, the likeliest first."""
    for full in (False, True):
        with suppress(NoGuessError, RecursionError):
            yield arguments(kind, full=full)
    for args in _FALLBACKS:
        yield args, {}


def arguments(kind: type, *, full: bool, depth: int = 0) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Return arguments for a class; with `full` for the parameters with defaults too, where the annotation tells."""
    try:
        parameters = inspect.signature(kind).parameters.values()
    except (ValueError, TypeError) as error:
        raise NoGuessError from error
    try:
        hints = typing.get_type_hints(kind.__init__)  # type: ignore[misc]
    except Exception:
        hints = {}
    args: list[Any] = []
    named: dict[str, Any] = {}
    for parameter in parameters:
        if parameter.kind in (parameter.VAR_POSITIONAL, parameter.VAR_KEYWORD):
            continue
        annotation = hints.get(parameter.name, parameter.annotation)
        if parameter.default is not parameter.empty:
            if not full or annotation is parameter.empty:
                continue
            try:
                value = by_annotation(annotation, kind.__module__, depth, some=True)
            except NoGuessError:
                continue
        else:
            value = _required(parameter, annotation, kind.__module__, depth)
        if parameter.kind is parameter.POSITIONAL_ONLY:
            args.append(value)
        else:
            named[parameter.name] = value
    return tuple(args), named


def _required(parameter: inspect.Parameter, annotation: Any, module: str, depth: int) -> Any:
    if annotation is not parameter.empty:
        return by_annotation(annotation, module, depth, some=True)
    for pattern, value in _BY_NAME:
        if re.fullmatch(pattern, parameter.name):
            return value
    return "a"


def by_annotation(annotation: Any, module: str, depth: int, *, some: bool) -> Any:
    """Return a value for an annotation, with `some` rather not None."""
    if isinstance(annotation, str):
        annotation = _looked_up(annotation, module)
    if isinstance(annotation, type) and annotation.__module__ not in ("builtins", "typing", "collections.abc"):
        return instance(annotation, depth)
    origin, args = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is typing.Literal:
        return args[0]
    if origin is typing.Union or type(annotation).__name__ == "UnionType":
        for arg in sorted(args, key=lambda arg: arg is type(None)):
            try:
                return by_annotation(arg, module, depth, some=some)
            except NoGuessError:
                continue
    text = annotation.__name__ if isinstance(annotation, type) else str(annotation).replace("typing.", "")
    head = re.match(r"\w+", text)
    for words, value in _BY_WORD:
        if head and re.fullmatch(words, head[0]) and not (some and value is None and head[0] == "Optional"):
            return value
    for words, value in _BY_WORD:
        if re.search(rf"\b({words})\b", text) and not (some and value is None):
            return value
    if "None" in text:
        return None
    raise NoGuessError(text)


def _looked_up(text: str, module: str) -> Any:
    name = re.fullmatch(r"[\w.]+", text.strip("'\" "))
    value: Any = sys.modules.get(module)
    for part in name[0].split(".") if name else ():
        value = getattr(value, part, None)
    return value if name and value is not None else text


def instance(kind: type, depth: int) -> Any:
    """Return an object of a class that a parameter is annotated with."""
    if issubclass(kind, enum.Enum):
        return next(iter(kind))
    if depth >= _DEPTH:
        raise NoGuessError(kind.__qualname__)
    try:
        args, named = arguments(kind, full=False, depth=depth + 1)
        return kind(*args, **named)
    except Exception as error:
        raise NoGuessError(kind.__qualname__) from error
