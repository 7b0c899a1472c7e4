"""The house: a module imports from its own room or one below, never from one above, and never in a circle.

Imports within functions count; those for annotations alone (under TYPE_CHECKING) do not, for nothing runs them.
"""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import TypeGuard

import pytest

import extreg

PACKAGE = Path(extreg.__file__).parent

# From the ground up; a name ending in a dot stands for everything in that room.
LAYERS = (
    ("extreg.errors", "extreg.printable", "extreg.lazy", "extreg.process", "extreg.archives", "extreg.compiled"),
    ("extreg.packs.",),
    ("extreg.ledger.",),
    ("extreg.importhook",),
    ("extreg.healing.",),
    ("extreg.disk.",),
    ("extreg.registry.",),
    ("extreg.pickles.walking.",),
    ("extreg.pickles.rewriting.",),
    ("extreg.pickles.",),
    ("extreg.reduce.",),
    ("extreg.startup.", "extreg.retired"),
    ("extreg.scoped.",),
    ("extreg.project.",),
    ("extreg.targets.",),
    ("extreg.jar.",),
    ("extreg.programs.",),
    ("extreg.merging.",),
    ("extreg.shapes.",),
    ("extreg.linter.",),
    ("extreg.stores.",),
    ("extreg.census.",),
    ("extreg.testing.",),
    ("extreg.integrations.",),
    ("extreg",),
    ("extreg.auto", "extreg.autoload.", "extreg.workers."),
    ("extreg.doctor.",),
    ("extreg.cli.", "extreg.__main__"),
)

# Rooms whose modules are called what a user types: the commands and the groups of rules.
NAMED_FOR_USERS = ("extreg.cli.", "extreg.linter.rules.")

STARTUP_MAY_IMPORT = {"copyreg", "os", "sys", "marshal", "_thread", "_imp", "builtins", "time"}

FILES = sorted(PACKAGE.rglob("*.py"))


def name_of(file: Path) -> str:
    parts = [PACKAGE.name, *file.relative_to(PACKAGE).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {name_of(file): file for file in FILES}


def layer_of(module: str) -> int:
    found = [
        (len(member), number)
        for number, members in enumerate(LAYERS)
        for member in members
        if module == member or (member.endswith(".") and f"{module}.".startswith(member))
    ]
    assert found, f"{module} is in no layer: add it to LAYERS"
    return max(found)[1]  # the innermost room


def imports(tree: ast.AST, kind: str = "top") -> Iterator[tuple[str, str]]:
    """Yield every imported module and its kind: "top", "function", or "types" (under TYPE_CHECKING)."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.Import):
            yield from ((alias.name, kind) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            assert node.module is not None
            yield from ((known(node.module, alias.name), kind) for alias in node.names)
        elif is_type_checking(node):
            yield from imports(ast.Module(node.body, []), "types")
            yield from imports(ast.Module(node.orelse, []), kind)
        else:
            function = isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda))
            yield from imports(node, "function" if function else kind)


def known(module: str, name: str) -> str:
    """Return the module that `from module import name` gives: a submodule, or the module itself."""
    return f"{module}.{name}" if f"{module}.{name}" in MODULES else module


def is_type_checking(node: ast.AST) -> TypeGuard[ast.If]:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def parsed(module: str) -> ast.AST:
    return ast.parse(MODULES[module].read_text(encoding="utf-8"))


def is_ours(module: str) -> bool:
    return module.partition(".")[0] == PACKAGE.name


# What a start runs when all is well, with the modules that come in when something happens later.
WARM = {
    "extreg",
    "extreg.startup",
    "extreg.archives",
    "extreg.autoload",
    "extreg.importhook",
    "extreg.lazy",
    "extreg.healing",
} | {f"extreg.startup.{name}" for name in ("cache", "changes", "packages", "strangers", "watch")}


def is_startup(module: str) -> bool:
    return module in WARM or f"{module}.".startswith("extreg.ledger.")


def test_there_are_modules() -> None:
    assert len(MODULES) > 30
    assert {layer_of(module) for module in MODULES} == set(range(len(LAYERS)))


def imported(module: str) -> set[str]:
    """Return our own modules that `module` imports when it runs, at its top or later."""
    return {name for name, kind in imports(parsed(module)) if is_ours(name) and kind != "types"} - {module}


@pytest.mark.parametrize("module", MODULES)
def test_no_import_goes_up(module: str) -> None:
    own = layer_of(module)
    assert [name for name in imported(module) if layer_of(name) > own] == []


def test_no_imports_run_in_a_circle() -> None:
    """Take away what imports nothing that is left, again and again: only circles stay."""
    left = {module: imported(module) for module in MODULES}
    while True:
        free = {module for module, names in left.items() if not names & left.keys()}
        if not free:
            break
        left = {module: names for module, names in left.items() if module not in free}
    assert {module: sorted(names & left.keys()) for module, names in left.items()} == {}


def test_no_name_stands_twice() -> None:
    named: dict[str, list[str]] = {}
    for module in MODULES:
        if not f"{module}.".startswith(NAMED_FOR_USERS):
            named.setdefault(module.rpartition(".")[2], []).append(module)
    assert {name: found for name, found in named.items() if len(found) > 1} == {}


def test_no_folder_is_called_as_a_public_function_is() -> None:
    """Importing the folder would hide the function."""
    folders = {file.parent.name for file in FILES}
    assert folders.isdisjoint(name for name in extreg.__all__ if callable(getattr(extreg, name)))


@pytest.mark.parametrize("module", [module for module in MODULES if is_startup(module)])
def test_start_up_imports_nothing_heavy(module: str) -> None:
    """What stands at the top of a start-up module is paid for on every start of every program."""
    at_top = {name for name, kind in imports(parsed(module)) if kind == "top"}
    assert {name for name in at_top if not is_startup(name)} <= STARTUP_MAY_IMPORT


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import os", [("os", "top")]),
        ("from extreg import errors", [("extreg.errors", "top")]),
        ("from extreg.errors import Problem", [("extreg.errors", "top")]),
        ("def f():\n    if x:\n        import extreg.cli.main", [("extreg.cli.main", "function")]),
        ("if TYPE_CHECKING:\n    import typing\nelse:\n    import re", [("typing", "types"), ("re", "top")]),
        ("try:\n    import tomli\nexcept ImportError:\n    import tomllib", [("tomli", "top"), ("tomllib", "top")]),
        ("class C:\n    import re", [("re", "top")]),
    ],
)
def test_imports_are_seen(source: str, expected: list[tuple[str, str]]) -> None:
    assert list(imports(ast.parse(source))) == expected
