"""What a function takes, and what it says to a call that it does not take."""

import ast
from collections.abc import Sequence
from typing import NamedTuple


class Parameters(NamedTuple):
    """The parameters of a callable after ``self`` or ``cls``, by name.

    ``required`` and ``optional`` may be given by position, ``keyword`` must be given by keyword; ``star`` takes any
    number by position.  ``bound`` says that a first parameter is given by Python, ``says`` what an error calls it.
    """

    required: tuple[str, ...] = ()
    optional: tuple[str, ...] = ()
    keyword: tuple[str, ...] = ()
    star: bool = False
    bound: bool = True
    says: str = ""
    others: tuple[str, ...] = ()  # keyword-only with a default
    double: bool = False

    @property
    def positional(self) -> tuple[str, ...]:
        """Those that may be given by position, in order."""
        return (*self.required, *self.optional)

    def refusal(self, count: int) -> str:
        """Return the error of a call with `count` arguments by position, or an empty string where it is taken."""
        called = f"TypeError: {self.says}()"
        missing = self.required[count:]
        if missing:
            return f"{called} missing {len(missing)} required positional {_arguments(missing)}"
        if count > len(self.positional) and not self.star:
            given = count + self.bound
            taken = _range(len(self.required) + self.bound, len(self.positional) + self.bound)
            return f"{called} takes {taken} but {given} {'was' if given == 1 else 'were'} given"
        if self.keyword:
            return f"{called} missing {len(self.keyword)} required keyword-only {_arguments(self.keyword)}"
        return ""


def parameters(node: ast.FunctionDef | ast.AsyncFunctionDef, says: str, *, bound: bool) -> Parameters:
    """Return the parameters of a function statement, without the first one where that is `bound`."""
    arguments = node.args
    names = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
    optional = len(arguments.defaults)
    required = names[: len(names) - optional]
    rest = names[len(names) - optional :]
    if bound:
        required, rest = (required[1:], rest) if required else (required, rest[1:])
    defaults = list(zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True))
    return Parameters(
        required=tuple(required),
        optional=tuple(rest),
        keyword=tuple(argument.arg for argument, default in defaults if default is None),
        star=arguments.vararg is not None,
        bound=bound,
        says=says,
        others=tuple(argument.arg for argument, default in defaults if default is not None),
        double=arguments.kwarg is not None,
    )


def _range(least: int, most: int) -> str:
    counted = f"from {least} to {most}" if least != most else str(most)
    return f"{counted} positional argument{'s' if most != 1 or least != most else ''}"


def _arguments(names: Sequence[str]) -> str:
    """Return names as Python's own errors list them."""
    quoted = [repr(name) for name in names]
    listed = " and ".join(quoted) if len(quoted) < 3 else f"{', '.join(quoted[:-1])}, and {quoted[-1]}"
    return f"argument{'s' if len(quoted) > 1 else ''}: {listed}"
